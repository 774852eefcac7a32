"""The loop around the search: train a batch, look, ask for the next; all truth on storage.

A batch is written down before it is trained, so that a search that was cut short goes on with the
very same one, on any machine. What its networks did is in their cells' blocks, as for a study.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from trainability.analysis.expected import expected_trainability
from trainability.checks import counted
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.study import Cell
from trainability.study.widths import Width
from trainability.theory import born_dead_probability
from trainability.tuning.declaration import Tuning
from trainability.tuning.finalists import finalists, recommended
from trainability.tuning.objectives import Outcomes
from trainability.tuning.prior import predicted_best
from trainability.tuning.search import ALPHA, ROUNDS, Round, Search, Standing
from trainability.tuning.space import Settings
from trainability.tuning.wording import measured, written

_MOST_BLOCKS = 2**31 // BLOCK_SIZE
Dispatch = Callable[[str, Mapping[str, Cell], Mapping[str, int]], None]
"""Trains what storage lacks of some cells; told what for, the cells and their blocks by id.
Raises where some could not be trained."""
Announce = Callable[[str], object]
"""Gets a sentence on how far the search is."""


@dataclass(frozen=True)
class SearchOutcome:
    """A search that is over, and the evaluation on fresh seeds after it.

    Args:
        tuning: What was asked.
        rounds: The batches, in order.
        standings: Every candidate, in the order in which they were proposed.
        measured: What the candidates' networks did in the search.
        finalists: Who was evaluated again, and what their networks did.
        default: What the default's networks did on the same fresh seeds.
    """

    tuning: Tuning
    rounds: list[Round]
    standings: list[Standing]
    measured: dict[Settings, Outcomes]
    finalists: dict[Settings, Outcomes] = field(default_factory=dict)
    default: Outcomes = field(default_factory=dict)

    @property
    def refused(self) -> list[Settings]:
        """Settings that were proposed but never trained: by theory they can't be best."""
        return list(dict.fromkeys(settings for batch in self.rounds for settings in batch.refused))


def search_of(tuning: Tuning, *, begins: bool = True) -> Search:
    """The search for what a tuning asks, with what theory knows.

    Args:
        tuning: What is asked.
        begins: Whether nothing is written down of it: only then a prior says where to start.
    """

    @cache
    def theory(settings: Settings) -> tuple[float, ...]:
        bound = cache(lambda width: _exact_trainability(tuning.cell(settings, width)))
        return tuple(part.best_possible(bound) for part in tuning.objectives)

    is_allowed = cache(lambda settings: _meets_constraint(tuning, settings))
    return Search(
        space=tuning.space,
        objectives=tuning.objectives,
        n_evaluations=tuning.n_evaluations,
        max_steps=tuning.max_steps,
        seed=tuning.seed,
        theory=theory,
        is_allowed=is_allowed,
        start=[] if tuning.default is None else [tuning.default],
        prior=predicted_best(tuning, is_allowed) if tuning.prior and begins else {},
    )


def run_search(
    tuning: Tuning, storage: Storage, dispatch: Dispatch, announce: Announce = lambda _: None
) -> SearchOutcome:
    """Search until the budget is spent, then evaluate the best few and the default again.

    Raises:
        StudyFailed: If some networks could not be trained; running it again goes on.
    """
    rounds = stored_rounds(tuning, storage, mend=True)
    search = search_of(tuning, begins=not rounds)
    blocks = blocks_after(rounds)
    if blocks:
        dispatch(f"rounds 1 to {len(rounds)}", *wanted_blocks(tuning, blocks))
    measured = read_outcomes(tuning, storage, blocks, tuning.seed)
    if measured:
        announce(progress(tuning, search.standings(measured), len(rounds)))
    while (batch := search.next_round(len(rounds), measured)).blocks:
        _store_round(tuning, storage, len(rounds), batch)
        rounds.append(batch)
        what = f"round {len(rounds)} of {max(ROUNDS, len(rounds))}"
        dispatch(what, *wanted_blocks(tuning, batch.blocks))
        measured |= read_outcomes(tuning, storage, batch.blocks, tuning.seed)
        announce(progress(tuning, search.standings(measured), len(rounds)))
    standings = search.standings(measured)
    chosen = finalists(tuning.space, standings)
    again: list[Settings | None] = [*chosen, None]
    counts = dict.fromkeys(again, tuning.n_fresh_blocks)
    what = f"the best {len(chosen)} and the default on fresh seeds"
    dispatch(what, *wanted_blocks(tuning, counts, tuning.fresh_seed))
    fresh = read_outcomes(tuning, storage, counts, tuning.fresh_seed)
    default = fresh.pop(None)
    return SearchOutcome(tuning, rounds, standings, measured, fresh, default)


def progress(tuning: Tuning, standings: Sequence[Standing], n_rounds: int) -> str:
    """The best so far with its interval, and what is left, in a sentence."""
    best = recommended(standings)
    [standing] = [entry for entry in standings if entry.settings == best]
    spent = sum(entry.n_networks for entry in standings)
    budget = tuning.n_evaluations * BLOCK_SIZE * len(tuning.widths)
    rest = f"{budget - spent:,} of {budget:,} networks to go" if spent < budget else "search over"
    return (
        f"best of {counted(len(standings), 'candidate')} after round {n_rounds}: "
        f"{written(tuning, best)}, {tuning.objectives[0].words} "
        f"{measured(tuning.objectives[0], standing.estimates[0])} "
        f"(n={standing.n_networks:,}; {100 * (1 - ALPHA):g} % for all candidates at all times); "
        f"{rest}"
    )


def _exact_trainability(cell: Cell) -> float:
    """Trainability where theory is exact, else 1: an estimate must not rule anything out."""
    expected = expected_trainability(cell)
    return expected.value if expected.standard_error == 0 else 1.0


def _meets_constraint(tuning: Tuning, settings: Settings) -> bool:
    if tuning.max_born_dead is None:
        return True
    cells = [tuning.cell(settings, width) for width in tuning.widths]
    return all(
        not cell.activation.flat
        or float(born_dead_probability(cell.scheme, cell.task.domain, cell.sizes[1]))
        <= tuning.max_born_dead
        for cell in cells
    )


def blocks_after(rounds: Sequence[Round]) -> dict[Settings, int]:
    """Blocks of every candidate after some batches."""
    blocks: dict[Settings, int] = {}
    for batch in rounds:
        blocks |= batch.blocks
    return blocks


def wanted_blocks(
    tuning: Tuning,
    blocks: Mapping[Settings, int] | Mapping[Settings | None, int],
    seed: int | None = None,
) -> tuple[dict[str, Cell], dict[str, int]]:
    """The cells of candidates at every width, and their blocks, by id."""
    cells, wanted = {}, {}
    for settings, n in blocks.items():
        for width in tuning.widths:
            cell = tuning.cell(settings, width, seed)
            cells[cell.id] = cell
            wanted[cell.id] = n
    return cells, wanted


def read_outcomes(tuning: Tuning, storage: Storage, blocks: Mapping, seed: int) -> dict:
    """What the first blocks of candidates did; later ones may belong to another search."""
    cells, _ = wanted_blocks(tuning, blocks, seed)
    columns = ["cell", "replicate", "success", "steps"]
    rows = storage.read_rows(tuning.name, list(cells), columns)
    by_cell = dict(list(rows.groupby("cell")))
    outcomes: dict[Settings | None, dict[Width | None, np.ndarray]] = {}
    for settings, n in blocks.items():
        outcomes[settings] = {}
        for width in tuning.widths:
            part = by_cell[tuning.cell(settings, width, seed).id].iloc[: n * BLOCK_SIZE]
            assert part["replicate"].tolist() == list(range(n * BLOCK_SIZE))
            steps = part["steps"].to_numpy(dtype=float)
            outcomes[settings][width] = np.where(part["success"].to_numpy(), steps, np.inf)
    return outcomes


def _round_name(tuning: Tuning, index: int) -> str:
    return f"search-{tuning.search_id}/round-{index:04d}"


def _store_round(tuning: Tuning, storage: Storage, index: int, batch: Round) -> None:
    to_data = tuning.space.to_data
    record = {
        "settings": list(tuning.vary),
        "blocks": [[to_data(settings), n] for settings, n in batch.blocks.items()],
        "refused": [to_data(settings) for settings in batch.refused],
    }
    if batch.predicted:
        record["predicted"] = [[to_data(settings), p] for settings, p in batch.predicted.items()]
    storage.write_record(tuning.name, _round_name(tuning, index), json.dumps(record, indent=1))


def stored_rounds(tuning: Tuning, storage: Storage, *, mend: bool) -> list[Round]:
    """The batches that were written down, up to the first that is missing or damaged.

    Args:
        tuning: What was asked.
        storage: Where.
        mend: Whether records may be put in order; else nothing is written.
    """
    space = tuning.space

    def parse(record: Any) -> Round:
        names = record["settings"]
        if sorted(names) != sorted(space.names):
            raise ValueError("its settings are others")

        def settings(entry: Any) -> Settings:
            return space.from_data(dict(zip(names, entry, strict=True)))

        blocks = {settings(entry): int(n) for entry, n in record["blocks"]}
        if not all(1 <= n <= _MOST_BLOCKS for n in blocks.values()):
            raise ValueError("a number of blocks is out of range")
        predicted = {settings(entry): float(p) for entry, p in record.get("predicted", [])}
        return Round(blocks, [settings(entry) for entry in record["refused"]], predicted)

    rounds: list[Round] = []
    while True:
        name = _round_name(tuning, len(rounds))
        if mend:
            storage.mend_record(tuning.name, name, parse)
        batch = storage.read_record(tuning.name, name, parse)
        if batch is None:
            return rounds
        rounds.append(batch)
