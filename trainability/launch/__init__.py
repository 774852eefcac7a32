"""Cells to Ray Tune trials: resume, retry, placement; the only room that imports ray."""

from trainability.launch.dispatch import launch
from trainability.launch.options import Options, Outcome
from trainability.launch.ready import ready

__all__ = ["Options", "Outcome", "launch", "ready"]
