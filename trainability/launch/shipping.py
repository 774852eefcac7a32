"""A user's own classes and functions travel to the workers, which can't import their files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import packages_distributions
from types import ModuleType
from typing import Any

from trainability.errors import StudyError
from trainability.study.cell import Cell


def ship_user_code(cells: Sequence[Cell]) -> None:
    """Let whatever is not installed travel to Ray's workers by value.

    Raises:
        StudyError: If a cell can't be sent.
    """
    import ray
    from ray import cloudpickle

    _send_by_value(cloudpickle)
    try:
        ray.put(list(cells))
    except Exception as error:
        raise _unsendable(error) from error


def pickled(value: Any) -> bytes:
    """Something for processes of this machine, with whatever is not installed by value.

    Raises:
        StudyError: If it can't be sent.
    """
    import cloudpickle

    _send_by_value(cloudpickle)
    try:
        return cloudpickle.dumps(value)
    except Exception as error:
        raise _unsendable(error) from error


def _send_by_value(pickler: ModuleType) -> None:
    """Let the study file, and what it imports, travel by value."""
    installed = _installed()
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in installed and getattr(module, "__file__", None):
            pickler.register_pickle_by_value(module)


@cache
def _installed() -> frozenset[str]:
    names = {"trainability", "__main__", *sys.stdlib_module_names, *packages_distributions()}
    return frozenset(names)


def _unsendable(error: Exception) -> StudyError:
    return StudyError(
        f"the study can't be sent to workers: {error}; its schemes and tasks must be picklable"
    )
