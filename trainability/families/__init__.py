"""Families of networks: how those of a cell are drawn, counted, trained and evaluated."""

from __future__ import annotations

from collections.abc import Iterable

from trainability.families.base import Evaluate, Family
from trainability.families.fully_connected import FullyConnected, draw
from trainability.study.cell import Cell

__all__ = ["Evaluate", "Family", "draw", "engine_problems", "family_of"]


def family_of(cell: Cell, device: str = "cpu") -> Family:
    """The family of a cell's networks.

    Args:
        cell: What is run.
        device: A torch device, for what is not training.
    """
    if cell.network is None:
        return FullyConnected(cell, device)
    # Imported here, so that a trial of another kind does not load it.
    from trainability.families.copies_of_module import CopiesOfModule

    return CopiesOfModule(cell, device)


def engine_problems(engine: str, cells: Iterable[Cell]) -> list[str]:
    """Why an engine can't train some cells on any machine, each reason once."""
    reasons = dict.fromkeys(family_of(cell).engine_obstacle(engine) for cell in cells)
    return [
        f"engine {engine!r} can't train this: {reason}; leave it to 'auto'"
        for reason in reasons
        if reason is not None
    ]
