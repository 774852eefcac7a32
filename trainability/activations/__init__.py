"""Activations, one per file; a file dropped into this folder is found by itself."""

from trainability.activations.base import Activation
from trainability.activations.catalog import activation_types
from trainability.activations.relu import RELU, ReLU

__all__ = ["RELU", "Activation", "ReLU", "activation_types"]
