"""Families of networks: how those of a cell are drawn, counted, trained and evaluated."""

from __future__ import annotations

from trainability.families.base import Evaluate, Family
from trainability.families.fully_connected import FullyConnected, draw
from trainability.study.cell import Cell

__all__ = ["Evaluate", "Family", "draw", "family_of"]


def family_of(cell: Cell, device: str = "cpu") -> Family:
    """The family of a cell's networks.

    Args:
        cell: What is run.
        device: A torch device, for what is not training.
    """
    if cell.network is None:
        return FullyConnected(cell, device)
    # Imported here, so that a trial of another kind does not load it.
    from trainability.families.copies import CopiesOfModule

    return CopiesOfModule(cell, device)
