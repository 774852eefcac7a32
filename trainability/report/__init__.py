"""The report of a study: one self-contained HTML page, CSV, PNG and SVG."""

from trainability.report.build import Report, write_report
from trainability.report.side_by_side import write_side_by_side
from trainability.report.watch import watch_report

__all__ = ["Report", "watch_report", "write_report", "write_side_by_side"]
