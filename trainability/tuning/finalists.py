"""Who is evaluated again when the search is over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trainability.tuning.search import Standing
from trainability.tuning.space import Settings, Space

N_BEST = 3
N_FRONT = 5
_APART = 0.05
"""Least distance between finalists, in shares of the ranges: nearer ones are hardly different."""


def recommended(standings: Sequence[Standing]) -> Settings:
    """The candidate with the best expected first score."""
    return max(standings, key=lambda standing: standing.expected[0]).settings


def best_observed(standings: Sequence[Standing]) -> Settings:
    """The candidate with the best first score as measured: what a naive search would report."""
    return max(standings, key=lambda standing: standing.scores[0]).settings


def finalists(space: Space, standings: Sequence[Standing]) -> list[Settings]:
    """The recommended candidate, its best rivals that differ from it, and the best observed.

    With two objectives: candidates along the expected Pareto front, from end to end.
    """
    if len(standings[0].scores) == 2:
        front = pareto_front([standing.expected for standing in standings])
        spread = np.unique(np.linspace(0, len(front) - 1, N_FRONT).round().astype(int))
        return [standings[front[index]].settings for index in spread]
    ranked = sorted(standings, key=lambda standing: -standing.expected[0])
    chosen: list[Settings] = []
    for standing in ranked:
        gaps = space.gaps(space.features(chosen), space.features([standing.settings]))
        if len(chosen) < N_BEST and standing.hopeful and (gaps > _APART).all():
            chosen.append(standing.settings)
    observed = best_observed(standings)
    return chosen if observed in chosen else [*chosen, observed]


def pareto_front(scores: Sequence[Sequence[float]]) -> list[int]:
    """Indices of the points that no other point beats, the best in the first score first.

    >>> pareto_front([(1, 3), (2, 2), (1, 1), (3, 0)])
    [3, 1, 0]
    """
    order = sorted(range(len(scores)), key=lambda i: (-scores[i][0], -scores[i][1]))
    front: list[int] = []
    for index in order:
        if not front or scores[index][1] > scores[front[-1]][1]:
            front.append(index)
    return front
