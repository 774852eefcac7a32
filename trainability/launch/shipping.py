"""A user's own classes and functions travel to the workers, which can't import their files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import packages_distributions
from types import ModuleType
from typing import Any

from trainability.errors import StudyError
from trainability.installed import is_installed
from trainability.study.cell import Cell
from trainability.study.files import MODULE_PREFIX

_EVERYWHERE = {"trainability", "__main__", *sys.stdlib_module_names}
"""What every process can import, or must not take for a module."""


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
    is_own: dict[str, bool] = {}
    for name, module in list(sys.modules.items()):
        package = name.partition(".")[0]
        if (file := getattr(module, "__file__", None)) is None:
            continue
        if package not in is_own:
            is_own[package] = package not in _EVERYWHERE and _is_own(package, file)
        if is_own[package]:
            pickler.register_pickle_by_value(module)


def _is_own(package: str, file: str) -> bool:
    if package.startswith(MODULE_PREFIX):
        return True
    # What lies elsewhere may be installed all the same: to look at all that is takes a while.
    return not is_installed(file) and package not in _distributed()


@cache
def _distributed() -> frozenset[str]:
    return frozenset(packages_distributions())


def _unsendable(error: Exception) -> StudyError:
    return StudyError(
        f"the study can't be sent to workers: {error}; its schemes and tasks must be picklable"
    )
