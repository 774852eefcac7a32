"""A launch in rounds: a study that grows where it is still uncertain."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import cast

from rich.console import Console

from trainability import interrupts
from trainability.growth import Growth, Round, rounds
from trainability.launch import Options, Outcome, launch, ready
from trainability.plan import missing_blocks
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.study import Cell, Study
from trainability.tracking import Mirror


def launch_rounds(
    study: Study,
    place: Storage,
    growth: Growth,
    mirror: Mirror,
    options: Options,
    console: Console,
    declare: Callable[[], None],
) -> Outcome:
    """Launch what a study wants, look, and launch what it then wants, until it has enough.

    Args:
        study: The study.
        place: Where its rows are.
        growth: By what rule it grows; without a precision and a level to refine there is one round.
        mirror: The MLflow mirror; is told of a cell when the cell has stopped growing.
        options: Runtime options.
        console: For progress.
        declare: Called once, before anything else is written: the cluster, if one is needed, is
            reached by then and can work on the study.

    Returns:
        What became of all rounds together; the last one is the one that may have failed.
    """
    total = Outcome()
    waiting = _Waiting(mirror)
    told = mirror if growth.precision is None else cast(Mirror, waiting)
    with contextlib.ExitStack() as connection:
        for number, part in enumerate(rounds(study, place, growth), start=1):
            if number > 1:
                networks = sum(part.wanted.values()) * BLOCK_SIZE
                console.print(
                    f"round {number}: {len(part.cells)} of {part.n_cells} cells grow, to "
                    f"{networks:,} networks"
                )
            if _lacks(study, place, part):
                connection.enter_context(ready(study.name, place, options))  # kept to the end
            if number == 1:
                interrupts.check()
                declare()
            outcome = launch(study.name, part.cells, part.wanted, place, told, options, console)
            total.networks += outcome.networks
            total.damaged += outcome.damaged
            total.missing, total.failures = outcome.missing, outcome.failures
            total.interrupted = outcome.interrupted
            if outcome.missing or outcome.interrupted:
                # Who is not finished yet may grow; the next command tells.
                waiting.forget(waiting.done if outcome.interrupted else part.cells)
                break
    for cell in waiting.done.values():
        mirror.cell_done(cell)
    return total


def _lacks(study: Study, place: Storage, part: Round) -> bool:
    """Whether storage lacks anything that a round wants."""
    files = place.block_files(study.name, part.cells)
    return any(missing_blocks(part.wanted, files).values())


class _Waiting:
    """Keeps back that cells are done: they may grow, and MLflow can't take a curve back."""

    def __init__(self, mirror: Mirror) -> None:
        self.done: dict[str, Cell] = {}
        self.cell_started = mirror.cell_started
        self.cell_failed = mirror.cell_failed

    def cell_done(self, cell: Cell) -> None:
        self.done[cell.id] = cell

    def forget(self, cells: Iterable[str]) -> None:
        for cell in list(cells):
            self.done.pop(cell, None)
