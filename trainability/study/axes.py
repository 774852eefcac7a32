"""The axes of a study: which there are, and what their values must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

from trainability.activations import Activation
from trainability.catalogs import did_you_mean
from trainability.checks import (
    int_problem,
    is_number,
    number_problem,
    plain,
    shown,
    size_of,
    strategy_problems,
)
from trainability.losses import Loss
from trainability.optimizers import Optimizer
from trainability.penalties import Penalty
from trainability.schemes.base import Scheme
from trainability.study.limits import MOST_CELLS, MOST_STEPS
from trainability.study.network import SHAPE, Module, module_problems, networks_of
from trainability.study.widths import (
    MOST_DEPTH,
    Width,
    depth_contradictions,
    plain_width,
    twice,
    width_problems,
)
from trainability.tasks.base import Task


class Axes(TypedDict, total=False):
    """The values that vary; the grid is their product."""

    task: Sequence[Task]
    scheme: Sequence[Scheme]
    width: Sequence[Width]
    depth: Sequence[int]
    optimizer: Sequence[Optimizer]
    batch_size: Sequence[int | None]
    max_steps: Sequence[int]
    tolerance: Sequence[float]
    activation: Sequence[Activation]
    loss: Sequence[Loss]
    penalty: Sequence[Penalty | None]
    target_accuracy: Sequence[float | None]
    network: Sequence[Module | None]


AXES = tuple(Axes.__annotations__)
"""Every axis, in the order of the cells; each is the column of that name."""
STRATEGIES = ("task", "scheme", "optimizer", "activation", "loss", "penalty", "network")
"""The axes whose values are written as one makes them, such as He(bias_std=0.1)."""


def label(name: str) -> str:
    """An axis as people write it."""
    return name.replace("_", " ")


def canonical_axes(axes: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The axes with lists of plain values: numbers of one value are written one way."""
    as_written: dict[str, Callable[[Any], Any]] = {
        "tolerance": float,
        "width": plain_width,
        "target_accuracy": lambda value: None if value is None else float(value),
    }
    return {
        name: [as_written.get(name, plain)(value) for value in values]
        for name, values in axes.items()
    }


def axis_problems(axes: Any, fixed: Mapping[str, Any]) -> list[str]:
    """What is wrong with the values of each axis by itself, and with the size of the grid.

    Args:
        axes: As a study was given them.
        fixed: The values of a study's fields, for axes that don't vary.
    """
    if not isinstance(axes, Mapping):
        return [f'axes must map names to lists, such as {{"width": [2, 4]}}, got {shown(axes)}']
    fits = True
    problems = [
        f"unknown axis {shown(name)}; wanted some of {', '.join(AXES)}{did_you_mean(name, AXES)}"
        for name in axes
        if name not in AXES
    ]
    problems += _success_problems(axes, fixed)
    problems += module_problems(axes, fixed)
    own_shape = networks_of(axes, fixed).count(None) == 0
    n_cells = 1
    for name in AXES:
        if name not in axes:
            if name in SHAPE and fixed[name] is None and (own_shape or name == "depth"):
                continue  # every width has its own depth, and a module may have neither
            if name != "tolerance" or fixed[name] is not None or _has_tolerance(axes, fixed):
                wrong = _value_problems(name, fixed[name])
                problems += wrong
                fits = fits and not (wrong and name in SHAPE)
            continue
        values = axes[name]
        if not isinstance(values, list | tuple | range) or not size_of(values):
            problems.append(
                f"axis {name} must be a list of at least one value, got {shown(values)}; "
                f'did you mean "{name}": [{shown(values)}]?'
            )
            fits = fits and name not in SHAPE
            continue
        n_cells *= size_of(values)
        if n_cells > MOST_CELLS:
            problems.append(f"the grid must have at most {MOST_CELLS:,} cells, got {n_cells:,}")
            return problems
        wrong = [problem for value in values for problem in _value_problems(name, value)]
        wrong = wrong or _twice(name, list(values))
        problems += wrong
        fits = fits and not (wrong and name in SHAPE)
    fits = fits and not own_shape
    return problems + (_shape_problems(axes, fixed) if fits else [])


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


def value_problems(name: str, values: Sequence[Any]) -> list[str]:
    """What is wrong with some values of one axis."""
    wrong = [problem for value in values for problem in _value_problems(name, value)]
    return list(dict.fromkeys(wrong)) or _twice(name, list(values))


def _twice(name: str, values: list[Any]) -> list[str]:
    """What is there twice: the same value, or two that nobody could tell apart in a table."""
    if name in STRATEGIES:
        written = [str(value) for value in values]
        for place, text in enumerate(written):
            first = written.index(text)
            if first < place and values[first] != values[place]:
                return [
                    f"axis {name} has different values that are written alike, {text}; give them "
                    "names or settings by which they can be told apart"
                ]
        distinct = set(written)
    else:
        distinct = set(values)
    if len(distinct) < len(values):
        return [f"axis {name} holds a value twice: {shown(values)}"]
    return []


def _value_problems(name: str, value: Any) -> list[str]:
    return _CHECKS[name](name, value)


def _strategy(kind: Any, wanted: str, optional: bool = False) -> Callable[[str, Any], list[str]]:
    def check(name: str, value: Any) -> list[str]:
        if value is None and optional:
            return []
        if not isinstance(value, kind):
            return [f"{name} must be {wanted}, got {shown(value)}"]
        return strategy_problems(name, value)

    return check


def _whole(least: int, most: int) -> Callable[[str, Any], list[str]]:
    return lambda name, value: int_problem(name, value, least, most)


def _depth(name: str, value: Any) -> list[str]:
    return int_problem(name, value, 2, MOST_DEPTH)


def _batch_size(name: str, value: Any) -> list[str]:
    return int_problem(name, value, 1, optional=True)


def _tolerance(name: str, value: Any) -> list[str]:
    return number_problem("", name, value, above=0)


def _target_accuracy(name: str, value: Any) -> list[str]:
    if value is None or (is_number(value) and 0 < value <= 1):
        return []
    return [
        f"{name} must be None or a share of the training points, > 0 and <= 1, got {shown(value)}"
    ]


def _network(name: str, value: Any) -> list[str]:
    if value is None or isinstance(value, Module):
        return []
    return [
        f"{name} must be None, for fully connected networks, or Module(build) with a function that "
        f"returns a torch.nn.Module, got {shown(value)}"
    ]


_CHECKS: dict[str, Callable[[str, Any], list[str]]] = {
    "task": _strategy(Task, "a task, such as AbsoluteValue()"),
    "scheme": _strategy(Scheme, "a scheme, such as He()"),
    "width": width_problems,
    "depth": _depth,
    "optimizer": _strategy(Optimizer, "an optimizer, such as Adam(learning_rate=5e-3)"),
    "batch_size": _batch_size,
    "max_steps": _whole(1, MOST_STEPS),
    "tolerance": _tolerance,
    "activation": _strategy(Activation, "an activation, such as ReLU()"),
    "loss": _strategy(Loss, "a loss, such as MeanSquaredError()"),
    "penalty": _strategy(Penalty, "None or a penalty, such as L2(coefficient=1e-4)", optional=True),
    "target_accuracy": _target_accuracy,
    "network": _network,
}
