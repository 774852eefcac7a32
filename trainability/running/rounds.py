"""Rounds of launches: a study grows while it is still uncertain."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from trainability.events import Event, Events, Finished, Working
from trainability.growth import Growth, record_growth
from trainability.growth.rounds import block_successes, rounds
from trainability.launch import Outcome
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.study import Cell

if TYPE_CHECKING:
    from trainability.launch import Launcher
    from trainability.tracking import Mirror


def launch_rounds(
    name: str,
    cells: Mapping[str, Cell],
    growth: Growth,
    storage: Storage,
    launcher: Launcher,
    events: Events,
    mirror: Mirror,
) -> Outcome:
    """Launch what a study wants, look, and launch what it then wants, until it has enough.

    Args:
        name: The study's name.
        cells: Its cells by id.
        growth: By what rule it grows; without a precision and a level to refine there is one round.
        storage: Where its rows are; gets the rule, and the points that are added to the grid.
        launcher: Runs the rounds.
        events: Told of everything that happens, and so is the mirror.
        mirror: The MLflow mirror, told of a cell when the cell has stopped growing.

    Returns:
        What became of all rounds together; the last one is the one that may have failed.
    """

    def but_finished(event: Event) -> None:
        if not isinstance(event, Finished):
            mirror.on_event(event)

    # A cell that is done may grow, and MLflow can't take a curve back.
    events.subscribe(mirror.on_event if growth.precision is None else but_finished)
    outcome, seen = Outcome(), dict(cells)
    record_growth(name, storage, growth, ())
    successes = partial(block_successes, name, storage)
    for number, part in enumerate(rounds(cells, growth, successes), start=1):
        if part.points:
            record_growth(name, storage, growth, part.points)
        if number > 1:
            networks = sum(part.wanted.values()) * BLOCK_SIZE
            what = f"{len(part.cells)} of {part.n_cells} cells grow, to {networks:,} networks"
            events.emit(Working(what=f"round {number}: {what}"))
        seen |= part.cells
        outcome = outcome.followed_by(launcher.launch(part.cells, part.wanted))
        if outcome.missing or outcome.interrupted:
            # Who is not finished yet may grow; the next command tells.
            seen = {} if outcome.interrupted else _without(seen, part.cells)
            break
    outcome.n_cells = part.n_cells
    for cell in seen.values() if growth.precision is not None else ():
        mirror.cell_done(cell)
    return outcome


def _without(cells: Mapping[str, Cell], others: Mapping[str, Cell]) -> dict[str, Cell]:
    return {id_: cell for id_, cell in cells.items() if id_ not in others}
