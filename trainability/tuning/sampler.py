"""Where to look next: Thompson sampling, as an Optuna sampler for noise that is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from trainability.errors import InputError
from trainability.tuning.declaration import Settings
from trainability.tuning.ranges import Range
from trainability.tuning.surrogate import Surrogate

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
_PATIENCE = 200
"""Proposals that theory may refuse in a row before the best known candidate is taken instead."""


def distributions(space: Mapping[str, Range]) -> dict[str, BaseDistribution]:
    """The search space as Optuna writes it."""
    return {name: FloatDistribution(r.low, r.high, log=r.log) for name, r in space.items()}


def places(space: Mapping[str, Range], settings: Sequence[Settings]) -> np.ndarray:
    """Settings as points of the unit cube, shape (n, d)."""
    found = [[r.place(v) for r, v in zip(space.values(), s, strict=True)] for s in settings]
    return np.array(found, dtype=float).reshape(len(settings), len(space))


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
        space: Mapping[str, Range],
        n_first: int,
        rng: np.random.Generator,
        is_admissible: Callable[[Settings], bool],
    ) -> None:
        self._space, self._rng, self._is_admissible = space, rng, is_admissible
        shape = (n_first, len(space))
        cells = rng.permuted(np.tile(np.arange(n_first)[:, None], (1, shape[1])), axis=0)
        self._first = iter((cells + rng.random(shape)) / n_first)
        self._drawing: tuple[list[Settings], int, list[Any]] | None = None

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return distributions(self._space)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, float]:
        known = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        chosen = self._thompson(known) if known else self._initial()
        return dict(zip(self._space, chosen, strict=True))

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> float:
        raise AssertionError(f"{param_name} is not in the space that this sampler was made for")

    def _settings(self, place: np.ndarray) -> Settings:
        return tuple(r.at(share) for r, share in zip(self._space.values(), place, strict=True))

    def _initial(self) -> Settings:
        place = next(self._first, None)
        for _ in range(100 * _PATIENCE):
            if place is not None and self._is_admissible(settings := self._settings(place)):
                return settings
            place = self._rng.random(len(self._space))
        raise InputError(
            "no settings in the ranges meet the constraint; widen the ranges of vary or raise "
            "max_born_dead"
        )

    def _thompson(self, known: Sequence[FrozenTrial]) -> Settings:
        if self._drawing is None:
            self._drawing = self._prepare(known)
        candidates, n_known, posteriors = self._drawing
        draws = np.stack(
            [mean + factor @ self._rng.standard_normal(len(mean)) for mean, factor in posteriors]
        )
        gaps = draws.max(axis=1, keepdims=True) - draws
        gaps /= np.maximum(gaps.max(axis=1, keepdims=True), 1e-12)
        weights = self._rng.dirichlet(np.ones(len(draws)))[:, None]
        order = np.argsort((weights * gaps).max(axis=0), kind="stable")
        for index in order[:_PATIENCE]:
            if index < n_known or self._is_admissible(candidates[index]):
                return candidates[index]
        return candidates[next(index for index in order if index < n_known)]

    def _prepare(self, known: Sequence[FrozenTrial]) -> tuple[list[Settings], int, list[Any]]:
        settings = [tuple(trial.params[name] for name in self._space) for trial in known]
        x = places(self._space, settings)
        scores = np.array([trial.values for trial in known])
        variances = np.array([trial.user_attrs[VARIANCES] for trial in known])
        models = [Surrogate(x, s, v) for s, v in zip(scores.T, variances.T, strict=True)]
        hopeful = [i for i, trial in enumerate(known) if trial.user_attrs["hopeful"]]
        wide = self._rng.random((_N_WIDE, len(self._space)))
        local = [self._around(x[hopeful], model, _N_LOCAL // len(models)) for model in models]
        there = dict.fromkeys(settings[i] for i in hopeful)
        proposed = np.concatenate([wide, *local])
        gaps = np.abs(proposed[:, None] - x[None]).max(axis=2).min(axis=1)
        fresh = dict.fromkeys(map(self._settings, proposed[gaps > _APART]))
        candidates = [*there, *(s for s in fresh if s not in set(settings))]
        places_ = places(self._space, candidates)
        return candidates, len(there), [model.sampler(places_) for model in models]

    def _around(self, x: np.ndarray, model: Surrogate, n: int) -> np.ndarray:
        """Points beside those where the model expects most."""
        best = x[np.argsort(-model.mean(x), kind="stable")[:_N_CENTERS]]
        centers = best[np.arange(n) % len(best)]
        steps = self._rng.standard_normal(centers.shape) * _LOCAL_STEP * model.length_scales
        return np.clip(centers + steps, 0, 1)
