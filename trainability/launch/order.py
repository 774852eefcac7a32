"""Which trial is next, where trials that follow each other share a worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ray.tune.schedulers import FIFOScheduler

_COUNT_EVERY_S = 2.0


class OldestThatWaits(FIFOScheduler):
    """The oldest trial whose own worker is not just starting.

    Ray Tune's own choice is the oldest pending trial, and that is the one for which a worker is
    starting: it would go to the next worker that is free, and the one that is starting would be
    stopped. Where trials end faster than workers start, a node that joins would never get to work.

    Args:
        count_slots: Counts the trials that can run at once, on the nodes that are there now.
    """

    def __init__(self, count_slots: Callable[[], int]) -> None:
        super().__init__()
        self._count_slots = count_slots
        self._slots = 0
        self._counted = float("-inf")

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        if time.monotonic() - self._counted > _COUNT_EVERY_S:
            self._slots, self._counted = self._count_slots(), time.monotonic()
        trials = tune_controller.get_trials()
        running = sum(trial.status == trial.RUNNING for trial in trials)
        pending = [trial for trial in trials if trial.status == trial.PENDING]
        # If a worker is free now, it is one of the slots without a running trial.
        starting = max(0, self._slots - running - 1)
        return pending[min(starting, len(pending) - 1)] if pending else None
