"""What a Ray Tune trial does: work through its units, store each, report each."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ray import tune

from trainability.plan import Unit
from trainability.storage import Storage
from trainability.study.cell import Cell
from trainability.trial import Runtime, run_trial

_REPORT_EVERY_S = 1.0


@dataclass(frozen=True)
class Work:
    """What all trials of a study share; travels to the workers once."""

    study: str
    cells: Mapping[str, Cell]
    storage: Storage
    runtime: Runtime


def work_through(config: dict[str, Any], work: Work) -> None:
    """Run and store the units in `config["units"]` that are not on storage yet.

    A unit that raises is reported and does not stop the others. Reports carry `event`
    (`started`, `progress`, `done`, `failed`), the unit's cell, first and last block.
    """
    for unit in [Unit(*entry) for entry in config["units"]]:
        where = {"cell": unit.cell, "first": unit.first, "last": unit.last}
        try:
            _run_unit(unit, work, where)
        except Exception as error:  # whatever a user's scheme or the storage may raise
            trace = "".join(traceback.format_exception(error))
            tune.report(
                {"event": "failed", **where, "why": f"{type(error).__name__}: {error}"}
                | {"traceback": trace}
            )


def _run_unit(unit: Unit, work: Work, where: dict[str, Any]) -> None:
    stored = work.storage.block_files(work.study, [unit.cell])
    there = {block for file in stored for block in file.blocks}
    if there.issuperset(unit.blocks):
        # A trial that starts again after its worker was lost finds what it had finished.
        tune.report({"event": "done", **where, "network_steps": 0})
        return
    tune.report({"event": "started", **where, "network_steps": 0})
    reporter = _Reporter(where)
    rows, provenance = run_trial(
        work.study, work.cells[unit.cell], unit.blocks, work.runtime, reporter
    )
    finished = {"finished_at": f"{time.time():.3f}", "host": os.uname().nodename}
    work.storage.write_rows(work.study, rows, provenance | finished)
    tune.report({"event": "done", **where, "network_steps": reporter.steps})


class _Reporter:
    """Adds up network-steps and reports them once a second, so that the driver is not flooded."""

    def __init__(self, where: dict[str, Any]) -> None:
        self.steps = 0
        self._where = where
        self._last = time.monotonic()

    def __call__(self, steps: int) -> None:
        self.steps += steps
        if time.monotonic() - self._last >= _REPORT_EVERY_S:
            tune.report({"event": "progress", **self._where, "network_steps": self.steps})
            self.steps = 0
            self._last = time.monotonic()
