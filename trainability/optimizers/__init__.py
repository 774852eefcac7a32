"""Optimizers, one per file; a file dropped into this folder is found by itself."""

from __future__ import annotations

from trainability.catalogs import by_name
from trainability.optimizers.base import Idle, Optimizer
from trainability.optimizers.catalog import optimizer_types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.optimizers.adam import Adam
    from trainability.optimizers.adamw import AdamW
    from trainability.optimizers.nesterov import Nesterov
    from trainability.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Idle",
    "Nesterov",
    "Optimizer",
    "optimizer_types",
]

__getattr__ = by_name(__name__, optimizer_types)
