"""Penalties, one per file; a file dropped into this folder is found by itself."""

from trainability.penalties.base import Penalty
from trainability.penalties.catalog import penalty_types

__all__ = ["Penalty", "penalty_types"]
