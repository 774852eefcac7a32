"""What trials report, as events and a list of failures."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Mapping, Sequence

from trainability.events import Events, Failed, Finished, Progressed, Retried, Started, Waiting
from trainability.launch.reports import (
    Report,
    StorageAwaited,
    StorageGivenUp,
    TrialLost,
    TrialRetried,
    TrialsStalled,
    UnitAdvanced,
    UnitDone,
    UnitFailed,
    UnitStarted,
)
from trainability.plan import Unit
from trainability.seeds import BLOCK_SIZE
from trainability.study.cell import Cell

_TICK_S = 1.0
"""Seconds between two events of progress while no block is stored."""


class Listener:
    """Hears what trials report; hearing it twice changes nothing but the speed shown.

    Args:
        missing: Blocks that storage lacks, per cell id.
        cells: The cells by id.
        n_networks: Networks that are wanted, those on storage included.
        events: Told what happens.
    """

    def __init__(
        self,
        missing: Mapping[str, Sequence[int]],
        cells: Mapping[str, Cell],
        n_networks: int,
        events: Events,
    ) -> None:
        self.failures: dict[str, Failed] = {}
        self.storage_lost: str | None = None
        self.trials: Sequence[Sequence[Unit]] = []
        self.events = events
        self._left = {cell: set(blocks) for cell, blocks in missing.items()}
        self._cells = cells
        before = n_networks - sum(map(len, missing.values())) * BLOCK_SIZE
        self._progress = Progressed(
            cells=sum(not blocks for blocks in missing.values()),
            n_cells=len(cells),
            networks=before,
            n_networks=n_networks,
            networks_before=before,
            network_steps=0,
            seconds=0.0,
        )
        self._begun = self._ticked = time.monotonic()

    def hear(self, report: Report) -> None:
        """React to one report."""
        match report:
            case UnitStarted(unit, at, node):
                self.events.emit(Started(cell=self._cells[unit.cell], at=at, node=node))
            case UnitAdvanced(_, steps):
                self._advance(steps)
                self.tick()
            case UnitDone(unit, steps):
                self._advance(steps)
                self._done(unit.cell, unit.blocks)
            case UnitFailed(unit, error_type, text, traceback, node):
                self._failed(
                    Failed(
                        cell=self._cells[unit.cell],
                        error_type=error_type,
                        text=text,
                        traceback=traceback,
                        node=node,
                    )
                )
            case TrialLost(trial, why):
                for cell in dict.fromkeys(unit.cell for unit in self.trials[trial]):
                    if self._left[cell]:
                        self._failed(Failed(cell=self._cells[cell], error_type=None, text=why))
            case TrialRetried(why):
                self.events.emit(Retried(why=why))
            case StorageAwaited(why):
                self.events.emit(Waiting(why=why))
            case StorageGivenUp(why):
                self.storage_lost = why
            case TrialsStalled(seconds):
                why = (
                    f"no trial has run for {seconds:.0f} s; the cluster has no node left that one "
                    "fits on, others use it, or workers are slow to start"
                )
                self.events.emit(Waiting(why=why))

    def tick(self) -> None:
        """Tell how far it is, if that was not told a second ago and there is more to come."""
        if any(self._left.values()) and time.monotonic() - self._ticked >= _TICK_S:
            self.tell()

    def tell(self) -> None:
        """Tell how far it is."""
        self._ticked = time.monotonic()
        self.events.emit(self._now(seconds=self._ticked - self._begun, at=time.time()))

    def settle(self, missing: Mapping[str, Sequence[int]]) -> None:
        """What storage holds is done, also where the report of it was lost."""
        for cell, left in self._left.items():
            self._done(cell, left.difference(missing[cell]))

    def _now(self, **changes) -> Progressed:
        self._progress = dataclasses.replace(self._progress, **changes)
        return self._progress

    def _advance(self, steps: int) -> None:
        self._now(network_steps=self._progress.network_steps + steps)

    def _failed(self, event: Failed) -> None:
        self.failures[event.cell.id] = event
        self.events.emit(event)

    def _done(self, cell: str, blocks: Iterable[int]) -> None:
        fresh = self._left[cell].intersection(blocks)
        if not fresh:
            return
        self._left[cell] -= fresh
        whole = not self._left[cell]
        self._now(
            networks=self._progress.networks + len(fresh) * BLOCK_SIZE,
            cells=self._progress.cells + whole,
        )
        if whole:
            self.failures.pop(cell, None)
            self.events.emit(Finished(cell=self._cells[cell]))
        self.tell()
