"""The grid of a study: what is wrong with the values of its axes, and with its size."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from trainability.catalogs import closest, did_you_mean
from trainability.checks import shown, size_of
from trainability.study.axes import AXES, AXIS, STRATEGIES, value_problems
from trainability.study.limits import MOST_CELLS
from trainability.study.network import SHAPE, Module, module_problems, networks_of
from trainability.study.widths import depth_contradictions, twice


def canonical_axes(axes: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The axes with lists of plain values: numbers of one value are written one way."""
    return {name: [AXIS[name].settled(value) for value in values] for name, values in axes.items()}


def axis_problems(axes: Any, fixed: Mapping[str, Any]) -> list[str]:
    """What is wrong with the values of each axis by itself, and with the size of the grid.

    Args:
        axes: As a study was given them.
        fixed: The values of a study's fields, for axes that don't vary.
    """
    if not isinstance(axes, Mapping):
        return [f'axes must map names to lists, such as {{"width": [2, 4]}}, got {shown(axes)}']
    fits = True
    unknown = [name for name in axes if name not in AXES]
    problems = [
        f"unknown axis {shown(name)}; wanted some of {', '.join(AXES)}"
        + (_setting_of(name, axes, fixed) or did_you_mean(name, AXES))
        for name in unknown
    ]
    meant = {closest(name, AXES) for name in unknown}
    problems += _success_problems(axes, fixed)
    problems += module_problems(axes, fixed)
    own_shape = networks_of(axes, fixed).count(None) == 0
    given = axes.get("network", [fixed["network"]])
    has_wrong_network = isinstance(given, list | tuple) and any(
        value is not None and not isinstance(value, Module) for value in given
    )
    n_cells = 1
    for name in AXES:
        if name not in axes:
            if name in SHAPE and fixed[name] is None and (own_shape or name == "depth"):
                continue  # every width has its own depth, and a module may have neither
            if fixed[name] is None and (name in meant or (name in SHAPE and has_wrong_network)):
                fits = False
                continue  # what is wrong is said already
            if name != "tolerance" or fixed[name] is not None or _has_tolerance(axes, fixed):
                wrong = AXIS[name].problems(fixed[name])
                problems += wrong
                fits = fits and not (wrong and name in SHAPE)
            continue
        values = axes[name]
        if not isinstance(values, list | tuple | range) or not size_of(values):
            is_list = isinstance(values, list | tuple | range)
            problems.append(
                f"axis {name} must be a list of at least one value, got {shown(values)}"
                + ("" if is_list else f'; did you mean "{name}": [{shown(values)}]?')
            )
            fits = fits and name not in SHAPE
            continue
        n_cells *= size_of(values)
        if n_cells > MOST_CELLS:
            problems.append(f"the grid must have at most {MOST_CELLS:,} cells, got {n_cells:,}")
            return problems
        wrong = value_problems(name, values)
        problems += wrong
        fits = fits and not (wrong and name in SHAPE)
    fits = fits and not own_shape
    return problems + (_shape_problems(axes, fixed) if fits else [])


def _setting_of(name: Any, axes: Mapping[str, Any], fixed: Mapping[str, Any]) -> str:
    """Of what a name is a setting that the study uses, to be appended to a message."""
    for axis in STRATEGIES:
        values = axes.get(axis, [fixed[axis]])
        for value in values if isinstance(values, list | tuple) else []:
            if dataclasses.is_dataclass(value) and name in _settings(value):
                kind = type(value).__name__
                made = f"{kind}({name}=...)"
                return f'. It is a setting of {kind}: write "{axis}": [{made}, {made}]'
    return ""


def _settings(strategy: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(strategy) if field.init]


def _shape_problems(axes: Mapping[str, Any], fixed: Mapping[str, Any]) -> list[str]:
    """What is wrong with widths and depths together."""
    widths, depths = (list(axes.get(name, [fixed[name]])) for name in ("width", "depth"))
    return depth_contradictions(widths, depths) or twice(widths, depths)


def _has_tolerance(axes: Mapping[str, Any], fixed: Mapping[str, Any]) -> bool:
    """Whether success is a loss anywhere: where no target accuracy is given."""
    accuracies = axes.get("target_accuracy", [fixed["target_accuracy"]])
    return not isinstance(accuracies, list | tuple) or any(value is None for value in accuracies)


def _success_problems(axes: Mapping[str, Any], fixed: Mapping[str, Any]) -> list[str]:
    """What is wrong with saying when a network has succeeded in two ways."""
    given = "tolerance" in axes or fixed["tolerance"] is not None
    if given and not _has_tolerance(axes, fixed):
        return [
            "tolerance is of the loss, and target_accuracy says when a network has succeeded; "
            "leave one of them out"
        ]
    if "tolerance" in axes and "target_accuracy" in axes:
        return [
            "axes tolerance and target_accuracy can't both vary: a cell has one or the other; "
            "fix one of them"
        ]
    return []
