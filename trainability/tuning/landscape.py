"""What the search learned of the space: slices, a surface, and which settings matter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from trainability import seeds
from trainability.analysis.expected import expected_trainability
from trainability.tuning.declaration import Settings, Tuning
from trainability.tuning.finalists import recommended
from trainability.tuning.sampler import places
from trainability.tuning.search import Standing
from trainability.tuning.surrogate import Surrogate

_N_SLICE = 81
_N_SURFACE = 41
_N_IMPORTANCE = 4096
_NORMAL_95 = 1.96


class Landscape:
    """The first objective over the space, as the surrogate sees it after the search.

    Args:
        tuning: What was asked.
        standings: The candidates.
    """

    def __init__(self, tuning: Tuning, standings: Sequence[Standing]) -> None:
        self._tuning = tuning
        self.best: Settings = recommended(standings)
        self._best = places(tuning.vary, [self.best])[0]
        self._surrogate = Surrogate(
            places(tuning.vary, [standing.settings for standing in standings]),
            np.array([standing.scores[0] for standing in standings]),
            np.array([standing.variances[0] for standing in standings]),
        )

    def slice(self, name: str) -> pd.DataFrame:
        """Along one setting, through the recommended candidate.

        Returns:
            Columns `setting`, `value`, `low`, `high`: the surrogate's mean and its 95 % limits.
        """
        share = np.linspace(0, 1, _N_SLICE)
        x = np.tile(self._best, (_N_SLICE, 1))
        x[:, list(self._tuning.vary).index(name)] = share
        mean, deviation = self._surrogate.mean(x), self._surrogate.deviation(x)
        value_of = self._tuning.objectives[0].value_of
        ends = [value_of(mean + sign * _NORMAL_95 * deviation) for sign in (-1, 1)]
        return pd.DataFrame(
            {
                "setting": [self._tuning.vary[name].at(s) for s in share],
                "value": value_of(mean),
                "low": np.minimum(*ends),
                "high": np.maximum(*ends),
            }
        )

    def surface(self, across: str, up: str) -> pd.DataFrame:
        """Over two settings, the others as recommended.

        Returns:
            One row per point of a grid: the two settings, the surrogate's `value`, and the
            `trainability` by theory at the first of the objective's widths, NaN where theory is
            not exact.
        """
        ranges = self._tuning.vary
        names = list(ranges)
        share = np.linspace(0, 1, _N_SURFACE)
        grid = np.stack(np.meshgrid(share, share), axis=-1).reshape(-1, 2)
        x = np.tile(self._best, (len(grid), 1))
        x[:, [names.index(across), names.index(up)]] = grid
        value = self._tuning.objectives[0].value_of(self._surrogate.mean(x))
        settings = [tuple(ranges[n].at(s) for n, s in zip(names, row, strict=True)) for row in x]
        return pd.DataFrame(
            {
                across: [ranges[across].at(s) for s in grid[:, 0]],
                up: [ranges[up].at(s) for s in grid[:, 1]],
                "value": value,
                "trainability": self._trainability(settings),
            }
        )

    def importance(self) -> pd.Series:
        """For every setting, the share of the score's variance that it takes part in.

        The total-effect index by Jansen's estimator, on the surrogate's mean.

        Source: Jansen (1999), Comput. Phys. Commun. 117, 35-43.
        """
        names = list(self._tuning.vary)
        rng = seeds.stream(self._tuning.seed, "importance", "analysis")
        first, second = rng.random((2, _N_IMPORTANCE, len(names)))
        value = self._surrogate.mean(first)
        shares = []
        for index in range(len(names)):
            changed = first.copy()
            changed[:, index] = second[:, index]
            shares.append(np.mean((value - self._surrogate.mean(changed)) ** 2) / 2)
        return pd.Series(np.array(shares) / max(value.var(), 1e-12), index=names)

    def _trainability(self, settings: Sequence[Settings]) -> np.ndarray:
        tuning = self._tuning
        width = tuning.objectives[0].widths[0]

        known: dict[object, float] = {}
        found = []
        for values in settings:
            scheme = tuning.strategies(values)[0]
            if scheme not in known:
                expected = expected_trainability(tuning.cell(values, width))
                is_exact = expected.standard_error == 0
                known[scheme] = expected.value if is_exact else float("nan")
            found.append(known[scheme])
        return np.array(found)
