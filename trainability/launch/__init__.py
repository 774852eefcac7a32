"""Cells to Ray Tune trials; the only room that imports ray."""

from trainability.launch.dispatch import Options, Outcome, launch

__all__ = ["Options", "Outcome", "launch"]
