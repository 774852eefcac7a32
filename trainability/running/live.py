"""The page of a study while it runs, written anew at intervals that cost next to nothing."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trainability import interrupts
from trainability.events import Events, Noted

if TYPE_CHECKING:
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
    pause, seen, is_noted = FIRST_S, None, False
    while not ended.wait(pause):
        begun = time.monotonic()
        try:
            from trainability.growth import study_cells
            from trainability.report import write_report

            files = storage.block_files(study.name, study_cells(study, storage))
            state = {(file.cell, file.first, file.last) for file in files}
            if files and state != seen:
                page = write_report(study, storage).page
                seen = state
                if not is_noted:
                    events.emit(Noted(heading="so far:", text=str(page)))
                is_noted = True
        except Exception:  # the report at the end tells
            return
        pause = max(EVERY_S, PAUSE * (time.monotonic() - begun))
