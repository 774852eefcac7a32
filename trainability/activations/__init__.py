"""Activations, one per file; a file dropped into this folder is found by itself."""

from __future__ import annotations

from trainability.activations.base import Activation
from trainability.activations.catalog import activation_types
from trainability.activations.relu import RELU, ReLU
from trainability.catalogs import by_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.activations.gelu import GELU
    from trainability.activations.hard_tanh import HardTanh
    from trainability.activations.hermite import Hermite
    from trainability.activations.identity import Identity
    from trainability.activations.leaky_relu import LeakyReLU
    from trainability.activations.relu6 import ReLU6
    from trainability.activations.silu import SiLU
    from trainability.activations.tanh import Tanh

__all__ = [
    "GELU",
    "RELU",
    "Activation",
    "HardTanh",
    "Hermite",
    "Identity",
    "LeakyReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Tanh",
    "activation_types",
]

__getattr__ = by_name(__name__, activation_types)
