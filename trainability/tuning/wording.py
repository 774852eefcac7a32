"""Candidates as people write them."""

from __future__ import annotations

from trainability.study.axes import STRATEGIES, label
from trainability.tuning.choices import written as value_text
from trainability.tuning.declaration import Tuning
from trainability.tuning.objectives import Estimate
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


def interval(estimate: Estimate, sign: bool = False) -> str:
    """A value with its interval: "0.957 [0.953, 0.961]"."""
    form = "+.3g" if sign else ".4g"
    low, high = (f"{end:{form}}" for end in (estimate.low, estimate.high))
    return f"{estimate.value:{form}} [{low}, {high}]"
