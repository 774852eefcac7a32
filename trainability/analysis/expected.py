"""What theory expects of a cell."""

from __future__ import annotations

from trainability.study.cell import Cell
from trainability.theory import Probability, trainability_probability


def expected_trainability(cell: Cell) -> Probability:
    """Theoretical trainability of a cell: P(each layer has enough neurons not permanently dead)."""
    need = cell.needs[0] if cell.n_hidden == 1 else list(cell.needs)
    return trainability_probability(
        cell.scheme, cell.task.domain, [cell.width] * cell.n_hidden, need
    )
