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
    for report in reports_of_more(study, storage):
        if report is not None:
            yield report
            if report.findings.is_complete:
                return
        wait(POLL_S)


def reports_of_more(study: Study, storage: Storage) -> Iterator[Report | None]:
    """Whenever the next one is asked for, write the report if storage holds more of the study.

    Args:
        study: The study.
        storage: Where its rows come in.

    Yields:
        The report, once it is written; None where storage holds nothing, or what it held.
    """
    seen: set[tuple[str, int, int]] = set()
    while True:
        files = storage.block_files(study.name, study_cells(study, storage))
        state = {(file.cell, file.first, file.last) for file in files}
        if state and state != seen:
            seen = state
            yield write_report(study, storage)
        else:
            yield None
