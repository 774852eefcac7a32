"""The report of a study that runs: at intervals that cost next to nothing, and at the end."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from trainability import interrupts
from trainability.errors import StorageError
from trainability.events import Events, Noted, Working

if TYPE_CHECKING:
    from trainability.report import Report
    from trainability.storage import Storage
    from trainability.study import Study

FIRST_S = 30.0
"""What takes less time has its page at the end, in seconds."""
EVERY_S = 15.0
"""At least so long, in seconds, between two of them."""
PAUSE = 20.0
"""Times that it took to write one that the next one is waited for: 5 % of a core at most."""
_LOOK_EVERY_S = 0.2


@contextlib.contextmanager
def live_page(study: Study, storage: Storage, events: Events) -> Iterator[None]:
    """While it lasts, write the report of what is stored, whenever that is more than before.

    Args:
        study: The study that runs.
        storage: Where its rows come in.
        events: Told once where the page is.
    """
    ended = threading.Event()
    writer = threading.Thread(
        target=_write, args=(study, storage, events, ended), name="live page", daemon=True
    )
    writer.start()
    try:
        yield
    finally:
        ended.set()
        while writer.is_alive() and not interrupts.requested():  # else nobody waits for a page
            writer.join(_LOOK_EVERY_S)


def _write(study: Study, storage: Storage, events: Events, ended: threading.Event) -> None:
    # At the priority of all threads: one that gives way would keep Python's lock while it waits for
    # a core, and the driver, with everybody who waits for its answer, would wait with it.
    pause, is_noted = FIRST_S, False
    reports: Iterator[Report | None] | None = None
    while not ended.wait(pause):
        begun = time.monotonic()
        try:
            if reports is None:  # what is over by now loads nothing
                from trainability.report.watch import reports_of_more

                reports = reports_of_more(study, storage)
            report = next(reports)
            if report is not None and not is_noted:
                events.emit(Noted(heading="so far:", text=str(report.page)))
                is_noted = True
        except Exception:  # the report at the end tells
            return
        pause = max(EVERY_S, PAUSE * (time.monotonic() - begun))


def load_early() -> None:
    """Load what reports need while the networks train, and the kernels leave Python alone."""
    threading.Thread(target=_load, daemon=True).start()


def _load() -> None:
    for module in ("trainability.report.build", "trainability.plots.success"):
        import_module(module)


def last_page(study: Study, storage: Storage, events: Events) -> Report | None:
    """Write the report; None if nothing is stored, or, with a message, if that fails.

    Args:
        study: The study.
        storage: Where its rows are.
        events: Told that it is written, or why not.
    """
    from trainability.growth import study_cells
    from trainability.report import write_report
    from trainability.report.helper import helping

    try:
        if not storage.block_files(study.name, study_cells(study, storage)):
            return None
        events.emit(Working(what="writing the report"))
        with helping() as helper:
            return write_report(study, storage, helper=helper)
    except StorageError as error:
        events.emit(Noted(heading="no report:", text=str(error)))
        return None
