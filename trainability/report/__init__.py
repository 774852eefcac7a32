"""The report of a study: one self-contained HTML page, CSV, PNG and SVG."""

from __future__ import annotations

from trainability import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.report.build import Report, write_report
    from trainability.report.side_by_side import SideBySide, write_side_by_side
    from trainability.report.watch import watch_report

__all__ = ["Report", "SideBySide", "watch_report", "write_report", "write_side_by_side"]

# A helper that draws is started before all that is loaded here.
__getattr__ = lazy.attributes(
    __name__,
    build="Report write_report",
    side_by_side="SideBySide write_side_by_side",
    watch="watch_report",
)
