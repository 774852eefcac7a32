"""The report of a study: one self-contained HTML page, CSV, PNG and SVG."""

from trainability.report.build import Report, write_report

__all__ = ["Report", "write_report"]
