"""Trials in this process, by threads: for a study that is done before processes have started.

Also for a larger one that Ray shall not run, on a system where processes can't be forked.

What takes the time, the compiled kernels, runs without Python's lock. The gain is small all the
same: of the headline study's trials, 10.8 s with one thread took 9.4 s with two, on two cores.
"""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
import time
from collections.abc import Iterator, Sequence

from trainability import interrupts
from trainability.checks import counted
from trainability.errors import StorageError, refuse
from trainability.launch.executor import Executor
from trainability.launch.machine import n_at_once, obstacles
from trainability.launch.reports import Report, TrialLost
from trainability.launch.work import Work
from trainability.launch.worker import work_through
from trainability.plan import Slots, Unit
from trainability.storage import Storage

_LOOK_EVERY_S = 0.2
_REPORT_EVERY_S = 0.5
_MOST_THREADS = 8
"""More would wait for Python's lock."""
_SWITCH_S = 5e-4
_END_S = 5.0
"""How long an end waits for threads: a chunk of steps, or a count of the dead."""


class _NoMore(BaseException):
    """Ends a thread whose work nobody wants any more."""


class InProcess(Executor):
    """Works through trials in threads of this process; what is killed leaves nothing running."""

    rank = 0

    @property
    def beginning(self) -> str:
        n = self.n_threads
        return f"training in this process, {counted(n, 'trial')} at a time"

    @property
    def n_threads(self) -> int:
        """Trials that run at once."""
        return min(n_at_once(self.options), _MOST_THREADS)

    @contextlib.contextmanager
    def connection(self) -> Iterator[None]:
        refuse(obstacles(self.options))
        yield

    def ready(self, study: str, storage: Storage) -> contextlib.AbstractContextManager[None]:
        return self.connection()

    def work_through(self, study, cells, missing, storage, token, listener) -> str | None:
        slots = Slots(self.n_threads, self.options.threads)
        work = self.plan(
            self.options, study, cells, missing, storage, token, slots, _REPORT_EVERY_S
        )
        listener.trials = work.trials
        with _shared_by_threads(self.options.threads):
            threads = _Threads(work, self.n_threads)
            try:
                while (report := threads.next_report()) is not None:
                    if not isinstance(report, _Nothing):
                        listener.hear(report)
                    if listener.storage_lost:
                        raise StorageError(listener.storage_lost)
                    interrupts.check()
                    listener.events.check()
                    listener.tick()
            finally:
                threads.end()
        return None


class _Nothing:
    """No report came."""


class _Threads:
    """Some threads that take the next trial until none is left.

    They are daemons: a user's code that hangs does not keep the interpreter from ending.
    """

    def __init__(self, work: Work, n: int) -> None:
        self._work = work
        self._trials = iter(list(enumerate(work.trials)))
        self._reports: queue.SimpleQueue[Report | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"trials-{number}", daemon=True)
            for number in range(min(n, len(work.trials)))
        ]
        self._running = len(self._threads)
        for thread in self._threads:
            thread.start()

    def report(self, report: Report) -> None:
        self.check()
        self._reports.put(report)

    def check(self) -> None:
        if self._stop.is_set():
            raise _NoMore

    def next_report(self) -> Report | _Nothing | None:
        """The next report, `_Nothing` if there is none yet, None when all trials have ended."""
        while self._running:
            try:
                report = self._reports.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                return _Nothing()
            if report is not None:
                return report
            self._running -= 1
        return None

    def end(self) -> None:
        """Let the threads end, and wait for them for a while."""
        self._stop.set()
        end = time.monotonic() + _END_S
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _run(self) -> None:
        try:
            # One step of an iterator over a list: no other thread comes between.
            for number, units in self._trials:
                self._run_trial(number, units)
        except _NoMore:
            pass
        finally:
            self._reports.put(None)

    def _run_trial(self, number: int, units: Sequence[Unit]) -> None:
        try:
            work_through(units, self._work, self)
        except StorageError:
            self._stop.set()  # reported already
        except Exception as error:  # ours: what a unit raises is dealt with inside
            self.report(TrialLost(number, f"{type(error).__name__}: {error}"))


@contextlib.contextmanager
def _shared_by_threads(n_torch: int) -> Iterator[None]:
    """Settings of the whole process with which several trials get on; put back afterwards.

    torch gets a trial's threads: its own, one per core for each trial, would burn the cores while
    they wait for each other. A thread that wants Python's lock gets it sooner, else a trial would
    wait after each call of its kernel for as long as MLflow's thread likes to compute.
    """
    import torch

    before = torch.get_num_threads(), sys.getswitchinterval()
    torch.set_num_threads(n_torch)
    sys.setswitchinterval(_SWITCH_S)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        sys.setswitchinterval(before[1])
