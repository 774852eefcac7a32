"""What trials report, as progress, MLflow runs and a list of failures."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ray import cloudpickle, tune
from ray.exceptions import OutOfMemoryError, RayActorError
from ray.util.client import ray as ray_client
from ray.util.queue import Queue

from trainability import interrupts
from trainability.launch.progress import ProgressDisplay
from trainability.plan import Unit
from trainability.seeds import BLOCK_SIZE
from trainability.study.cell import Cell
from trainability.tracking import Mirror

_LOOK_EVERY_S = 5.0
_DRAIN_S = 10.0
_STALLED_S = 60.0
"""Longer than a worker takes to start."""


class Listener:
    """Hears what trials report; hearing it twice changes nothing but the speed shown.

    Args:
        missing: Blocks that storage lacks, per cell id.
        cells: The cells by id.
        mirror: Told of every cell that starts or is whole.
        display: Shows progress.
    """

    def __init__(
        self,
        missing: Mapping[str, Sequence[int]],
        cells: Mapping[str, Cell],
        mirror: Mirror,
        display: ProgressDisplay,
    ) -> None:
        self.failures: dict[str, str] = {}
        self.tracebacks: dict[str, str] = {}
        self.storage_lost: str | None = None
        self._left = {cell: set(blocks) for cell, blocks in missing.items()}
        self._cells, self._mirror, self._display = cells, mirror, display

    def heard(self, report: Mapping[str, Any]) -> None:
        """React to one report of a trial; see `worker.work_through`."""
        cell, event = report["cell"], report["event"]
        if event == "waiting":
            self.waiting(report["why"])
        elif event == "given_up":
            self.storage_lost = report["why"]
        elif event == "failed":
            self.failures[cell] = report["why"]
            self.tracebacks[cell] = report["traceback"]
            self._display.note(f"failed: {self._cells[cell]}: {report['why']}")
        elif event == "started":
            self._mirror.cell_started(self._cells[cell], report["at"])
        else:
            self._advance(report)

    def waiting(self, why: str) -> None:
        """Nothing goes on until something changes."""
        self._display.note(f"waiting: {why}")

    def settle(self, missing: Mapping[str, Sequence[int]]) -> None:
        """What storage holds is done, also where the report of it was lost."""
        for cell, left in self._left.items():
            self._done(cell, left.difference(missing[cell]))

    def retried(self, error: str) -> None:
        """One or all trials ended with work undone and start again."""
        self._display.note(f"starting again what was lost after {error}")

    def stalled(self, seconds: float) -> None:
        """No trial has run for some time."""
        self.waiting(
            f"no trial has run for {seconds:.0f} s; the cluster has no node left that one fits on, "
            "others use it, or workers are slow to start"
        )

    def lost(self, units: Sequence[Unit], error: str) -> None:
        """A trial ended for good with work undone."""
        for unit in units:
            if self._left[unit.cell]:
                self.failures[unit.cell] = error

    def _advance(self, report: Mapping[str, Any]) -> None:
        self._display.advance(network_steps=report["network_steps"])
        if report["event"] == "done":
            self._done(report["cell"], range(report["first"], report["last"] + 1))

    def _done(self, cell: str, blocks: Iterable[int]) -> None:
        fresh = self._left[cell].intersection(blocks)
        if not fresh:
            return
        self._left[cell] -= fresh
        whole = not self._left[cell]
        self._display.advance(networks=len(fresh) * BLOCK_SIZE, cells=int(whole))
        if whole:
            self.failures.pop(cell, None)
            self._mirror.cell_done(self._cells[cell])


@contextlib.contextmanager
def forwarding(listener: Listener, trials: Sequence[Sequence[Unit]]) -> Iterator[Forward]:
    """A callback for Tune that tells a listener of this process, wherever Tune itself runs."""

    def hear(kind: str, *what: Any) -> None:
        if kind == "heard":
            listener.heard(*what)
        elif kind == "retried":
            listener.retried(*what)
        elif kind == "stalled":
            listener.stalled(*what)
        else:
            trial, error = what
            listener.lost(trials[trial], error)

    if not ray_client.is_connected():
        # Found by key, since Tune pickles callbacks.
        key = uuid.uuid4().hex
        _HERE[key] = hear
        try:
            yield Forward(partial(_tell, key))
        finally:
            del _HERE[key]
        return
    queue = Queue(actor_options={"num_cpus": 0})

    def drain() -> None:
        while (message := queue.get()) is not None:
            hear(*message)

    thread = threading.Thread(target=drain, name="reports", daemon=True)
    thread.start()
    try:
        yield Forward(partial(_put, queue))
        queue.put(None)
        thread.join(_DRAIN_S)
    finally:
        queue.shutdown()


_HERE: dict[str, Callable[..., None]] = {}


def _tell(key: str, *message: Any) -> None:
    _HERE[key](*message)


def _put(queue: Queue, *message: Any) -> None:
    queue.put(message)


class Forward(tune.Callback):
    """Hands on what Tune hears."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell

    def setup(self, **info) -> None:
        # Where Tune runs, which may be another machine with another clock.
        self._looked = self._ran = time.monotonic()

    def on_step_begin(self, iteration, trials, **info) -> None:
        interrupts.check()  # between two steps of Tune, where nothing is half done
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY_S:
            return
        self._looked = now
        if any(trial.status == trial.RUNNING for trial in trials):
            self._ran = now
        elif now - self._ran > _STALLED_S:
            self._tell("stalled", _STALLED_S)

    def on_trial_result(self, iteration, trials, trial, result, **info) -> None:
        if "event" in result:
            known = (
                "event", "cell", "first", "last", "network_steps", "why", "traceback", "at",
            )  # fmt: skip
            self._tell("heard", {name: result[name] for name in known if name in result})

    def on_trial_recover(self, iteration, trials, trial, **info) -> None:
        self._tell("retried", describe_error(_error_of(trial)))

    def on_trial_error(self, iteration, trials, trial, **info) -> None:
        self._tell("lost", trial.config["trial"], describe_error(_error_of(trial)))


class GivenUp(tune.Stopper):
    """Ends the study when a trial has given up on the storage."""

    def __init__(self) -> None:
        self._given_up = False

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        self._given_up = self._given_up or result.get("event") == "given_up"
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
