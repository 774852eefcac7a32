"""What is missing, and how it is dealt out in trials; knows nothing of Ray.

A *unit* is a range of consecutive missing blocks of one cell that is trained and stored in one
go. A trial works through some units, longest first. How blocks are dealt out changes no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainability.seeds import BLOCK_SIZE
from trainability.study.cell import Cell

if TYPE_CHECKING:
    from trainability.storage import BlockFile

TRIAL_OPERATIONS = 1.6e13
"""Operations in a trial, at most: some minutes of a core."""
LEAST_OPERATIONS = 5e11
"""Operations below which a trial is hardly worth its turn: a core does 1e11 a second, most networks
succeed long before their budget ends, and between two trials a worker waits a tenth of a second."""
NOTHING_OPERATIONS = 2e11
"""Operations that are not worth a worker of their own, whose imports take 3 seconds of a core, even
where a slot is free."""
UNIT_OPERATIONS = 1e12
"""Operations in a unit, at most: some 10 seconds of a core."""


@dataclass(frozen=True)
class Slots:
    """Where trials run.

    Args:
        n: Trials that can run at once.
        speed: Speed of one, in cores.
        unit_blocks: Most blocks in a unit: what a killed worker can lose, and what must fit into
            its memory.
    """

    n: int
    speed: float = 1.0
    unit_blocks: int = 16


@dataclass(frozen=True)
class Unit:
    """Blocks `first` to `last`, both included, of a cell."""

    cell: str
    first: int
    last: int

    @property
    def blocks(self) -> range:
        return range(self.first, self.last + 1)

    @property
    def n_networks(self) -> int:
        return len(self.blocks) * BLOCK_SIZE

    def __str__(self) -> str:
        return f"{self.cell}:{self.first}-{self.last}"


def missing_blocks(n_blocks: Mapping[str, int], files: Iterable[BlockFile]) -> dict[str, list[int]]:
    """The blocks of every cell that no file holds.

    Args:
        n_blocks: Blocks wanted, per cell id.
        files: The block files on storage.
    """
    stored: dict[str, set[int]] = {}
    for file in files:
        stored.setdefault(file.cell, set()).update(file.blocks)
    return {
        cell: [block for block in range(n) if block not in stored.get(cell, ())]
        for cell, n in n_blocks.items()
    }


def units(
    cells: Mapping[str, Cell], missing: Mapping[str, Sequence[int]], slots: Slots
) -> list[Unit]:
    """Cut the missing blocks into units, the longest first.

    Args:
        cells: The cells by id.
        missing: Their missing blocks, ascending.
        slots: Where trials run; with few cells, units get shorter to use them all.
    """
    total = sum(len(missing[cell]) for cell in cells)
    longest = max(1, min(slots.unit_blocks, -(-total // (2 * slots.n))))
    operations = UNIT_OPERATIONS * slots.speed
    units = []
    for id_, cell in cells.items():
        size = max(1, min(longest, int(operations / (cell.operations * BLOCK_SIZE))))
        for run in runs(missing[id_]):
            units += [
                Unit(id_, run[start], run[min(start + size, len(run)) - 1])
                for start in range(0, len(run), size)
            ]
    return sorted(units, key=lambda unit: -_operations(cells, unit))


def deal(cells: Mapping[str, Cell], work: Sequence[Unit], slots: Slots) -> list[list[Unit]]:
    """Pack units into trials: few long ones first, then shorter ones, so that no slot idles.

    This is guided self-scheduling (Polychronopoulos & Kuck 1987): a trial gets a fixed share of
    the work that is left, within bounds that keep its turn cheap and its loss small.
    """
    trials: list[list[Unit]] = []
    left = sum(_operations(cells, unit) for unit in work)
    current: list[Unit] = []
    load = 0.0
    # Where there is little to do every slot gets its part, unless even that is next to nothing.
    fair = max(left / slots.n, NOTHING_OPERATIONS * slots.speed)
    share = min(fair, _share(left, slots))
    for unit in work:
        current.append(unit)
        load += _operations(cells, unit)
        if load >= share:
            trials.append(current)
            left -= load
            current, load = [], 0.0
            share = min(fair, _share(left, slots))
    if current:
        trials.append(current)
    return trials


def _share(left: float, slots: Slots) -> float:
    most, least = TRIAL_OPERATIONS * slots.speed, LEAST_OPERATIONS * slots.speed
    return min(most, max(least, left / (2 * slots.n)))


def _operations(cells: Mapping[str, Cell], unit: Unit) -> float:
    return unit.n_networks * cells[unit.cell].operations


def runs(blocks: Sequence[int]) -> list[list[int]]:
    """Consecutive blocks, together."""
    consecutive: list[list[int]] = []
    for block in blocks:
        if consecutive and consecutive[-1][-1] == block - 1:
            consecutive[-1].append(block)
        else:
            consecutive.append([block])
    return consecutive
