"""The cell that tests begin with; what matters to a test it says itself."""

from __future__ import annotations

from typing import Any

from trainability import Adam
from trainability.schemes import UnitSphere
from trainability.study import Cell
from trainability.tasks import AbsoluteValue


def a_cell(kind: type[Cell] = Cell, **changes: Any) -> Cell:
    """A shallow network on |x| at 8 points, with some fields changed."""
    values: dict[str, Any] = dict(
        task=AbsoluteValue(n_train=8),
        scheme=UnitSphere(),
        width=3,
        depth=2,
        optimizer=Adam(learning_rate=0.01),
        batch_size=None,
        max_steps=3,
        tolerance=1e-3,
        seed=0,
    )
    return kind(**(values | changes))
