"""Strategies (schemes, tasks, optimizers) to JSON and back; data in, data out, never code.

A strategy becomes `{"type": "He", "distribution": "normal", "bias_std": 0.0}`: its class name and
all of its settings, also those at their default, so that a default that changes later does not
change what an old study means.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from trainability.activations import activation_types
from trainability.domains import Ball, Box, Points
from trainability.errors import StudyError
from trainability.identity import left_out
from trainability.losses import loss_types
from trainability.optimizers import optimizer_types
from trainability.optimizers.schedules import schedule_types
from trainability.penalties import penalty_types
from trainability.schemes import scheme_types
from trainability.study.published import Published
from trainability.tasks import task_types


def strategy_types() -> dict[str, type]:
    """Every class that a record may name, those of a loaded study file included."""
    fixed: dict[str, type] = {kind.__name__: kind for kind in (Ball, Box, Points, Published)}
    catalogs = (
        optimizer_types, schedule_types, activation_types, loss_types, penalty_types, task_types,
        scheme_types,
    )  # fmt: skip
    return fixed | {name: kind for types in catalogs for name, kind in types().items()}


def to_record(value: Any) -> Any:
    """A value as JSON data; strategies become objects with a `type`.

    Younger settings at their default are left out: so ids, streams and declarations of what was
    stored before stay as they were.
    """
    if isinstance(value, Points):
        return {"type": "Points", "x": value.x.tolist()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        without = left_out(value)
        settings = {
            field.name: to_record(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.init
            and field.name not in without
            and not isinstance(getattr(value, field.name), Callable)
        }
        return {"type": type(value).__name__, **settings}
    if isinstance(value, Mapping):
        return {str(key): to_record(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | range):
        return [to_record(entry) for entry in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def from_record(record: Any) -> Any:
    """The inverse of `to_record`.

    Raises:
        StudyError: If a record names a class or a setting that does not exist.
    """
    if isinstance(record, list):
        return [from_record(entry) for entry in record]
    if not isinstance(record, Mapping):
        return record
    values = {key: from_record(entry) for key, entry in record.items() if key != "type"}
    if "type" not in record:
        return values
    name = record["type"]
    kind = strategy_types().get(name) if isinstance(name, str) else None
    if kind is None:
        raise StudyError(
            f"unknown type {name!r}; wanted one of {', '.join(sorted(strategy_types()))}"
            f"{did_you_mean(str(name), strategy_types())}. If a study file declares it, run that "
            "file: JSON can't hold code"
        )
    if hasattr(kind, "registered"):
        return kind.registered(**values)
    accepted = {field.name for field in dataclasses.fields(kind)} if kind is not Points else {"x"}
    for key in values:
        if key not in accepted:
            raise StudyError(
                f"{name} has no setting {key!r}; wanted some of "
                f"{', '.join(sorted(accepted)) or 'none'}{did_you_mean(key, accepted)}"
            )
    try:
        return kind(**{key: _hashable(entry) for key, entry in values.items()})
    except TypeError as error:
        raise StudyError(f"{name} can't be made from {dict(record)}: {error}") from error


def canonical(record: Any) -> str:
    """JSON text that is the same for equal records, whatever the order of their keys."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)


def did_you_mean(word: str, choices: Any) -> str:
    """A suggestion to append to a message, or an empty text."""
    close = difflib.get_close_matches(word, [str(choice) for choice in choices], n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _hashable(value: Any) -> Any:
    return tuple(_hashable(entry) for entry in value) if isinstance(value, list) else value
