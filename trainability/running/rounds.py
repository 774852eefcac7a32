"""Launches one after the other: in rounds, where a study grows while it is still uncertain."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from trainability import interrupts
from trainability.events import Event, Events, Finished, Noted, Working
from trainability.growth import Growth
from trainability.growth.rounds import rounds
from trainability.launch import Options, Outcome, choose_executor, launch, operations
from trainability.plan import missing_blocks
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.study import Cell, Study

if TYPE_CHECKING:
    from trainability.launch import Executor
    from trainability.tracking import Mirror


class Launcher:
    """Launches of one study, which share what they run on; to be used as a context.

    Args:
        name: The study's name.
        storage: Where its rows are.
        options: Runtime options.
        events: Told of everything that happens.
        work: Operations of all launches together, if that is known; else each launch counts alone.
    """

    def __init__(
        self,
        name: str,
        storage: Storage,
        options: Options,
        events: Events,
        work: float | None = None,
    ) -> None:
        self._name, self._storage, self._options = name, storage, options
        self._events, self._work = events, work
        self._connection = contextlib.ExitStack()
        self._executor: Executor | None = None

    def __enter__(self) -> Launcher:
        return self

    def __exit__(self, *error) -> None:
        self._connection.__exit__(*error)

    def prepare(self, cells: Mapping[str, Cell], wanted: Mapping[str, int]) -> None:
        """Have somebody ready to run what storage lacks of some cells; writes nothing.

        Raises:
            InputError: If the study can't be worked on with these options.
        """
        files = self._storage.block_files(self._name, cells)
        lacking = {cell: len(b) for cell, b in missing_blocks(wanted, files).items() if b}
        if lacking:
            self._have_ready(self._work or operations(cells, lacking))
        interrupts.check()

    def get_ready(self) -> None:
        """Have somebody ready for work of which some is known to be missing."""
        self._have_ready(self._work or 0.0)
        interrupts.check()

    def launch(self, cells: Mapping[str, Cell], wanted: Mapping[str, int]) -> Outcome:
        """Run what storage lacks of some cells; see `launch.launch`."""
        self.prepare(cells, wanted)
        # Where nothing seems to be lacking a file may still be damaged.
        executor = self._executor or choose_executor(self._options, self._work or 0.0)
        outcome = launch(self._name, cells, wanted, self._storage, executor, self._events)
        for path in outcome.damaged:
            self._events.emit(Noted(heading="damaged, set aside and run again:", text=path))
        return outcome

    def _have_ready(self, work: float) -> None:
        """Start whoever is for so much work, unless somebody who is runs already."""
        executor = choose_executor(self._options, work)
        if self._executor is None or executor.rank > self._executor.rank:
            self._events.emit(Working(what=executor.beginning))
            self._connection.enter_context(executor.ready(self._name, self._storage))
            self._executor = executor


def launch_rounds(
    study: Study,
    growth: Growth,
    storage: Storage,
    launcher: Launcher,
    events: Events,
    mirror: Mirror,
    declare: Callable[[], None],
) -> Outcome:
    """Launch what a study wants, look, and launch what it then wants, until it has enough.

    Args:
        study: The study.
        growth: By what rule it grows; without a precision and a level to refine there is one round.
        storage: Where its rows are.
        launcher: Runs the rounds.
        events: Told of everything that happens, and so is the mirror.
        mirror: The MLflow mirror, told of a cell when the cell has stopped growing.
        declare: Called once, before anything else is written: whoever runs the trials is ready by
            then and can work on the study.

    Returns:
        What became of all rounds together; the last one is the one that may have failed.
    """
    total = Outcome()
    grown = _UntilGrown(mirror)
    events.subscribe(mirror.on_event if growth.precision is None else grown.on_event)
    for number, part in enumerate(rounds(study, storage, growth), start=1):
        if number > 1:
            networks = sum(part.wanted.values()) * BLOCK_SIZE
            what = f"{len(part.cells)} of {part.n_cells} cells grow, to {networks:,} networks"
            events.emit(Working(what=f"round {number}: {what}"))
        if number == 1:
            launcher.prepare(part.cells, part.wanted)
            declare()
        outcome = launcher.launch(part.cells, part.wanted)
        total.networks += outcome.networks
        total.damaged += outcome.damaged
        total.missing, total.failures = outcome.missing, outcome.failures
        total.interrupted = outcome.interrupted
        if outcome.missing or outcome.interrupted:
            # Who is not finished yet may grow; the next command tells.
            grown.forget(grown.done if outcome.interrupted else part.cells)
            break
    for cell in grown.done.values():
        mirror.cell_done(cell)
    return total


class _UntilGrown:
    """Keeps back that cells are done: they may grow, and MLflow can't take a curve back."""

    def __init__(self, mirror: Mirror) -> None:
        self.done: dict[str, Cell] = {}
        self._mirror = mirror

    def on_event(self, event: Event) -> None:
        if isinstance(event, Finished):
            self.done[event.cell.id] = event.cell
        else:
            self._mirror.on_event(event)

    def forget(self, cells: Iterable[str]) -> None:
        for cell in list(cells):
            self.done.pop(cell, None)
