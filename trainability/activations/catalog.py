"""Which activations there are."""

from __future__ import annotations

from trainability.activations.base import Activation
from trainability.catalogs import concrete_types


def activation_types() -> dict[str, type[Activation]]:
    """Every activation by its name: those of this folder, and those of a loaded study file."""
    return concrete_types("trainability.activations", Activation)
