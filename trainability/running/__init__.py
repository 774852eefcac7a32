"""Studies and tunings, run from Python; the command line parses and calls the same functions."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trainability.running.study import run
    from trainability.running.tuning import tune

__all__ = ["run", "tune"]

_LATER = {"run": "trainability.running.study", "tune": "trainability.running.tuning"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'trainability.running' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LATER[name]), name)
