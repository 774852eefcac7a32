"""What a study would train next, from what storage holds. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from trainability.growth.record import study_cells
from trainability.growth.rounds import block_successes, rounds
from trainability.growth.rule import Growth
from trainability.plan import missing_blocks
from trainability.seeds import BLOCK_SIZE

if TYPE_CHECKING:
    from trainability.storage import Storage
    from trainability.study import Cell, Study


@dataclass(frozen=True)
class Plan:
    """The next round of a study that lacks anything.

    Args:
        study: The study's name.
        cells: Its cells by id, those included that the round adds to the grid.
        stored: How many blocks of each are stored.
        missing: How many blocks of each the round lacks; none of a study that has enough.
    """

    study: str
    cells: Mapping[str, Cell]
    stored: Mapping[str, int]
    missing: Mapping[str, int]

    @property
    def n_networks(self) -> int:
        """Networks to train."""
        return sum(self.missing.values()) * BLOCK_SIZE


def planned(study: Study, storage: Storage, growth: Growth) -> Plan:
    """What would be trained now; what comes after it depends on its networks.

    Args:
        study: The study.
        storage: Where its rows are.
        growth: The rule by which it grows.
    """
    cells = study_cells(study, storage)
    missing: dict[str, list[int]] = {}
    for part in rounds(cells, growth, partial(block_successes, study.name, storage)):
        cells |= part.cells
        missing = missing_blocks(part.wanted, storage.block_files(study.name, part.cells))
        if any(missing.values()):
            break
    stored: dict[str, set[int]] = {cell: set() for cell in cells}
    for file in storage.block_files(study.name, cells):
        stored[file.cell].update(file.blocks)
    return Plan(
        study.name,
        cells,
        {cell: len(blocks) for cell, blocks in stored.items()},
        {cell: len(missing.get(cell, ())) for cell in cells},
    )
