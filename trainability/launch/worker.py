"""What a Ray Tune trial does: work through its units, store each, report each."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd
import torch
from ray import tune

from trainability.errors import StorageError
from trainability.launch.cluster import require_token
from trainability.plan import Unit, runs
from trainability.storage import Storage
from trainability.study.cell import Cell
from trainability.trial import Runtime, run_trial

_Result = TypeVar("_Result")
_OUT_OF_MEMORY = (torch.cuda.OutOfMemoryError, MemoryError)
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True)
class Work:
    """What all trials of a study share; travels to the workers once.

    Args:
        study: The study's name.
        cells: Its cells by id.
        trials: The units of every trial.
        storage: Where rows go.
        token: A file there that the driver has written.
        runtime: Device, engine, threads.
        gpu_share: Share of the GPU's memory that a trial may take; 0 without a GPU.
        report_every_s: Seconds between two reports of progress.
        storage_patience_s: How long to wait for a storage that can't be written, in seconds.
    """

    study: str
    cells: Mapping[str, Cell]
    trials: Sequence[Sequence[Unit]]
    storage: Storage
    token: str
    runtime: Runtime
    gpu_share: float
    report_every_s: float
    storage_patience_s: float


def work_through(config: dict[str, Any], work: Work) -> None:
    """Run and store the units of trial `config["trial"]` that are not on storage yet.

    A unit that raises is reported and does not stop the others. Reports carry the unit's `cell`,
    `first` and `last` block and an `event`: `started`, with the time `at` which it did, `progress`
    and `done` with the `network_steps` since the last report, and with `why` also `waiting` (for
    storage), `failed` and `given_up`, which ends the study.

    Raises:
        StorageError: If the storage can't be written for longer than the patience.
    """
    # How long the process, if another trial is to use it, waits for this one's thread to end.
    os.environ.setdefault("TUNE_FUNCTION_THREAD_TIMEOUT_S", "60")
    if work.runtime.device == "cuda" and work.gpu_share < 1:
        torch.cuda.set_per_process_memory_fraction(work.gpu_share)
    fitting: dict[str, int] = {}
    for unit in work.trials[config["trial"]]:
        where = {"cell": unit.cell, "first": unit.first, "last": unit.last}
        try:
            _run_unit(unit, work, where, fitting)
        except StorageError as error:
            tune.report({"event": "given_up", **where, "why": str(error)})
            raise
        except Exception as error:  # whatever a user's scheme may raise
            trace = "".join(traceback.format_exception(error))
            why = f"{type(error).__name__}: {error}"
            tune.report({"event": "failed", **where, "why": why, "traceback": trace})
            if work.runtime.device != "cpu":
                torch.cuda.synchronize()  # raises, and ends this process, where a GPU is lost to it


def _run_unit(unit: Unit, work: Work, where: dict[str, Any], fitting: dict[str, int]) -> None:
    """Run what storage lacks of a unit.

    Args:
        unit: What to run.
        work: The rest of what there is to know.
        where: The unit, as reports name it.
        fitting: How many blocks of a cell fit into memory, if fewer than asked for; learned here.
    """
    stored = _patiently(work, where, lambda: _blocks_there(unit, work))
    lacking = runs([block for block in unit.blocks if block not in stored])
    if lacking:
        tune.report({"event": "started", **where, "network_steps": 0, "at": time.time()})
    reporter = _Reporter(where, work.report_every_s)
    parts = [Unit(unit.cell, run[0], run[-1]) for run in reversed(lacking)]
    while parts:
        part = parts.pop()
        half = -(-len(part.blocks) // 2)
        if len(part.blocks) > fitting.get(unit.cell, len(part.blocks)):
            middle = part.first + half
            parts += [Unit(unit.cell, middle, part.last), Unit(unit.cell, part.first, middle - 1)]
            continue
        try:
            rows, provenance = run_trial(
                work.study, work.cells[unit.cell], part.blocks, work.runtime, reporter
            )
        except _OUT_OF_MEMORY:
            if half == len(part.blocks):
                raise
            fitting[unit.cell] = half
            parts.append(part)
        else:
            _store(rows, provenance, work, where)
        if fitting and work.runtime.device != "cpu":
            torch.cuda.empty_cache()
    tune.report({"event": "done", **where, "network_steps": reporter.steps})


def _blocks_there(unit: Unit, work: Work) -> set[int]:
    require_token(work.storage, work.token)
    stored = work.storage.block_files(work.study, [unit.cell], within=unit.blocks)
    return {block for file in stored for block in file.blocks}


def _store(
    rows: pd.DataFrame, provenance: dict[str, str], work: Work, where: dict[str, Any]
) -> None:
    finished = {"finished_at": f"{time.time():.3f}", "host": os.uname().nodename}

    def write() -> None:
        # Where a storage was mounted there may be an empty folder now.
        require_token(work.storage, work.token)
        work.storage.write_rows(work.study, rows, provenance | finished)

    _patiently(work, where, write)


def _patiently(work: Work, where: dict[str, Any], action: Callable[[], _Result]) -> _Result:
    """Do something with the storage, and wait while it is full or gone.

    Raises:
        StorageError: If it still is when the patience ends.
    """
    pause = _FIRST_PAUSE_S
    end = time.monotonic() + work.storage_patience_s
    while True:
        try:
            return action()
        except StorageError as error:
            if time.monotonic() + pause > end:
                raise
            tune.report({"event": "waiting", **where, "why": str(error)})
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)


class _Reporter:
    """Adds up network-steps and reports them now and then, so that the driver is not flooded."""

    def __init__(self, where: dict[str, Any], every_s: float) -> None:
        self.steps = 0
        self._where, self._every_s = where, every_s
        self._last = time.monotonic()

    def __call__(self, steps: int) -> None:
        self.steps += steps
        if time.monotonic() - self._last >= self._every_s:
            tune.report({"event": "progress", **self._where, "network_steps": self.steps})
            self.steps = 0
            self._last = time.monotonic()
