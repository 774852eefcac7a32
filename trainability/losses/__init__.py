"""Losses, one per file; a file dropped into this folder is found by itself."""

from __future__ import annotations

from trainability.catalogs import by_name
from trainability.losses.base import Loss
from trainability.losses.catalog import loss_types
from trainability.losses.mean_squared_error import MEAN_SQUARED_ERROR, MeanSquaredError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.losses.binary_cross_entropy import BinaryCrossEntropy
    from trainability.losses.cross_entropy import CrossEntropy
    from trainability.losses.huber import Huber
    from trainability.losses.mean_absolute_error import MeanAbsoluteError

__all__ = [
    "MEAN_SQUARED_ERROR",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "loss_types",
]

__getattr__ = by_name(__name__, loss_types)
