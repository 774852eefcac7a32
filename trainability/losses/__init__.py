"""Losses, one per file; a file dropped into this folder is found by itself."""

from trainability.losses.base import Loss
from trainability.losses.catalog import loss_types
from trainability.losses.mean_squared_error import MEAN_SQUARED_ERROR, MeanSquaredError

__all__ = ["MEAN_SQUARED_ERROR", "Loss", "MeanSquaredError", "loss_types"]
