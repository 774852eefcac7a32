"""Where to look next: Thompson sampling, as an Optuna sampler for noise that is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from trainability.errors import InputError
from trainability.tuning.dimensions import Dimension
from trainability.tuning.ranges import Integers, Range
from trainability.tuning.space import Settings, Space
from trainability.tuning.surrogate import Surrogate

SETTINGS = "settings"
"""Name of the trial attribute that holds the settings, in memory: a category's text is Optuna's."""
VARIANCES = "variances"
"""Name of the trial attribute that holds the noise variance of every score."""
_N_WIDE = 400
_N_LOCAL = 200
_N_CENTERS = 4
_LOCAL_STEP = 0.2
"""In length scales."""
_APART = 0.01
"""Least distance of new settings from known ones, in shares of the ranges: nearer, more networks
for the known ones tell as much."""
_OTHER_CATEGORY = 0.2
"""Probability with which a point beside a good one takes any category instead."""
_PATIENCE = 200
"""Proposals that theory may refuse in a row before the best known candidate is taken instead."""


def distribution(part: Dimension) -> BaseDistribution:
    """A dimension as Optuna writes it; of categories, their texts."""
    if isinstance(part, Range):
        return FloatDistribution(part.low, part.high, log=part.log, step=part.step)
    if isinstance(part, Integers):
        return IntDistribution(part.low, part.high, log=part.log, step=part.step)
    return CategoricalDistribution([part.text(value) for value in part.ends])


def parameters(space: Space, settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values and distributions of the settings that there are, as Optuna holds them."""
    values = space.active(settings)
    parts = {name: space.dimensions[name] for name in values}
    return (
        {name: _external(parts[name], value) for name, value in values.items()},
        {name: distribution(part) for name, part in parts.items()},
    )


def suggest(space: Space, trial: optuna.Trial) -> Settings:
    """The settings of a trial, asked for one by one: which there are depends on those before."""
    values: dict[str, Any] = {}
    for name in space.order:
        if not space.is_active(name, values):
            continue
        part = space.dimensions[name]
        if isinstance(part, Range):
            value = trial.suggest_float(name, part.low, part.high, log=part.log, step=part.step)
        elif isinstance(part, Integers):
            value = trial.suggest_int(name, part.low, part.high, log=part.log, step=part.step)
        else:
            texts = [part.text(value) for value in part.ends]
            value = part.ends[texts.index(trial.suggest_categorical(name, texts))]
        values[name] = value
    return space.settings(values)


def _external(part: Dimension, value: Any) -> Any:
    return value if part.is_ordered else part.text(value)


class KnownNoiseSampler(BaseSampler):
    """Draws a function from what is known so far and proposes the settings at which it is best.

    That gives hopeless candidates no more networks, promising ones more of them where it proposes
    a candidate again, and new ones a chance as long as they may be better; a batch is as many
    draws. Before anything is known, it proposes a Latin hypercube. With two scores, each draw
    weighs them anew.

    Args:
        space: The settings that vary.
        n_first: Points of the Latin hypercube.
        rng: The stream of this batch.
        is_admissible: Whether new settings may be trained at all.

    Source: Thompson (1933); Kandasamy, Krishnamurthy, Schneider & Poczos (2018) for batches;
    Paria, Kandasamy & Poczos (2019) for random weights of several objectives, here with the
    Chebyshev norm of Knowles' ParEGO (2006).
    """

    def __init__(
        self,
        space: Space,
        n_first: int,
        rng: np.random.Generator,
        is_admissible: Callable[[Settings], bool],
    ) -> None:
        self._space, self._rng, self._is_admissible = space, rng, is_admissible
        shape = (n_first, len(space.names))
        cells = rng.permuted(np.tile(np.arange(n_first)[:, None], (1, shape[1])), axis=0)
        self._first = iter((cells + rng.random(shape)) / n_first)
        self._drawing: tuple[list[Settings], int, list[Any]] | None = None

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return {name: distribution(part) for name, part in self._space.dimensions.items()}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        chosen = self._thompson(complete) if complete else self._initial()
        return parameters(self._space, chosen)[0]

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        raise AssertionError(f"{param_name} is not in the space that this sampler was made for")

    def _initial(self) -> Settings:
        place = next(self._first, None)
        for _ in range(100 * _PATIENCE):
            if place is not None and self._is_admissible(settings := self._space.at(place)):
                return settings
            place = self._rng.random(len(self._space.names))
        raise InputError(
            "no settings in the ranges meet the constraint; widen the ranges of vary or raise "
            "max_born_dead"
        )

    def _thompson(self, complete: Sequence[FrozenTrial]) -> Settings:
        if self._drawing is None:
            self._drawing = self._prepare(complete)
        candidates, n_observed, posteriors = self._drawing
        draws = np.stack(
            [mean + factor @ self._rng.standard_normal(len(mean)) for mean, factor in posteriors]
        )
        gaps = draws.max(axis=1, keepdims=True) - draws
        gaps /= np.maximum(gaps.max(axis=1, keepdims=True), 1e-12)
        weights = self._rng.dirichlet(np.ones(len(draws)))[:, None]
        order = np.argsort((weights * gaps).max(axis=0), kind="stable")
        for index in order[:_PATIENCE]:
            if index < n_observed or self._is_admissible(candidates[index]):
                return candidates[index]
        return candidates[next(index for index in order if index < n_observed)]

    def _prepare(self, complete: Sequence[FrozenTrial]) -> tuple[list[Settings], int, list[Any]]:
        space = self._space
        settings = [trial.user_attrs[SETTINGS] for trial in complete]
        x = space.features(settings)
        scores = np.array([trial.values for trial in complete])
        variances = np.array([trial.user_attrs[VARIANCES] for trial in complete])
        models = [
            Surrogate(x, s, v, space.is_categorical)
            for s, v in zip(scores.T, variances.T, strict=True)
        ]
        hopeful = [i for i, trial in enumerate(complete) if trial.user_attrs["hopeful"]]
        wide = space.snapped(self._rng.random((_N_WIDE, len(space.names))))
        local = [self._around(x[hopeful], model, _N_LOCAL // len(models)) for model in models]
        again = dict.fromkeys(settings[i] for i in hopeful)
        proposed = np.concatenate([wide, *local])
        apart = space.gaps(proposed, x).min(axis=1) > _APART
        measured = set(settings)
        fresh = dict.fromkeys(map(space.at, proposed[apart]))
        candidates = [*again, *(s for s in fresh if s not in measured)]
        places = space.features(candidates)
        return candidates, len(again), [model.sampler(places) for model in models]

    def _around(self, x: np.ndarray, model: Surrogate, n: int) -> np.ndarray:
        """Points beside those where the model expects most."""
        best = x[np.argsort(-model.mean(x), kind="stable")[:_N_CENTERS]]
        centers = best[np.arange(n) % len(best)]
        steps = self._rng.standard_normal(centers.shape) * _LOCAL_STEP * model.length_scales
        around = np.clip(centers + steps, 0, 1)
        if (category := self._space.is_categorical).any():
            other = self._rng.random(centers.shape) < _OTHER_CATEGORY
            kept = np.where(other, self._rng.random(centers.shape), centers)
            # A category that is not there is none of the numbers of categories.
            around[:, category] = np.clip(kept[:, category], 0, 1)
        return self._space.snapped(around)
