"""How missing blocks are dealt out: nothing lost, nothing twice, longest first."""

import pytest

from trainability import Adam
from trainability.plan import UNIT_BLOCKS, deal, missing_blocks, units
from trainability.schemes import He
from trainability.storage import BlockFile
from trainability.study import Cell
from trainability.tasks import AbsoluteValue


def some_cells(widths=(2, 8, 20)):
    cells = [
        Cell(
            task=AbsoluteValue(n_train=100),
            scheme=He(),
            width=width,
            depth=2,
            optimizer=Adam(learning_rate=0.01),
            batch_size=None,
            max_steps=10_000,
            tolerance=1e-3,
            seed=0,
        )
        for width in widths
    ]
    return {cell.id: cell for cell in cells}


def test_missing_is_what_no_file_holds():
    files = [BlockFile("a", 1, 2, ""), BlockFile("a", 2, 3, ""), BlockFile("b", 0, 9, "")]
    assert missing_blocks({"a": 6, "b": 2, "c": 1}, files) == {"a": [0, 4, 5], "b": [], "c": [0]}


@pytest.mark.parametrize("slots", [1, 2, 64])
@pytest.mark.parametrize("n_blocks", [1, 4, 100])
def test_every_missing_block_is_in_exactly_one_unit_of_one_trial(slots, n_blocks):
    cells = some_cells()
    missing = {cell: [b for b in range(n_blocks) if b != 2] for cell in cells}
    work = units(cells, missing, slots)
    trials = deal(cells, work, slots)
    dealt = [(u.cell, b) for trial in trials for u in trial for b in u.blocks]
    assert sorted(dealt) == sorted((c, b) for c, blocks in missing.items() for b in blocks)
    assert all(len(unit.blocks) <= UNIT_BLOCKS for unit in work)


def test_few_cells_are_split_over_many_slots():
    cells = some_cells(widths=(20,))
    work = units(cells, {cell: range(64) for cell in cells}, slots=16)
    assert len(deal(cells, work, slots=16)) >= 16


def test_many_small_cells_share_a_trial():
    cells = some_cells(widths=tuple(range(2, 42)))
    work = units(cells, {cell: [0] for cell in cells}, slots=2)
    assert len(deal(cells, work, slots=2)) < len(work) / 3


def test_the_longest_units_come_first():
    cells = some_cells()
    work = units(cells, {cell: range(8) for cell in cells}, slots=2)
    lengths = [unit.n_networks * cells[unit.cell].operations for unit in work]
    assert lengths == sorted(lengths, reverse=True)
