"""Mirror in the background: a study neither waits for MLflow nor stops because of it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from trainability import interrupts
from trainability.addresses import without_secrets
from trainability.checks import counted
from trainability.events import Event, Failed, Finished, Started
from trainability.storage import Storage
from trainability.study import Study
from trainability.study.cell import Cell

if TYPE_CHECKING:
    from trainability.tracking.mirror import MlflowMirror

_Task = Callable[["MlflowMirror"], None]
_LONGEST_PAUSE_S = 60.0
_LAST_TRIES = 3
_LOOK_EVERY_S = 0.2
_HURRY_S = 8.0
"""How long an end in a hurry waits: MLflow may be in the middle of its import, or unreachable."""
_UNHURRIED_S = 60.0
"""The same where no signal asked for the end: nobody will kill this process."""


class Mirror:
    """Tells an `MlflowMirror` in a thread of its own what happened.

    Trouble with MLflow is remembered in `trouble` and never raised: storage holds the truth, and
    `trainability sync` makes the mirror whole. What could not be told is told again later, when
    the server may be back.

    Args:
        study: The study.
        storage: Where its rows are.
        uri: MLflow's tracking URI.
        begun: When the work began, in seconds since 1970; None for now.
    """

    def __init__(
        self, study: Study, storage: Storage, uri: str, begun: float | None = None
    ) -> None:
        self.trouble: str | None = None
        since = time.time() if begun is None else begun
        self._place = study, storage, uri, since
        self._mirror: MlflowMirror | None = None
        self._tasks: deque[_Task] = deque()
        self._changed = threading.Condition()
        self._failures = 0  # in a row
        self._used = self._closing = self._dropped = False
        self._thread = threading.Thread(target=self._work, name="mlflow-mirror", daemon=True)
        self._thread.start()

    def on_event(self, event: Event) -> None:
        """Mirror what happens to cells."""
        match event:
            case Started(cell=cell, at=at):
                self.cell_started(cell, at)
            case Finished(cell=cell):
                self.cell_done(cell)
            case Failed(cell=cell, is_final=True):
                self.cell_failed(cell, event.traceback or event.why, event.at)

    def cell_started(self, cell: Cell, at: float | None = None) -> None:
        """A cell is being worked on since `at`, in seconds since 1970; None for now."""
        begun = time.time() if at is None else at
        self.add(lambda mirror: mirror.start(cell, begun))

    def cell_done(self, cell: Cell) -> None:
        self.add(lambda mirror: mirror.finish(cell))

    def cell_failed(self, cell: Cell, why: str, at: float | None = None) -> None:
        """A cell is given up since `at`; None for now."""
        ended = time.time() if at is None else at
        self.add(lambda mirror: mirror.fail(cell, why, ended))

    def add(self, task: _Task) -> None:
        """Do something else with the mirror, in its turn."""
        with self._changed:
            self._used = True
            self._tasks.append(task)
            self._changed.notify()

    def close(self, status: str, hurry: bool = False) -> None:
        """Wait until everything is mirrored, then end the parent with this status.

        Args:
            status: `FINISHED`, `FAILED` or `KILLED`.
            hurry: Leave undone what is still to be told, but end what runs, within seconds. The
                same happens where a signal asks for the end meanwhile.
        """
        ended = time.time()  # MLflow hears of it later
        if not hurry:
            self._end(status, ended)
            while self._thread.is_alive() and not interrupts.requested():
                self._thread.join(_LOOK_EVERY_S)
            if not self._thread.is_alive():
                return
            status = "KILLED"
        with self._changed:
            left = len(self._tasks) - self._closing
            if left > 0:
                self.trouble = f"interrupted with {counted(left, 'update')} to do"
                self._dropped = True
            self._tasks.clear()
            self._closing = False
        self._end(status, ended)
        limit = _HURRY_S if interrupts.requested() else _UNHURRIED_S
        self._thread.join(limit)
        if self._thread.is_alive() and self._used:
            self.trouble = self.trouble or f"it did not answer within {limit:.0f} s"

    def _end(self, status: str, at: float) -> None:
        """Let the thread end the parent after all that is still to be told, then end itself."""
        with self._changed:
            if self._used:
                self._tasks.append(lambda mirror: mirror.close(status, at))
            self._failures = 0
            self._closing = True
            self._changed.notify()

    def _connect(self) -> MlflowMirror:
        # Imported here, in the background: it takes as long to load as the first networks to train.
        from trainability.tracking.mirror import MlflowMirror

        return MlflowMirror(*self._place)

    def _work(self) -> None:
        while (task := self._next()) is not None:
            try:
                self._mirror = self._mirror or self._connect()
                task(self._mirror)
            except Exception as error:  # an outage of any kind must not stop the study
                said = without_secrets(f"{type(error).__name__}: {error}")
                self.trouble = said.splitlines()[0]
                self._mirror = None  # whatever is there by then is looked up again
                with self._changed:
                    self._failures += 1
                    # Behind the others, but before the end of the parent.
                    self._tasks.insert(len(self._tasks) - self._closing, task)
            else:
                self._failures = 0
                if not self._tasks and not self._dropped:
                    self.trouble = None

    def _next(self) -> _Task | None:
        """The next task, after a pause if the last one failed; None at the end."""
        with self._changed:
            if self._failures:
                pause = min(2.0**self._failures, _LONGEST_PAUSE_S)
                if not self._closing:
                    self._changed.wait_for(lambda: self._closing, pause)
                elif self._failures < _LAST_TRIES:
                    self._changed.wait(pause)
                else:
                    return None
            self._changed.wait_for(lambda: self._tasks or self._closing)
            return self._tasks.popleft() if self._tasks else None
