"""Strategies (schemes, tasks, optimizers) to JSON and back; data in, data out, never code.

A strategy becomes `{"type": "He", "distribution": "normal", "bias_std": 0.0}`: its class name and
its settings, also those at their default, so that a default that changes later does not change
what an old study means. Settings that the first release did not have are left out at their default.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from trainability.activations import Activation
from trainability.catalogs import concrete_type, concrete_types, did_you_mean
from trainability.checks import canonical_setting, plain, reason, shown
from trainability.domains import Ball, Box, Points
from trainability.errors import InputError, StudyError
from trainability.identity import left_out
from trainability.losses import Loss
from trainability.optimizers import Optimizer
from trainability.optimizers.schedules import Schedule
from trainability.penalties import Penalty
from trainability.schemes import Scheme
from trainability.study.changes import declared
from trainability.study.network import Module
from trainability.study.published import Published
from trainability.tasks import Task

_DEEPEST = 24
"""Levels of the deepest declaration, some seven, with room for schemes of schemes."""
_FIXED: dict[str, type] = {kind.__name__: kind for kind in (Ball, Box, Points, Published, Module)}
_CATALOGS: dict[str, type] = {
    "trainability.schemes": Scheme,
    "trainability.tasks": Task,
    "trainability.penalties": Penalty,
    "trainability.losses": Loss,
    "trainability.activations": Activation,
    "trainability.optimizers.schedules": Schedule,
    "trainability.optimizers": Optimizer,
}
"""What the classes of a package are; of two that have one name the first counts."""


def strategy_types() -> dict[str, type]:
    """Every class that a record may name, those of a loaded study file included."""
    types = dict(_FIXED)
    for package, base in reversed(_CATALOGS.items()):
        types |= concrete_types(package, base)
    return types


def strategy_type(name: str) -> type | None:
    """The one of that name, without loading all the others; None if there is none."""
    for package, base in _CATALOGS.items():
        if (kind := concrete_type(package, base, name)) is not None:
            return kind
    return _FIXED.get(name)


def to_record(value: Any) -> Any:
    """A value as JSON data; strategies become objects with a `type`.

    Younger settings at their default are left out: so ids, streams and declarations of what was
    stored before stay as they were. What an axis of a cell has made is recorded as it was declared.
    """
    value = declared(value)
    if isinstance(value, Points):
        return {"type": "Points", "x": value.x.tolist()}
    if isinstance(value, Module):
        return to_record(value.record)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        without = left_out(value)
        settings = {
            field.name: to_record(canonical_setting(field, getattr(value, field.name)))
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
    return plain(value)


def read_document(text: str, kind: str, least: str) -> dict[str, Any]:
    """The JSON object that a `study.json` or `tuning.json` holds, as data.

    Args:
        text: What the file holds.
        kind: "study" or "tuning", the key of the version.
        least: What the document is meant to be, for messages.

    Raises:
        StudyError: If it is no such object, holds a key twice or numbers that JSON has not.
    """
    try:
        record = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except RecursionError:
        raise StudyError(f"not valid JSON (nested too deeply); wanted a {least}") from None
    except ValueError as error:
        raise StudyError(f"not valid JSON ({error}); wanted a {least}") from error
    version = record.pop(kind, None) if isinstance(record, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version != 1:
        raise StudyError(
            f'not a {kind}: wanted a JSON object with "{kind}": 1, as {least} has'
            + (f", got version {shown(version)}" if version is not None else "")
        )
    _check_depth(record)
    return record


def field_problems(record: Mapping[str, Any], kind: Any, name: str) -> list[str]:
    """Fields of a document that its kind doesn't have, and those that it lacks."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    lacking = [
        field.name
        for field in fields.values()
        if field.name not in record
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    return [
        f"unknown field {shown(key)}{did_you_mean(key, fields)}"
        for key in sorted(record.keys() - fields.keys())
    ] + ([f"not a whole {name}: it has no {', '.join(lacking)}"] if lacking else [])


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        twice = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
        raise ValueError(f"it has the key {shown(twice)} twice")
    return record


def _no_number(text: str) -> Any:
    raise ValueError(f"it holds {text}, which is no number of JSON")


def _check_depth(record: Any) -> None:
    """Refuse a record that is nested more deeply than any declaration is."""
    level = [record]
    for _ in range(_DEEPEST):
        level = [
            entry
            for part in level
            for entry in (part.values() if isinstance(part, dict) else part)
            if isinstance(entry, dict | list)
        ]
        if not level:
            return
    raise StudyError(f"nested more than {_DEEPEST} levels deep, which no declaration is")


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
    kind = strategy_type(name) if isinstance(name, str) else None
    if kind is None:
        raise StudyError(
            f"unknown type {shown(name)}; wanted one of {', '.join(sorted(strategy_types()))}"
            f"{did_you_mean(name, strategy_types())}. If a study file declares it, run that "
            "file: JSON can't hold code"
        )
    if isinstance(maker := getattr(kind, "registered", None), Callable):
        return made(name, maker, values)
    accepted = {field.name for field in dataclasses.fields(kind)} if kind is not Points else {"x"}
    for key in values:
        if key not in accepted:
            raise StudyError(
                f"{name} has no setting {shown(key)}; wanted some of "
                f"{', '.join(sorted(accepted)) or 'none'}{did_you_mean(key, accepted)}"
            )
    return made(name, kind, {key: _hashable(entry) for key, entry in values.items()})


def made(name: str, make: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    """What a class or function makes of settings.

    Raises:
        InputError: If it can't, whatever it raises: its author may not have thought of all data.
    """
    try:
        return make(**values)
    except InputError:
        raise
    except Exception as error:
        raise StudyError(
            f"{name} can't be made from {shown(dict(values))}: {reason(error)}"
        ) from error


def canonical(record: Any) -> str:
    """JSON text that is the same for equal records, whatever the order of their keys."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _hashable(value: Any) -> Any:
    return tuple(_hashable(entry) for entry in value) if isinstance(value, list) else value
