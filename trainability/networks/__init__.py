"""Networks: many of one kind as stacked tensors, fully connected ones and copies of a module."""

from trainability.networks.ensemble import Ensemble, concatenate, initialize, numbers_of

__all__ = ["Ensemble", "concatenate", "initialize", "numbers_of"]
