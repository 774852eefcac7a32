"""Cells to trials, in this process or on Ray: resume, retry; the only room that imports ray."""

from __future__ import annotations

from trainability.launch.options import Options, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trainability.launch.choice import choose_executor, operations
    from trainability.launch.dispatch import launch
    from trainability.launch.executor import Executor

__all__ = ["Executor", "Options", "Outcome", "choose_executor", "launch", "operations"]

# Loaded on first use: a launch that is refused needs no torch.
_LATER = {
    "Executor": "trainability.launch.executor",
    "choose_executor": "trainability.launch.choice",
    "launch": "trainability.launch.dispatch",
    "operations": "trainability.launch.choice",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'trainability.launch' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LATER[name]), name)
