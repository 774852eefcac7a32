"""Penalties, one per file; a file dropped into this folder is found by itself."""

from __future__ import annotations

from trainability.catalogs import by_name
from trainability.penalties.base import Penalty
from trainability.penalties.catalog import penalty_types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.penalties.jumpstart import Jumpstart
    from trainability.penalties.l1 import L1
    from trainability.penalties.l2 import L2

__all__ = [
    "L1",
    "L2",
    "Jumpstart",
    "Penalty",
    "penalty_types",
]

__getattr__ = by_name(__name__, penalty_types)
