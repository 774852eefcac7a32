"""What theory predicts of candidates before any is trained: a search may start at the best.

It costs no network of the budget, and as much time as following the networks takes: 48 candidates
of 512 networks, about what training as many takes on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from trainability import seeds
from trainability.analysis.predicted import predicted_success
from trainability.tuning.objectives import SuccessRate
from trainability.tuning.space import Settings

if TYPE_CHECKING:
    from trainability.tuning.declaration import Tuning

THEORY = "theory"
_N_PROPOSED = 48
_N_SAMPLES = 512
"""Networks that the law follows for each: a standard error of at most 0.022."""
_N_BEST = 4
_APART = 0.05
"""Least distance between those that are chosen, in shares of the ranges."""


def prior_problems(tuning: Tuning) -> list[str]:
    """Empty if the prior of a tuning may be used."""
    if tuning.prior is None:
        return []
    if tuning.prior != THEORY:
        return [f"prior must be None or {THEORY!r}, got {tuning.prior!r}"]
    if not isinstance(tuning.objectives[0], SuccessRate):
        return [
            f"prior {THEORY!r} predicts success rates: it wants SuccessRate as the first "
            f"objective, got {tuning.objectives[0]}"
        ]
    return []


def predicted_best(
    tuning: Tuning, is_allowed: Callable[[Settings], bool] = lambda _: True
) -> dict[Settings, float]:
    """Of a Latin hypercube of candidates those with the most success by theory, the best first.

    Args:
        tuning: With the prior "theory".
        is_allowed: Whether settings may be trained at all.

    Returns:
        At most four, apart from each other, with their predicted success rates; none if theory
        predicts none.
    """
    space, width = tuning.space, tuning.objectives[0].widths[0]
    rng = seeds.stream(tuning.seed, "prior of a search", "tuning")
    shape = (_N_PROPOSED, len(space.names))
    strata = rng.permuted(np.tile(np.arange(_N_PROPOSED)[:, None], (1, shape[1])), axis=0)
    proposed = map(space.at, (strata + rng.random(shape)) / _N_PROPOSED)
    values = {
        settings: p.value
        for settings in dict.fromkeys(filter(is_allowed, proposed))
        if (p := predicted_success(tuning.cell(settings, width), _N_SAMPLES)) is not None
    }
    chosen: list[Settings] = []
    for settings in sorted(values, key=lambda settings: -values[settings]):
        place = space.features([settings])
        if not chosen or space.gaps(place, space.features(chosen)).min() > _APART:
            chosen.append(settings)
    return {settings: values[settings] for settings in chosen[:_N_BEST]}
