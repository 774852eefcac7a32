"""From a study to its rows on storage: launches, in rounds where it grows while it is uncertain."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from trainability.checks import counted
from trainability.events import Event, Events, Finished, Noted, Working
from trainability.growth import record_growth
from trainability.growth.planning import planned
from trainability.growth.rounds import block_successes, rounds
from trainability.launch import Launcher, Outcome
from trainability.provenance import describe_environment
from trainability.running.live import load_early
from trainability.running.stopping import running, stoppable
from trainability.seeds import BLOCK_SIZE
from trainability.stored import declare

if TYPE_CHECKING:
    from trainability.running.job import Job
    from trainability.study import Cell
    from trainability.tracking import Mirror


def execute(
    job: Job,
    cells: Mapping[str, Cell],
    events: Events,
    mirror: Mirror,
    end: contextlib.ExitStack,
) -> Outcome:
    """Launch what a study wants, look, and launch what it then wants, until it has enough.

    Args:
        job: What is run. Its storage gets rows, and beside them what is declared, where it ran, how
            it grows, and that it runs.
        cells: The study's cells by id.
        events: Told of everything that happens, and so is the mirror.
        mirror: The MLflow mirror, told of a cell when the cell has stopped growing.
        end: Gets what lasts until the run has ended.

    Returns:
        What became of all rounds together; the last one is the one that may have failed.

    Raises:
        InputError: If the study can't be worked on; nothing is written then.
    """
    name, storage, growth = job.study.name, job.storage, job.growth

    def but_finished(event: Event) -> None:
        if not isinstance(event, Finished):
            mirror.on_event(event)

    # A cell that is done may grow, and MLflow can't take a curve back.
    events.subscribe(mirror.on_event if growth.precision is None else but_finished)
    tell = mirror.cell_done if growth.precision is not None else lambda _: None
    outcome = Outcome()
    last: Mapping[str, Cell] = {}
    with Launcher(name, storage, job.options, events) as launcher:
        # Whoever refuses the first round that lacks anything does so before all writing.
        plan = planned(job.study, storage, growth)
        launcher.prepare(plan.cells, {id_: n + plan.missing[id_] for id_, n in plan.stored.items()})
        load_early()
        for line in declare(job.study, cells, storage):
            events.emit(Noted(text=line))
        storage.write_record(name, "provenance", json.dumps(describe_environment(), indent=2))
        record_growth(name, storage, growth, ())
        for run in running(name, storage):
            heading, then = "runs already:", "both train"
            if not run.is_seen:
                heading, then = "may run already:", "if so, both train"
            text = f"{run}; {then} what is missing, and no network counts twice"
            events.emit(Noted(heading=heading, text=text))
        end.enter_context(stoppable(name, storage, events))
        successes = partial(block_successes, name, storage)
        for number, part in enumerate(rounds(cells, growth, successes), start=1):
            for cell in last.values():
                if cell.id not in part.cells:
                    tell(cell)
            if part.points:
                record_growth(name, storage, growth, part.points)
            if number > 1:
                networks = sum(part.wanted.values()) * BLOCK_SIZE
                cells_grow = f"{len(part.cells)} of {counted(part.n_cells, 'cell')} grow"
                what = f"{cells_grow}, to {networks:,} networks"
                events.emit(Working(what=f"round {number}: {what}"))
            launched = launcher.launch(part.cells, part.wanted)
            outcome = replace(outcome.followed_by(launched), n_cells=part.n_cells)
            last = part.cells
            if launched.missing or launched.interrupted:
                return outcome  # whoever is not finished yet may grow; the next command tells
    for cell in last.values():
        tell(cell)
    return outcome
