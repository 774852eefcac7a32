"""Round by round: what a study that grows wants next, from what storage holds."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trainability.growth.points import Point, in_place, new_points
from trainability.growth.rule import LOST, Growth
from trainability.plan import missing_blocks
from trainability.seeds import BLOCK_SIZE
from trainability.study import Cell, Study

if TYPE_CHECKING:
    from trainability.storage import Storage

_RECORD = "growth"
_MOST_BLOCKS = 2**31 // BLOCK_SIZE


@dataclass(frozen=True)
class Round:
    """What to train next.

    Args:
        cells: The cells that want networks, by id.
        wanted: How many blocks each of them wants, those it has included.
        n_cells: Cells of the study by now.
    """

    cells: dict[str, Cell]
    wanted: dict[str, int]
    n_cells: int


def study_cells(study: Study, storage: Storage) -> dict[str, Cell]:
    """The cells of a study by id: its grid, and the points by which it was refined."""
    cells = {cell.id: cell for cell in study.cells()}
    for point in _stored(study, storage)[1]:
        # The grid may have changed since.
        if point.like in cells:
            cell = point.cell(cells)
            cells[cell.id] = cell
    return cells


def cells_in_place(study: Study, storage: Storage) -> dict[str, Cell]:
    """As `study_cells`, each point right behind the cell that it was put beside."""
    return in_place(study_cells(study, storage), _stored(study, storage)[1])


def stored_growth(study: Study, storage: Storage) -> Growth | None:
    """The rule by which a study has last grown, None if it has not, `LOST` if it is damaged."""
    return _stored(study, storage)[0]


def wanted_blocks(study: Study, storage: Storage, cells: Mapping[str, Cell]) -> dict[str, int]:
    """How many blocks each cell wants: the study's number, or more by the rule it last grew by."""
    growth = stored_growth(study, storage)
    if growth is None or growth.stopping is None:
        return dict.fromkeys(cells, study.n_blocks)
    successes = block_successes(study.name, storage, list(cells))
    return {
        cell: max(study.n_blocks, growth.looks(blocks)[-1]) for cell, blocks in successes.items()
    }


def next_round(study: Study, storage: Storage, growth: Growth) -> Round | None:
    """The first round for which storage lacks blocks; None if there is none. Writes nothing."""
    for part in rounds(study, storage, growth, keep=False):
        if any(missing_blocks(part.wanted, storage.block_files(study.name, part.cells)).values()):
            return part
    return None


def rounds(study: Study, storage: Storage, growth: Growth, *, keep: bool = True) -> Iterator[Round]:
    """What to train, round after round, until every interval is narrow and every boundary found.

    Each round is for the caller to train before the next one is asked for. What every decision
    rests on is the successes in the first blocks of each cell, and nothing else.

    Args:
        study: The study.
        storage: Where its rows are; gets `growth.json`, the rule and the points that were added.
        growth: The rule.
        keep: Whether the rule and the points are stored.
    """
    storage.mend_record(study.name, _RECORD, _parse)
    points = _stored(study, storage)[1]
    cells = study_cells(study, storage)
    if growth.grows and keep:
        _store(study, storage, growth, points)
    successes: dict[str, list[int]] = {}
    fresh = cells
    while fresh:
        # Without a look: the caller first makes sure that what is there is sound.
        yield Round(fresh, dict.fromkeys(fresh, growth.n_blocks), len(cells))
        if not growth.grows:
            return
        todo = list(fresh)
        while todo:
            successes |= block_successes(study.name, storage, todo)
            wanted = {cell: growth.looks(successes[cell])[-1] for cell in todo}
            todo = [cell for cell in todo if len(successes[cell]) < wanted[cell]]
            if todo:
                more = {cell: cells[cell] for cell in todo}
                yield Round(more, {cell: wanted[cell] for cell in todo}, len(cells))
        fresh = {}
        if growth.refine is not None:
            rates = {cell: _rate(growth, blocks) for cell, blocks in successes.items()}
            found = new_points(cells, rates, growth.refine)
            fresh = {cell.id: cell for cell in (point.cell(cells) for point in found)}
            cells |= fresh
            points += found
            if keep:
                _store(study, storage, growth, points)


def _rate(growth: Growth, successes: list[int]) -> float:
    """Success rate in the blocks at which the rule stopped; later ones may be there by chance."""
    n = growth.looks(successes)[-1]
    return sum(successes[:n]) / (n * BLOCK_SIZE)


def block_successes(name: str, storage: Storage, cells: list[str]) -> dict[str, list[int]]:
    """Successes in every block of some cells, from block 0 up to the first that is missing."""
    if not cells:
        return {}
    rows = storage.read_rows(name, cells, ["cell", "replicate", "success"])
    found: dict[str, list[int]] = {cell: [] for cell in cells}
    for cell, part in rows.groupby("cell", sort=False):
        found[str(cell)] = successes_by_block(
            part["replicate"].to_numpy(), part["success"].to_numpy(dtype=bool)
        )
    return found


def successes_by_block(replicate: np.ndarray, success: np.ndarray) -> list[int]:
    """Successes in every block of one cell, from block 0 up to the first that is not whole."""
    block = replicate // BLOCK_SIZE
    n = np.bincount(block)
    whole = int(np.argmin(np.append(n == BLOCK_SIZE, False)))
    return np.bincount(block[success], minlength=len(n))[:whole].tolist()


def _stored(study: Study, storage: Storage) -> tuple[Growth | None, list[Point]]:
    return storage.read_record(study.name, _RECORD, _parse, lost=(LOST, [])) or (None, [])


def _parse(record: Any) -> tuple[Growth, list[Point]]:
    """The rule and the points in a `growth.json`; raises where it says anything else."""
    growth = Growth(**record["rule"])
    if not 1 <= operator.index(growth.n_blocks) <= _MOST_BLOCKS:
        raise ValueError(f"n_blocks is {growth.n_blocks}")
    return growth, [Point(**entry) for entry in record["points"]]


def _store(study: Study, storage: Storage, growth: Growth, points: list[Point]) -> None:
    record = {"rule": asdict(growth), "points": [asdict(point) for point in points]}
    storage.write_record(study.name, _RECORD, json.dumps(record, indent=2))
