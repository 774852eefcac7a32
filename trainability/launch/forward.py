"""What Ray Tune hears of its trials, handed on to the driver's listener wherever Tune runs."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ray import cloudpickle, tune
from ray.exceptions import OutOfMemoryError, RayActorError
from ray.util.client import ray as ray_client
from ray.util.queue import Queue

from trainability import interrupts
from trainability.launch.listener import Listener
from trainability.launch.reports import (
    Report,
    StorageGivenUp,
    TrialLost,
    TrialRetried,
    TrialsStalled,
)

REPORT = "report"
"""Under which a trial's report stands in what it tells Tune."""
_LOOK_EVERY_S = 5.0
_DRAIN_S = 10.0
_STALLED_S = 60.0
"""Longer than a worker takes to start."""


@contextlib.contextmanager
def forwarding(listener: Listener) -> Iterator[Forward]:
    """A callback for Tune that tells a listener of this process, wherever Tune itself runs."""
    if not ray_client.is_connected():
        # Found by key, since Tune pickles callbacks.
        key = uuid.uuid4().hex
        _LISTENERS[key] = listener
        try:
            yield Forward(partial(_tell, key), partial(_between_steps, key))
        finally:
            del _LISTENERS[key]
        return
    queue = Queue(actor_options={"num_cpus": 0})

    def drain() -> None:
        while (report := queue.get()) is not None:
            listener.hear(report)

    thread = threading.Thread(target=drain, name="reports", daemon=True)
    thread.start()
    try:
        yield Forward(partial(_put, queue), _nothing)
        queue.put(None)
        thread.join(_DRAIN_S)
    finally:
        queue.shutdown()


_LISTENERS: dict[str, Listener] = {}


def _tell(key: str, report: Report) -> None:
    _LISTENERS[key].hear(report)


def _between_steps(key: str) -> None:
    """Where nothing is half done."""
    interrupts.check()
    _LISTENERS[key].events.check()
    _LISTENERS[key].tick()


def _put(queue: Queue, report: Report) -> None:
    queue.put(report)


def _nothing() -> None:
    pass


class Forward(tune.Callback):
    """Hands on what Tune hears.

    Args:
        tell: Told every report.
        between_steps: Called between two steps of Tune; may raise.
    """

    def __init__(self, tell: Callable[[Report], None], between_steps: Callable[[], None]) -> None:
        self._tell, self._between_steps = tell, between_steps

    def setup(self, **info) -> None:
        # Where Tune runs, which may be another machine with another clock.
        self._looked = self._ran = time.monotonic()

    def on_step_begin(self, iteration, trials, **info) -> None:
        self._between_steps()
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY_S:
            return
        self._looked = now
        if any(trial.status == trial.RUNNING for trial in trials):
            self._ran = now
        elif now - self._ran > _STALLED_S:
            self._tell(TrialsStalled(_STALLED_S))

    def on_trial_result(self, iteration, trials, trial, result, **info) -> None:
        if REPORT in result:
            self._tell(result[REPORT])

    def on_trial_recover(self, iteration, trials, trial, **info) -> None:
        self._tell(TrialRetried(describe_error(_error_of(trial))))

    def on_trial_error(self, iteration, trials, trial, **info) -> None:
        self._tell(TrialLost(trial.config["trial"], describe_error(_error_of(trial))))


class GivenUp(tune.Stopper):
    """Ends the study when a trial has given up on the storage."""

    def __init__(self) -> None:
        self._given_up = False

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        self._given_up = self._given_up or isinstance(result.get(REPORT), StorageGivenUp)
        return False

    def stop_all(self) -> bool:
        return self._given_up


def _error_of(trial: Any) -> BaseException | None:
    """What Tune wrote down of a trial's end; `trial.get_error` looks where it is not yet."""
    path = trial.pickled_error_file
    if path is None or not Path(path).is_file():
        return None
    return cloudpickle.loads(Path(path).read_bytes())


def describe_error(error: BaseException | None) -> str:
    """What ended one or all trials, in a line."""
    if isinstance(error, OutOfMemoryError):
        return (
            "a node ran out of memory and Ray killed workers there; --max-concurrent lets fewer "
            "trials run at once"
        )
    if error is None or isinstance(error, RayActorError):
        return "the loss of its worker"
    cause = getattr(error, "cause", error)  # without the traceback that Ray puts before it
    return f"{type(cause).__name__}: {cause}".strip()
