"""Numbers and lists as text, for sentences and for tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from trainability.findings.percent import percent


def at_most(bound: float) -> str:
    """An upper bound of a probability in percent, rounded up where `percent` has no digits for it.

    >>> at_most(0.35844), at_most(0.9999999), at_most(1e-9)
    ('≤ 35.8', '≤ 100', '≤ 0.001')
    """
    return f"≤ {percent(bound)}".replace(">99.999", "100").replace("<", "")


def with_interval(value: float, low: float, high: float) -> str:
    """A probability and its interval, in percent."""
    return "-" if pd.isna(value) else f"{percent(value)} [{percent(low)}, {percent(high)}]"


def points(value: float) -> str:
    """A difference of probabilities in percentage points, with one digit.

    >>> points(0.1234), points(-0.0001)
    ('12.3', '0.0')
    """
    return f"{round(100 * value, 1) + 0.0:.1f}"


def p_text(p_value: float) -> str:
    """A p-value with two digits.

    >>> p_text(0.0), p_text(0.01234)
    ('< 1e-300', '0.012')
    """
    if pd.isna(p_value):
        return "-"
    return "< 1e-300" if p_value < 1e-300 else f"{p_value:.2g}"


def number(value: float) -> str:
    """A number with four digits, whole ones with all."""
    if pd.isna(value):
        return "-"
    return "∞" if np.isinf(value) else f"{value:,.4g}" if value % 1 else f"{value:,.0f}"


def joined(parts: Sequence[str]) -> str:
    """A list in a sentence.

    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def all_of(n: int, noun: str) -> str:
    """All things of a kind: "all 40 cells", "the one cell"."""
    return f"the one {noun}" if n == 1 else f"all {n:,} {noun}s"
