"""Mirror in the background: a study neither waits for MLflow nor stops because of it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from trainability.storage import Storage
from trainability.study import Study
from trainability.study.cell import Cell
from trainability.tracking.mirror import MlflowMirror


class Mirror:
    """Tells an `MlflowMirror` in a thread of its own what happened.

    Trouble with MLflow is remembered in `trouble` and never raised: storage holds the truth, and
    `trainability sync` makes the mirror whole. After a failure the rest is still tried.

    Args:
        study: The study.
        storage: Where its rows are.
        uri: MLflow's tracking URI.
    """

    def __init__(self, study: Study, storage: Storage, uri: str) -> None:
        self.trouble: str | None = None
        self._connect = lambda: MlflowMirror(study, storage, uri)
        self._mirror: MlflowMirror | None = None
        self._tasks: queue.SimpleQueue[Callable[[MlflowMirror], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="mlflow-mirror", daemon=True)
        self._thread.start()

    def cell_started(self, cell: Cell) -> None:
        self._tasks.put(lambda mirror: mirror.start(cell))

    def cell_done(self, cell: Cell) -> None:
        self._tasks.put(lambda mirror: mirror.finish(cell))

    def cell_failed(self, cell: Cell, why: str, killed: bool) -> None:
        self._tasks.put(lambda mirror: mirror.fail(cell, why, killed))

    def add(self, task: Callable[[MlflowMirror], None]) -> None:
        """Do something else with the mirror, in its turn."""
        self._tasks.put(task)

    def close(self, status: str) -> None:
        """Wait until everything is mirrored, then end the parent with this status."""
        self._tasks.put(lambda mirror: mirror.close(status))
        self._tasks.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                self._mirror = self._mirror or self._connect()
                task(self._mirror)
            except Exception as error:  # an outage of any kind must not stop the study
                self.trouble = f"{type(error).__name__}: {error}".splitlines()[0]
