"""Initialization schemes, one per file; a file dropped into this folder is found by itself."""

from __future__ import annotations

from trainability.catalogs import by_name
from trainability.schemes.base import Layer, Scheme, draw_layer
from trainability.schemes.catalog import scheme_from_text, scheme_types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.schemes.data_dependent import DataDependent
    from trainability.schemes.glorot import Glorot
    from trainability.schemes.he import He
    from trainability.schemes.lecun import LeCun
    from trainability.schemes.orthogonal import Orthogonal
    from trainability.schemes.randomized_asymmetric import RandomizedAsymmetric
    from trainability.schemes.sign_flipped import SignFlipped
    from trainability.schemes.torch_default import TorchDefault
    from trainability.schemes.unit_sphere import UnitSphere

__all__ = [
    "DataDependent",
    "Glorot",
    "He",
    "Layer",
    "LeCun",
    "Orthogonal",
    "RandomizedAsymmetric",
    "Scheme",
    "SignFlipped",
    "TorchDefault",
    "UnitSphere",
    "draw_layer",
    "scheme_from_text",
    "scheme_types",
]

__getattr__ = by_name(__name__, scheme_types)
