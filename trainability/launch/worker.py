"""What a trial does, wherever it runs: work through its units, store each, report each."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import pandas as pd
import torch

from trainability.errors import StorageError
from trainability.launch.reports import (
    Report,
    StorageAwaited,
    StorageGivenUp,
    UnitAdvanced,
    UnitDone,
    UnitFailed,
    UnitStarted,
)
from trainability.launch.token import require_token
from trainability.launch.work import Work
from trainability.plan import Unit, runs
from trainability.trial import run_trial

_Result = TypeVar("_Result")
_OUT_OF_MEMORY = (torch.cuda.OutOfMemoryError, MemoryError)
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_LOOK_EVERY_S = 0.2


class Driver(Protocol):
    """What a trial knows of its driver."""

    def report(self, report: Report) -> None:
        """Tell the driver."""

    def check(self) -> None:
        """Raise where the driver wants no more; called about twice a second."""


def work_through(units: Sequence[Unit], work: Work, driver: Driver) -> None:
    """Run and store units that are not on storage yet.

    A unit that raises is reported and does not stop the others.

    Raises:
        StorageError: If the storage can't be written for longer than the patience.
    """
    if work.runtime.device == "cuda" and work.gpu_share < 1:
        torch.cuda.set_per_process_memory_fraction(work.gpu_share)
    fitting: dict[str, int] = {}
    for unit in units:
        driver.check()
        try:
            _run_unit(unit, work, driver, fitting)
        except StorageError as error:
            driver.report(StorageGivenUp(str(error)))
            raise
        except Exception as error:  # whatever a user's scheme may raise
            trace = "".join(traceback.format_exception(error))
            driver.report(UnitFailed(unit, type(error).__name__, str(error), trace, _node()))
            if work.runtime.device != "cpu":
                torch.cuda.synchronize()  # raises, and ends this process, where a GPU is lost to it


def _run_unit(unit: Unit, work: Work, driver: Driver, fitting: dict[str, int]) -> None:
    """Run what storage lacks of a unit.

    Args:
        unit: What to run.
        work: The rest of what there is to know.
        driver: Who gets the reports.
        fitting: How many blocks of a cell fit into memory, if fewer than asked for; learned here.
    """
    stored = _patiently(work, driver, lambda: _stored_blocks(unit, work))
    lacking = runs([block for block in unit.blocks if block not in stored])
    if lacking:
        driver.report(UnitStarted(unit, time.time(), _node()))
    progress = _Progress(unit, driver, work.report_every_s)
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
                work.study, work.cells[unit.cell], part.blocks, work.runtime, progress
            )
        except _OUT_OF_MEMORY:
            if half == len(part.blocks):
                raise
            fitting[unit.cell] = half
            parts.append(part)
        else:
            _store(rows, provenance, work, driver)
        if fitting and work.runtime.device != "cpu":
            torch.cuda.empty_cache()
    driver.report(UnitDone(unit, progress.steps))


def _stored_blocks(unit: Unit, work: Work) -> set[int]:
    require_token(work.storage, work.token)
    stored = work.storage.block_files(work.study, [unit.cell], within=unit.blocks)
    return {block for file in stored for block in file.blocks}


def _store(rows: pd.DataFrame, provenance: dict[str, str], work: Work, driver: Driver) -> None:
    finished = {"finished_at": f"{time.time():.3f}", "host": _node()}

    def write() -> None:
        # Where a storage was mounted there may be an empty folder now.
        require_token(work.storage, work.token)
        work.storage.write_rows(work.study, rows, provenance | finished)

    _patiently(work, driver, write)


def _patiently(work: Work, driver: Driver, action: Callable[[], _Result]) -> _Result:
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
            driver.report(StorageAwaited(str(error)))
        _pause(pause, driver)
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def _pause(seconds: float, driver: Driver) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        driver.check()
        time.sleep(min(left, _LOOK_EVERY_S))


def _node() -> str:
    return os.uname().nodename


class _Progress:
    """Adds up network-steps and reports them now and then, so that the driver is not flooded."""

    def __init__(self, unit: Unit, driver: Driver, every_s: float) -> None:
        self.steps = 0
        self._unit, self._driver, self._every_s = unit, driver, every_s
        self._last = time.monotonic()

    def __call__(self, steps: int) -> None:
        self._driver.check()
        self.steps += steps
        if time.monotonic() - self._last >= self._every_s:
            self._driver.report(UnitAdvanced(self._unit, self.steps))
            self.steps = 0
            self._last = time.monotonic()
