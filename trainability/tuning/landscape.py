"""What the search learned of the space: slices, a surface, and which settings matter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from trainability import seeds
from trainability.analysis.expected import expected_trainability, why_unbounded
from trainability.tuning.declaration import Tuning
from trainability.tuning.finalists import recommended
from trainability.tuning.search import Standing
from trainability.tuning.space import Settings
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
        self._tuning, self._space = tuning, tuning.space
        self.best: Settings = recommended(standings)
        self._ranked = sorted(standings, key=lambda standing: -standing.expected[0])
        self._surrogate = Surrogate(
            self._space.features([standing.settings for standing in standings]),
            np.array([standing.scores[0] for standing in standings]),
            np.array([standing.variances[0] for standing in standings]),
            self._space.is_categorical,
        )

    def slice(self, name: str) -> pd.DataFrame:
        """Along one setting, the others as the best candidate has them that has this one.

        A category on which other settings depend is that of its own best candidate, and is left
        out if it was never tried.

        Returns:
            Columns `setting` (of a category its text), `value`, `low`, `high`: the surrogate's
            mean and its 95 % limits. No rows for a setting that no candidate has.
        """
        part = self._tuning.vary[name]
        settings = self._line(name)
        if not settings:
            return pd.DataFrame(columns=["setting", "value", "low", "high"])
        x = self._space.features(settings)
        mean, deviation = self._surrogate.mean(x), self._surrogate.deviation(x)
        value_of = self._tuning.objectives[0].value_of
        ends = [value_of(mean + sign * _NORMAL_95 * deviation) for sign in (-1, 1)]
        values = [self._space.active(entry)[name] for entry in settings]
        if not part.is_ordered:
            values = [self._space.text(name, value) for value in values]
        return pd.DataFrame(
            {
                "setting": values,
                "value": value_of(mean),
                "low": np.minimum(*ends),
                "high": np.maximum(*ends),
            }
        )

    def surface(self, across: str, up: str) -> pd.DataFrame:
        """Over two settings that the best candidate has, the others as recommended.

        Returns:
            One row per point of a grid: the two settings, the surrogate's `value`, and the
            `trainability` by theory at the first of the objective's widths, NaN where theory is
            not exact or bounds nothing.
        """
        parts, best = self._tuning.vary, self._space.active(self.best)
        settings = [
            self._space.settings(best | {across: a, up: b})
            for b in parts[up].grid(_N_SURFACE)
            for a in parts[across].grid(_N_SURFACE)
        ]
        mean = self._surrogate.mean(self._space.features(settings))
        return pd.DataFrame(
            {
                across: [self._space.active(entry)[across] for entry in settings],
                up: [self._space.active(entry)[up] for entry in settings],
                "value": self._tuning.objectives[0].value_of(mean),
                "trainability": self._trainability(settings),
            }
        )

    def numbers(self) -> list[str]:
        """The settings that the best candidate has and that are numbers: those of a surface."""
        return [
            name for name in self._space.active(self.best) if self._tuning.vary[name].is_ordered
        ]

    def importance(self) -> pd.Series:
        """For every setting, the share of the score's variance that it takes part in.

        The total-effect index by Jansen's estimator, on the surrogate's mean. A setting that not
        all candidates have takes part where it is there.

        Source: Jansen (1999), Comput. Phys. Commun. 117, 35-43.
        """
        names = list(self._tuning.vary)
        rng = seeds.stream(self._tuning.seed, "importance", "analysis")
        first, second = rng.random((2, _N_IMPORTANCE, len(names)))
        value = self._surrogate.mean(self._space.snapped(first))
        shares = []
        for index in range(len(names)):
            changed = first.copy()
            changed[:, index] = second[:, index]
            other = self._surrogate.mean(self._space.snapped(changed))
            shares.append(np.mean((value - other) ** 2) / 2)
        return pd.Series(np.array(shares) / max(value.var(), 1e-12), index=names)

    def _line(self, name: str) -> list[Settings]:
        """Settings along one direction."""
        grid = self._tuning.vary[name].grid(_N_SLICE)
        if name in self._space.children:
            best = {}
            for standing in self._ranked:
                values = self._space.active(standing.settings)
                if name in values:
                    best.setdefault(values[name], standing.settings)
            return [best[value] for value in grid if value in best]
        for standing in self._ranked:
            values = self._space.active(standing.settings)
            if name in values:
                return [self._space.settings(values | {name: value}) for value in grid]
        return []

    def _trainability(self, settings: Sequence[Settings]) -> np.ndarray:
        """By theory; settings that change no initial network are looked at once."""
        width = self._tuning.objectives[0].widths[0]
        by_initialization: dict[object, float] = {}
        values = []
        for entry in settings:
            cell = self._tuning.cell(entry, width)
            if why_unbounded(cell):
                values.append(float("nan"))
                continue
            key = (cell.scheme, cell.sizes, cell.activation, cell.loss, cell.idle)
            if key not in by_initialization:
                expected = expected_trainability(cell)
                exact = expected.standard_error == 0
                by_initialization[key] = expected.value if exact else float("nan")
            values.append(by_initialization[key])
        return np.array(values)
