"""A probability as people read it."""

from __future__ import annotations

import pandas as pd


def percent(value: float) -> str:
    """A probability in percent, without the sign: 0 and 100 only where it is 0 or 1.

    >>> percent(0.35844), percent(0.99996), percent(1.0), percent(1e-9)
    ('35.8', '99.996', '100', '<0.001')
    """
    if pd.isna(value):
        return "-"
    if value in (0, 1):
        return f"{100 * value:.0f}"
    for digits in (1, 2, 3):
        text = f"{100 * value:.{digits}f}"
        if float(text) not in (0, 100):
            return text
    return "<0.001" if value < 0.5 else ">99.999"
