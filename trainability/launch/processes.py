"""Trials in processes of this machine: all its cores, without Ray's start and end."""

from __future__ import annotations

import contextlib
import dataclasses
from collections import Counter, deque
from collections.abc import Iterator
from multiprocessing.connection import wait
from typing import Any

from trainability import interrupts
from trainability.errors import StorageError, refuse
from trainability.launch.executor import Executor
from trainability.launch.listener import Listener
from trainability.launch.machine import has_gpu, n_at_once, obstacles
from trainability.launch.nursery import Idle
from trainability.launch.reports import Report, TrialLost, TrialRetried
from trainability.launch.shipping import pickled
from trainability.launch.work import Work
from trainability.launch.worker_processes import Lost, WorkerProcess, WorkerProcesses
from trainability.plan import Slots
from trainability.storage import Storage

_LOOK_EVERY_S = 0.2
_REPORT_EVERY_S = 0.5


class Processes(Executor):
    """Works through trials in processes of this machine; what ends this one ends them."""

    rank = 1
    _processes: WorkerProcesses | None = None

    @property
    def beginning(self) -> str:
        n = n_at_once(self.options)
        line = f"training on this machine, {n} trial{'s' if n > 1 else ''} at a time"
        if has_gpu() and self.options.gpus_per_trial is None and self.options.ray is None:
            line += "; its GPU would not pay for so little work"
        return line

    @contextlib.contextmanager
    def connection(self) -> Iterator[None]:
        refuse(obstacles(self.options))
        if self._processes is not None:
            yield
            return
        self._processes = WorkerProcesses(self.options.threads)
        try:
            yield
        finally:
            self._processes.close()
            self._processes = None

    def ready(self, study: str, storage: Storage) -> contextlib.AbstractContextManager[None]:
        return self.connection()

    def work_through(self, study, cells, missing, storage, token, listener) -> str | None:
        assert self._processes is not None
        slots = Slots(n_at_once(self.options), self.options.threads)
        work = self.plan(
            self.options, study, cells, missing, storage, token, slots, _REPORT_EVERY_S
        )
        # A turn costs next to nothing here: the shorter a trial, the sooner all are at their end.
        work = dataclasses.replace(work, trials=[[unit] for trial in work.trials for unit in trial])
        listener.trials = work.trials
        crew = _Crew(self._processes, work, slots.n, self.options.max_failures)
        try:
            crew.run(listener)
        except Lost as error:
            self._processes = WorkerProcesses(self.options.threads)
            return str(error)
        finally:
            crew.end()
        return None


class _Crew:
    """Workers, and which of the trials they are at."""

    def __init__(self, processes: WorkerProcesses, work: Work, n: int, max_failures: int) -> None:
        self._processes, self._n, self._max_failures = processes, n, max_failures
        self._work = pickled(work)
        self._left = deque(range(len(work.trials)))
        self._workers: list[WorkerProcess] = []
        self._losses: Counter[int] = Counter()

    def run(self, listener: Listener) -> None:
        """Until every trial has come to its end.

        Raises:
            Lost: If no workers can be started any more.
            StorageError: If trials have given up on the storage.
            KeyboardInterrupt: If the end was asked for.
        """
        while self._left or any(worker.trial is not None for worker in self._workers):
            self._assign()
            for report in self._reports():
                listener.hear(report)
                if listener.storage_lost:
                    raise StorageError(listener.storage_lost)
            interrupts.check()
            listener.events.check()
            listener.tick()

    def end(self) -> None:
        """End the workers: in order at their next report, if that comes soon."""
        for worker in self._workers:
            worker.connection.close()
        with contextlib.suppress(Lost):
            for worker in self._workers:
                self._processes.wait(worker)
        self._workers.clear()

    def _assign(self) -> None:
        """Give a trial to every worker that has none, and start workers that are lacking."""
        if not self._processes.is_ready:
            return
        while self._left and len(self._workers) < self._n:
            worker = self._processes.start()
            self._workers.append(worker)
            with contextlib.suppress(OSError):  # it is gone, and is seen to be
                worker.connection.send_bytes(self._work)
            self._give(worker)
        for worker in self._workers:
            if worker.trial is None and self._left:
                self._give(worker)

    def _give(self, worker: WorkerProcess) -> None:
        worker.trial = self._left.popleft()
        with contextlib.suppress(OSError):
            worker.connection.send(worker.trial)

    def _reports(self) -> Iterator[Report]:
        """What has come in; waits for it, but not for long."""
        sources: dict[Any, WorkerProcess] = {each.connection: each for each in self._workers}
        for source in wait([self._processes.control, *sources], _LOOK_EVERY_S):
            worker = sources.get(source)
            if worker is None:
                self._processes.heed()
                continue
            try:
                report = worker.connection.recv()
            except (EOFError, OSError):
                yield from self._lost(worker)
            else:
                if isinstance(report, Idle):
                    worker.trial = None
                else:
                    yield report

    def _lost(self, worker: WorkerProcess) -> Iterator[Report]:
        self._workers.remove(worker)
        worker.connection.close()
        why = f"the loss of its worker, {self._processes.wait(worker)}"
        trial = worker.trial
        if trial is None:
            return
        self._losses[trial] += 1
        if self._losses[trial] <= self._max_failures:
            self._left.appendleft(trial)
            yield TrialRetried(why)
        else:
            yield TrialLost(trial, why)
