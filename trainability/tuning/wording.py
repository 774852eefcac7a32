"""Candidates as people write them."""

from __future__ import annotations

from trainability.findings.percent import percent
from trainability.study.axes import STRATEGIES, label
from trainability.tuning.choices import written as value_text
from trainability.tuning.declaration import Tuning
from trainability.tuning.objectives import Estimate, Objective
from trainability.tuning.space import Settings


def written(tuning: Tuning, settings: Settings | None) -> str:
    """A candidate, or the default for None: its scheme, and beside it every axis that varies."""
    chosen = tuning.chosen(settings)
    parts = [str(chosen["scheme"])]
    for axis in tuning.axes:
        if axis != "scheme":
            text = value_text(chosen[axis])
            clear = axis in STRATEGIES and chosen[axis] is not None
            parts.append(text if clear else f"{label(axis)} {text}")
    return ", ".join(parts)


def pasted(tuning: Tuning, settings: Settings | None) -> str:
    """A candidate as arguments of a study."""
    chosen = tuning.chosen(settings)
    names = dict.fromkeys(["scheme", "optimizer", *tuning.axes])
    as_made = {*STRATEGIES} - {"network"}  # which is written as the function is called
    values = {n: str(chosen[n]) if n in as_made else repr(chosen[n]) for n in names}
    return "".join(f"{name}={value}, " for name, value in values.items()).rstrip()


def number(objective: Objective, value: float, sign: bool = False) -> str:
    """A value as people write it: a share in percent, 0 and 100 only where it is 0 or 1.

    >>> from trainability.tuning.objectives import MedianSteps, SuccessRate
    >>> number(SuccessRate(), 0.9022), number(SuccessRate(), 0.0444, sign=True)
    ('90.2', '+4.4')
    >>> number(SuccessRate(), 0.99996), number(MedianSteps(), 12345.0)
    ('99.996', '12,345')
    """
    plus = "+" if sign else ""
    if not objective.is_share:
        return f"{value:{plus},.6g}"
    if sign:
        return f"{round(100 * value, 1) + 0.0:+.1f}"
    return percent(value)


def interval(objective: Objective, estimate: Estimate, sign: bool = False) -> str:
    """A value with its interval, without its unit: "90.2 [89.8, 90.7]"."""
    value, low, high = (
        number(objective, part, sign) for part in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value} [{low}, {high}]"


def measured(objective: Objective, estimate: Estimate, sign: bool = False) -> str:
    """The same in a sentence: "90.2 % [89.8, 90.7]"; as a difference in percentage points."""
    value, _, limits = interval(objective, estimate, sign).partition(" ")
    unit = " percentage points" if sign else " %"
    return f"{value}{unit * objective.is_share} {limits}"


def heading(objective: Objective) -> str:
    """What is measured, with its unit, above a column."""
    return objective.words + ", %" * objective.is_share
