"""Where a setting that is tuned stands: an axis, or a field of what an axis holds.

A setting is named by its place: `width`, `activation`, `scheme.bias_std`,
`optimizer.schedule.n_steps`; of a module, an argument that it names: `network.channels`. A field
alone, such as `bias_std`, will do where only one of the strategies has it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from trainability.catalogs import did_you_mean
from trainability.checks import shown
from trainability.study.axes import AXES, AXIS, value_problems
from trainability.study.network import Module
from trainability.tuning.choices import Choice, written
from trainability.tuning.dimensions import Dimension
from trainability.tuning.space import Condition, Space

Path = tuple[str, ...]
"""An axis, then the fields that lead to the setting."""
FIXED = {name: axis.not_tuned for name, axis in AXIS.items() if axis.not_tuned}
"""Axes that a tuning can't vary, and why: candidates would not be comparable."""
TUNABLE = tuple(name for name in AXES if name not in FIXED)
_DEEPEST = 6
_WANTED = "a range, such as Range(0.01, 10, log=True), Integers(2, 64) or Choice([ReLU(), GELU()])"


def paths_of(
    vary: Mapping[str, Any], fixed: Mapping[str, Any]
) -> tuple[dict[str, Path], list[str]]:
    """The places of settings by their names, and what is wrong with these names.

    Args:
        vary: Dimensions by name.
        fixed: The values of the axes: the default's, where they vary.
    """
    paths: dict[str, Path] = {}
    by_path: dict[Path, Any] = {}
    problems = []
    # What a field may be a part of comes before the field.
    for name in sorted(vary, key=lambda name: str(name).count(".")):
        path = _path_of(name, fixed, by_path)
        if isinstance(path, str):
            problems.append(path)
        elif path in by_path:
            problems.append(f"vary {shown(name)}: {'.'.join(path)} varies already")
        else:
            paths[name], by_path[path] = path, vary[name]
    return paths, problems


def _path_of(name: Any, fixed: Mapping[str, Any], vary: Mapping[Path, Any]) -> Path | str:
    """The place of a setting, or what is wrong with its name."""
    if not isinstance(name, str):
        return f"vary {shown(name)}: wanted the name of a setting, as a text"
    first, *rest = path = tuple(name.split("."))
    if first in FIXED and first in fixed:
        return f"vary {shown(name)}: {FIXED[first]}, so that candidates could not be compared"
    if first in fixed:
        if not rest or _options(path, fixed, vary):
            return path
    elif len(path) == 1:
        owners = {
            axis: values[0]
            for axis in fixed
            if axis in TUNABLE
            and (values := [v for v in _options((axis,), fixed, vary) if name in _fields(v)])
        }
        if len(owners) == 1:
            return (*owners, name)
        if owners:
            both = " and ".join(type(value).__name__ for value in owners.values())
            places = " or ".join(f"{axis}.{name}" for axis in owners)
            return f"vary {shown(name)}: {both} both have it; wanted {places}"
    places = _all_places(fixed, vary)
    # A field alone is suggested as such, for that is how it was written.
    words = places if rest else [place.rpartition(".")[2] for place in places]
    return (
        f"vary {shown(name)}: unknown; wanted one of {', '.join(places)}{did_you_mean(name, words)}"
    )


def _all_places(fixed: Mapping[str, Any], vary: Mapping[Path, Any]) -> list[str]:
    """The names of all that could vary."""
    places: dict[str, None] = {}
    for axis in TUNABLE:
        if axis in fixed:
            places[axis] = None
            for value in _options((axis,), fixed, vary):
                places |= dict.fromkeys(_below(axis, value, 0))
    return list(places)


def dimension_problems(name: str, path: Path | None, dimension: Any) -> list[str]:
    """What is wrong with a dimension by itself: by the check of its axis, if it is an axis."""
    if not isinstance(dimension, Dimension):
        return [f"vary {shown(name)} must be {_WANTED}, got {shown(dimension)}"]
    axis, *rest = path or ("",)
    if not axis or rest:
        return []
    return [f"vary {shown(name)}: {p}" for p in value_problems(axis, list(dimension.ends))]


def space_of(paths: Mapping[str, Path], vary: Mapping[str, Dimension]) -> Space:
    """The search space: a field of what varies is there where the chosen value has it."""
    names = {path: name for name, path in paths.items()}
    conditions = {}
    for name, path in paths.items():
        for cut in range(len(path) - 1, 0, -1):
            parent = names.get(path[:cut])
            if parent is not None:
                values = tuple(value for value in vary[parent].ends if _has(value, path[cut:]))
                conditions[name] = Condition(parent, values)
                break
    always = {
        name
        for name, condition in conditions.items()
        if len(condition.values) == len(vary[condition.on].ends)
    }
    for name in sorted(always, key=lambda name: len(paths[name])):
        if conditions[name].on not in conditions:
            del conditions[name]
    return Space(dict(vary), conditions, _categories(paths, vary))


def _categories(
    paths: Mapping[str, Path], vary: Mapping[str, Dimension]
) -> dict[str, Sequence[str]]:
    """Texts of values some field of which varies by itself: L2() for one of any coefficient."""
    categories: dict[str, Sequence[str]] = {}
    for name, part in vary.items():
        path = paths[name]
        below = {
            other[len(path)] for other in paths.values() if other[: len(path)] == path != other
        }
        if below and not part.is_ordered:
            texts = [_without(value, below) for value in part.ends]
            if len(set(texts)) == len(texts):
                categories[name] = texts
    return categories


def _without(value: Any, names: set[str]) -> str:
    """A value as it is written, without some of its fields."""
    if not names.intersection(_fields(value)):
        return written(value)
    if isinstance(value, Module):
        return str(value.with_arguments(names))
    settings = [
        f"{field.name}={getattr(value, field.name)!r}"
        for field in dataclasses.fields(value)
        if field.init
        and field.name not in names
        and not callable(getattr(value, field.name))
        and getattr(value, field.name) != field.default
    ]
    return f"{type(value).__name__}({', '.join(settings)})"


def with_changes(value: Any, changes: Mapping[Path, Any]) -> Any:
    """A value with other settings.

    Args:
        value: A strategy, or anything that an axis may hold.
        changes: New values by the fields that lead to them; () for the value itself.
    """
    value = changes.get((), value)
    inner: dict[str, dict[Path, Any]] = {}
    for path, new in changes.items():
        if path:
            inner.setdefault(path[0], {})[path[1:]] = new
    if not inner:
        return value
    fields = {name: with_changes(value_at(value, [name]), part) for name, part in inner.items()}
    if isinstance(value, Module):
        return value.with_arguments(**fields)
    return dataclasses.replace(value, **fields)


def value_at(value: Any, path: Sequence[str]) -> Any:
    """What a setting of a value is.

    Raises:
        AttributeError: If it has no such setting.
    """
    for name in path:
        if isinstance(value, Module):
            if name not in value.arguments:
                raise AttributeError(f"{value!r} names no argument {name}")
            value = value.arguments[name]
        else:
            value = getattr(value, name)
    return value


def _options(path: Path, fixed: Mapping[str, Any], vary: Mapping[Path, Any]) -> list[Any]:
    """The values that a setting may have, as far as they are known one by one."""
    dimension = vary.get(path)
    if isinstance(dimension, Choice):
        return list(dimension.values)
    if len(path) == 1:
        axis = path[0]
        return [fixed[axis]] if axis in fixed else []
    owners = _options(path[:-1], fixed, vary)
    return [value_at(value, path[-1:]) for value in owners if path[-1] in _fields(value)]


def _has(value: Any, path: Sequence[str]) -> bool:
    """Whether a value has a setting at this place."""
    for name in path:
        if name not in _fields(value):
            return False
        value = value_at(value, [name])
    return True


def _fields(value: Any) -> list[str]:
    if isinstance(value, Module):
        return list(value.arguments)
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return []
    return [field.name for field in dataclasses.fields(value) if field.init]


def _below(name: str, value: Any, level: int) -> list[str]:
    if level > _DEEPEST:
        return []
    return [
        place
        for field in _fields(value)
        for inner in [f"{name}.{field}"]
        for place in [inner, *_below(inner, value_at(value, [field]), level + 1)]
    ]
