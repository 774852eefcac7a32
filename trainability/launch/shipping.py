"""A user's own classes and functions travel to the workers, which can't import their files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import packages_distributions

import ray
from ray import cloudpickle

from trainability.errors import StudyError
from trainability.study.cell import Cell


def ship_user_code(cells: Sequence[Cell]) -> None:
    """Let whatever is not installed travel by value: the study file, and what it imports.

    Raises:
        StudyError: If a cell can't be sent.
    """
    installed = {"trainability", "__main__", *sys.stdlib_module_names, *packages_distributions()}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in installed and getattr(module, "__file__", None):
            cloudpickle.register_pickle_by_value(module)
    try:
        ray.put(list(cells))
    except Exception as error:
        raise StudyError(
            f"the study can't be sent to workers: {error}; its schemes and tasks must be picklable"
        ) from error
