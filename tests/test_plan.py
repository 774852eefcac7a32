"""How missing blocks are dealt out: nothing lost, nothing twice, longest first."""

import pytest
from example_cells import a_cell

from trainability.plan import Slots, deal, missing_blocks, units
from trainability.schemes import He
from trainability.storage import BlockFile
from trainability.tasks import AbsoluteValue


def some_cells(widths=(2, 8, 20)):
    cells = [
        a_cell(
            task=AbsoluteValue(n_train=100),
            scheme=He(),
            width=width,
            max_steps=10_000,
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
    slots = Slots(slots, unit_blocks=5)
    cells = some_cells()
    missing = {cell: [b for b in range(n_blocks) if b != 2] for cell in cells}
    work = units(cells, missing, slots)
    trials = deal(cells, work, slots)
    dealt = [(u.cell, b) for trial in trials for u in trial for b in u.blocks]
    assert sorted(dealt) == sorted((c, b) for c, blocks in missing.items() for b in blocks)
    assert all(len(unit.blocks) <= 5 for unit in work)


def test_few_cells_are_split_over_many_slots():
    cells = some_cells(widths=(20,))
    work = units(cells, {cell: range(160) for cell in cells}, slots=Slots(16))
    assert len(deal(cells, work, slots=Slots(16))) >= 16


def test_many_small_cells_share_a_trial():
    cells = some_cells(widths=tuple(range(2, 42)))
    work = units(cells, {cell: [0] for cell in cells}, slots=Slots(2))
    assert len(deal(cells, work, slots=Slots(2))) < len(work) / 3


def test_the_longest_units_come_first():
    cells = some_cells()
    work = units(cells, {cell: range(8) for cell in cells}, slots=Slots(2))
    lengths = [unit.n_networks * cells[unit.cell].operations for unit in work]
    assert lengths == sorted(lengths, reverse=True)


def test_a_faster_slot_gets_more_work_at_a_time():
    cells = some_cells()
    missing = {cell: range(1024) for cell in cells}
    slow, fast = Slots(4), Slots(4, speed=100.0, unit_blocks=256)
    assert len(units(cells, missing, fast)) < len(units(cells, missing, slow)) / 10
    n_trials = [len(deal(cells, units(cells, missing, s), s)) for s in (slow, fast)]
    assert n_trials[1] < n_trials[0]
