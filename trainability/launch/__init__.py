"""Cells to Ray Tune trials: resume, retry, placement; the only room that imports ray."""

from trainability.launch.dispatch import launch
from trainability.launch.options import Options, Outcome

__all__ = ["Options", "Outcome", "launch"]
