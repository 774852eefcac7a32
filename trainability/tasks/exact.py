"""Numbers with a large offset, such as timestamps, kept exact where only differences count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from trainability.lazy import numpy as np

LARGE_OFFSET = 1e6
"""Largest over spread above which a column is shifted before anything else is done with it. Below,
rounding to float64 and subtracting the mean lose less than a hundredth of a float32's last digit.
Columns that need no shift keep their bytes, which are part of a cell's identity.
"""


def has_large_offset(numbers: np.ndarray) -> bool:
    """Whether the numbers, shape (N,), are far from 0 beside their spread; NaN don't count."""
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return False
    with np.errstate(over="ignore"):
        return bool(np.abs(finite).max() > LARGE_OFFSET * (finite.max() - finite.min()))


def shifted(
    numbers: np.ndarray, exactly: Callable[[], Sequence[Decimal | int | None]]
) -> np.ndarray:
    """A column, less its least number where it has an offset that float64 can't hold.

    Args:
        numbers: The column rounded to float64, shape (N,).
        exactly: The same numbers as they were given; None where one is missing or infinite.

    Returns:
        Differences that are right to the last digit; the column itself where rounding lost
        nothing or all of its numbers are one.
    """
    if not has_large_offset(numbers):
        return numbers
    values = exactly()
    given = [value for value in values if value is not None]
    least = min(given)
    if all(float(value) == value for value in given) or all(value == least for value in given):
        return numbers
    return np.array(
        [
            number if value is None else float(value - least)  # type: ignore[operator]
            for number, value in zip(numbers.tolist(), values, strict=True)
        ]
    )
