"""What an initialization scheme is: a frozen dataclass of its settings that draws layers."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import ClassVar

from trainability.checks import (
    canonical_setting,
    choice_problem,
    counted,
    is_number,
    number_problem,
    settle_fields,
    shown,
)
from trainability.errors import InputError, refuse
from trainability.lazy import numpy as np
from trainability.theory.layer import Layer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.theory.laws import NeuronLaw


class Scheme(ABC):
    """An initialization scheme.

    To add one: subclass, `@dataclass(frozen=True)`, settings as fields, `draw`, and a docstring
    with the reference. `law` is optional: without it the theory falls back on sampling.
    """

    needs_data: ClassVar[bool] = False
    """Whether `draw` looks at the layer's inputs at the training points."""

    keeps_modules: ClassVar[bool] = False
    """Whether a module of the user's stays as PyTorch draws it; `draw` is for other networks."""

    @abstractmethod
    def draw(self, layer: Layer, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Weights of shape (R, fan_out, fan_in) and biases of shape (R, fan_out), float64.

        Whoever draws a layer calls `draw_layer`, which looks at what is returned here.
        """

    def law(self, fan_in: int, fan_out: int) -> NeuronLaw | None:
        """Law of a neuron of a hidden layer, or None where no closed form is known."""
        return None

    def __str__(self) -> str:
        """The scheme as one writes it: its name and the settings that differ from the default."""
        return describe(self)


def draw_layer(
    scheme: Scheme, layer: Layer, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """What the scheme draws for the layer: weights (R, fan_out, fan_in) and biases (R, fan_out).

    Raises:
        InputError: If it is anything else than two arrays of these shapes, of finite real numbers.
    """
    drawn = scheme.draw(layer, rng)
    shape = (layer.n_networks, layer.fan_out, layer.fan_in)
    place = f"layer {layer.name or layer.index} of {layer.depth}"
    wanted = f"weights of shape {shape} and biases of shape {shape[:2]} for {place}"
    if not isinstance(drawn, tuple | list) or len(drawn) != 2:
        got = (
            counted(len(drawn), "value")
            if isinstance(drawn, tuple | list)
            else type(drawn).__name__
        )
        raise InputError(f"{scheme} must draw {wanted}, got {got}; return (weight, bias)")
    problems = []
    for name, values, size in zip(("weights", "biases"), drawn, (shape, shape[:2]), strict=True):
        if values is None:
            problem = f"none; without a bias return np.zeros({size})"
        elif not isinstance(values, np.ndarray):
            problem = f"a {type(values).__name__}; return NumPy arrays"
        elif values.dtype.kind not in "fiu":
            problem = f"dtype {values.dtype}; return float64"
        elif values.shape != size:
            problem = f"shape {values.shape}"
        elif not np.isfinite(values).all():
            n_bad = int((~np.isfinite(values)).sum())
            problem = f"{n_bad} of {values.size} that are NaN or infinite; look at its settings"
        else:
            continue
        problems.append(
            f"{scheme} must draw finite {name} of shape {size} for {place}, got {problem}"
        )
    refuse(problems)
    weight, bias = drawn
    return weight, bias


def describe(strategy: object, as_given: bool = False) -> str:
    """A frozen dataclass as one writes it, settings at their default left out.

    Code is left out too: how it is written depends on the process, and what has code in its
    settings has a name beside it.

    Args:
        strategy: The dataclass.
        as_given: Whether settings are written as they were given, not in their canonical form:
            where the text is no part of an identity, so that stored rows keep theirs.
    """
    settings = []
    for field in dataclasses.fields(strategy):  # type: ignore[arg-type]
        value = getattr(strategy, field.name)
        value = value if as_given else canonical_setting(field, value)
        if not callable(value) and not _is_default(value, field):
            written = str(value) if isinstance(value, Scheme) else repr(value)
            settings.append(f"{field.name}={written}")
    return f"{type(strategy).__name__}({', '.join(settings)})"


def settle(
    strategy: object,
    *,
    one_of: Mapping[str, Collection[object]] | None = None,
    above: Mapping[str, float] | None = None,
    at_least: Mapping[str, float] | None = None,
    at_most: Mapping[str, float] | None = None,
) -> None:
    """Refuse what is wrong with the settings of a frozen dataclass, all problems at once.

    Numbers become floats, so that `He(bias_std=1)` and `He(bias_std=1.0)` are written alike:
    the text of a scheme is part of a cell's identity.

    Args:
        strategy: The dataclass, in its `__post_init__`.
        one_of: The values allowed for a setting.
        above: Numeric settings and what each must exceed.
        at_least: Numeric settings and the least that each may be.
        at_most: Numeric settings, of those in `above` or `at_least`, and the most.
    """
    owner = type(strategy).__name__
    problems = []
    for name, allowed in (one_of or {}).items():
        problems += choice_problem(owner, name, getattr(strategy, name), allowed)
    for name, bound in (above or {}).items():
        problems += number_problem(owner, name, getattr(strategy, name), above=bound)
    for name, bound in (at_least or {}).items():
        problems += number_problem(owner, name, getattr(strategy, name), at_least=bound)
    for name, bound in (at_most or {}).items():
        value = getattr(strategy, name)
        if is_number(value) and value > bound:
            problems.append(f"{owner} {name} must be at most {bound:g}, got {shown(value)}")
    refuse(problems)
    for name in (*(above or {}), *(at_least or {})):
        # Adding 0.0 turns -0.0, which is written differently, into 0.0.
        object.__setattr__(strategy, name, float(getattr(strategy, name)) + 0.0)
    settle_fields(strategy)


def _is_default(value: object, field: dataclasses.Field) -> bool:
    try:
        return bool(value == field.default)
    except Exception:  # an array, say, whose == gives no answer
        return False
