"""Integrals and sums that closed forms need; they know numbers, not laws.

The modules are loaded on first use: stating a law needs none of SciPy.
"""

from __future__ import annotations

from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.theory.numerics import (
        ball,
        box,
        points,
        quadrature,
        torch_ball,
        transforms,
    )

__all__ = ["ball", "box", "points", "quadrature", "torch_ball", "transforms"]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return importlib.import_module(f"{__name__}.{name}")
