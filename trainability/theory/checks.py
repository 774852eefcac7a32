"""What is wrong with an argument of theory: lists of messages for `errors.refuse`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainability.checks import count_problem, is_number, shown
from trainability.checks import is_int as is_count
from trainability.domains import Domain
from trainability.lazy import numpy as np

__all__ = ["count_problem", "domain_problem", "is_count", "number_problem", "width_problems"]

MOST_WIDTH = 1_000_000
"""A law of counts has one number per neuron, and more."""
MOST_LAYERS = 100_000


def number_problem(
    owner: str, name: str, value: Any, *, least: float = 0.0, above: bool = False
) -> list[str]:
    """Empty if `value` is a finite number >= `least` (or > `least`, if `above`).

    Unlike a setting it need not be one that float32 holds: laws are computed in float64.
    """
    if is_number(value) and (value > least if above else value >= least):
        return []
    sign = ">" if above else ">="
    return [f"{owner} {name} must be a finite number {sign} {least:g}, got {shown(value)}"]


def width_problems(owner: str, widths: Any) -> list[str]:
    """Empty if `widths` is a sequence of at least one int from 1 to a million."""
    if (
        isinstance(widths, str)
        or not isinstance(widths, Sequence | np.ndarray)
        or np.ndim(widths) == 0
        or not 0 < len(widths) <= MOST_LAYERS
    ):
        return [f"{owner} widths must list the neurons of every hidden layer, got {shown(widths)}"]
    problems = (count_problem(owner, "width", n, most=MOST_WIDTH) for n in widths)
    return [problem for of_width in problems for problem in of_width]


def domain_problem(owner: str, domain: Any) -> list[str]:
    """Empty if `domain` is a domain."""
    if isinstance(domain, Domain):
        return []
    return [
        f"{owner} domain must be a Ball, Box or Points of trainability.domains, got {shown(domain)}"
    ]
