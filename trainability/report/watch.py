"""A report that follows a study while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from trainability.growth import study_cells
from trainability.report.build import Report, write_report
from trainability.storage import Storage
from trainability.study import Study

POLL_S = 2.0
"""How often storage is asked for new block files, in seconds."""


def watch_report(study: Study, storage: Storage, wait: Callable[[float], None]) -> Iterator[Report]:
    """Write the report whenever storage holds more of the study, until it is complete.

    Its page reads its own file again as long as the study is not complete.

    Args:
        study: The study.
        storage: Where its rows come in.
        wait: Sleeps for so many seconds; what it raises ends the watch.

    Yields:
        Every report, once it is written.
    """
    seen = None
    while True:
        files = storage.block_files(study.name, study_cells(study, storage))
        state = {(file.cell, file.first, file.last) for file in files}
        if files and state != seen:
            seen = state
            report = write_report(study, storage)
            yield report
            if report.findings.is_complete:
                return
        wait(POLL_S)
