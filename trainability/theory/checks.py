"""What is wrong with an argument: lists of messages for `errors.refuse`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from trainability.domains import Domain


def number_problem(
    owner: str, name: str, value: Any, *, least: float = 0.0, above: bool = False
) -> list[str]:
    """Empty if `value` is a finite number >= `least` (or > `least`, if `above`)."""
    ok = (
        isinstance(value, int | float | np.number)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and (value > least if above else value >= least)
    )
    sign = ">" if above else ">="
    return [] if ok else [f"{owner} {name} must be a finite number {sign} {least:g}, got {value!r}"]


def count_problem(owner: str, name: str, value: Any, least: int = 1) -> list[str]:
    """Empty if `value` is an int >= `least`."""
    if is_count(value) and value >= least:
        return []
    return [f"{owner} {name} must be an int >= {least}, got {value!r}"]


def width_problems(owner: str, widths: Any) -> list[str]:
    """Empty if `widths` is a sequence of at least one int >= 1."""
    if isinstance(widths, str) or not isinstance(widths, Sequence | np.ndarray) or not len(widths):
        return [f"{owner} widths must list the neurons of every hidden layer, got {widths!r}"]
    return [problem for n in widths for problem in count_problem(owner, "width", n)]


def domain_problem(owner: str, domain: Any) -> list[str]:
    """Empty if `domain` is a domain."""
    if isinstance(domain, Domain):
        return []
    return [f"{owner} domain must be a Ball, Box or Points of trainability.domains, got {domain!r}"]


def is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
