"""Round by round: what a study that grows wants next, given how often its networks succeeded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from trainability.growth.points import Point, new_points
from trainability.growth.record import stored_growth
from trainability.growth.rule import Growth
from trainability.seeds import BLOCK_SIZE
from trainability.study import Cell, Study

if TYPE_CHECKING:
    from trainability.storage import Storage


@dataclass(frozen=True)
class Round:
    """What to train next.

    Args:
        cells: The cells that want networks, by id.
        wanted: How many blocks each of them wants, those it has included.
        n_cells: Cells of the study by now.
        points: By which the study was refined for this round.
    """

    cells: dict[str, Cell]
    wanted: dict[str, int]
    n_cells: int
    points: list[Point] = field(default_factory=list)


Successes = Callable[[list[str]], Mapping[str, list[int]]]
"""Successes in the blocks of some cells by id, from block 0 up to the first that is missing."""


def rounds(cells: Mapping[str, Cell], growth: Growth, successes: Successes) -> Iterator[Round]:
    """What to train, round after round, until every interval is narrow and every boundary located.

    Each round is for the caller to train before the next one is asked for. What every decision
    rests on is the successes in the first blocks of each cell, and nothing else.

    Args:
        cells: The study's cells by id.
        growth: The rule.
        successes: Counts what is trained.
    """
    cells, counted = dict(cells), dict[str, list[int]]()
    fresh, points = dict(cells), list[Point]()
    while fresh:
        # Without a look: the caller first makes sure that what is there is sound.
        yield Round(fresh, dict.fromkeys(fresh, growth.n_blocks), len(cells), points)
        if not growth.grows:
            return
        todo = list(fresh)
        while todo:
            counted |= successes(todo)
            wanted = {cell: growth.looks(counted[cell])[-1] for cell in todo}
            todo = [cell for cell in todo if len(counted[cell]) < wanted[cell]]
            if todo:
                more = {cell: cells[cell] for cell in todo}
                yield Round(more, {cell: wanted[cell] for cell in todo}, len(cells))
        if growth.refine is None:
            return
        rates = {cell: growth.rate(blocks) for cell, blocks in counted.items()}
        points = new_points(cells, rates, growth.refine)
        fresh = {cell.id: cell for cell in (point.cell(cells) for point in points)}
        cells |= fresh


def wanted_blocks(study: Study, storage: Storage, cells: Mapping[str, Cell]) -> dict[str, int]:
    """How many blocks each cell wants: the study's number, or more by the rule it last grew by."""
    growth = stored_growth(study, storage)
    if growth is None or growth.stopping is None:
        return dict.fromkeys(cells, study.n_blocks)
    successes = block_successes(study.name, storage, list(cells))
    return {
        cell: max(study.n_blocks, growth.looks(blocks)[-1]) for cell, blocks in successes.items()
    }


def block_successes(name: str, storage: Storage, cells: list[str]) -> dict[str, list[int]]:
    """Successes in every block of some cells, from block 0 up to the first that is missing."""
    if not cells:
        return {}
    rows = storage.read_rows(name, cells, ["cell", "replicate", "success"])
    successes: dict[str, list[int]] = {cell: [] for cell in cells}
    for cell, part in rows.groupby("cell", sort=False):
        successes[str(cell)] = successes_by_block(
            part["replicate"].to_numpy(), part["success"].to_numpy(dtype=bool)
        )
    return successes


def successes_by_block(replicate: np.ndarray, success: np.ndarray) -> list[int]:
    """Successes in every block of one cell, from block 0 up to the first that is not whole."""
    block = replicate // BLOCK_SIZE
    n = np.bincount(block)
    whole = int(np.argmin(np.append(n == BLOCK_SIZE, False)))
    return np.bincount(block[success], minlength=len(n))[:whole].tolist()
