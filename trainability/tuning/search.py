"""The search: what is known, what is still hopeful, and what to train next. Trains nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import optuna

from trainability import seeds
from trainability.analysis.sequences import confidence_sequence
from trainability.tuning.objectives import Estimate, Objective, Outcomes
from trainability.tuning.sampler import (
    SETTINGS,
    VARIANCES,
    KnownNoiseSampler,
    parameters,
    suggest,
)
from trainability.tuning.space import Settings, Space
from trainability.tuning.surrogate import Surrogate

ALPHA = 0.01
"""Probability, at most, that any interval of the whole search fails: then the best candidate
might be given up, or theory might keep the best settings from being trained."""
ROUNDS = 10
"""Batches that the budget is dealt out in."""

MAXIMIZE = optuna.study.StudyDirection.MAXIMIZE

Measured = Mapping[Settings, Outcomes]
Theory = Callable[[Settings], tuple[float, ...]]
"""The best value of every objective that settings can have, whatever training does."""


@dataclass(frozen=True)
class Round:
    """A batch of networks to train.

    Args:
        blocks: For every candidate that gets more networks, its blocks at the end of the round.
        refused: Settings that were proposed and must not be trained, for they can't be best.
        predicted: Settings that are trained because theory predicts the most success of them,
            with the rates that it predicts.
    """

    blocks: dict[Settings, int]
    refused: list[Settings] = field(default_factory=list)
    predicted: dict[Settings, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """What is known of a candidate.

    Args:
        settings: Its settings.
        n_networks: Networks trained, all widths together.
        estimates: Value of every objective, with limits that hold together for all candidates at
            all times with probability 1 - `ALPHA`.
        scores: Of every objective, larger is better; noisy.
        variances: Of the noise of the scores.
        expected: The scores that the surrogate expects, knowing the other candidates.
        hopeful: Whether no other candidate is surely better.
    """

    settings: Settings
    n_networks: int
    estimates: tuple[Estimate, ...]
    scores: tuple[float, ...]
    variances: tuple[float, ...]
    expected: tuple[float, ...]
    hopeful: bool


@dataclass(frozen=True, kw_only=True)
class Search:
    """What determines every batch, given what was measured before.

    Args:
        space: The settings that vary.
        objectives: One, or two.
        n_evaluations: Blocks to spend, a block being 256 networks of every width.
        max_steps: The budget of a network.
        seed: Of the search.
        theory: See `Theory`.
        is_allowed: Whether settings meet the constraint.
        start: Settings to begin with, such as the default.
        prior: More of them, with the success that theory predicts.
    """

    space: Space
    objectives: Sequence[Objective]
    n_evaluations: int
    max_steps: int
    seed: int
    theory: Theory
    is_allowed: Callable[[Settings], bool] = lambda _: True
    start: Sequence[Settings] = ()
    prior: Mapping[Settings, float] = field(default_factory=dict)

    def next_round(self, index: int, measured: Measured) -> Round:
        """The batch that follows on what was measured; empty at the end of the budget."""
        spent = sum(n_blocks(outcomes) for outcomes in measured.values())
        size = min(self.n_evaluations - spent, math.ceil(self.n_evaluations / ROUNDS))
        blocks: dict[Settings, int] = {}
        refused: dict[Settings, None] = {}
        standings = self.standings(measured)

        def is_admissible(settings: Settings) -> bool:
            if not self.is_allowed(settings):
                return False
            if self._is_beaten(self.theory(settings), standings):
                refused[settings] = None
                return False
            return True

        study = self._study(standings)
        begin = [] if measured else list(dict.fromkeys([*self.start, *self.prior]))
        first = [s for s in begin if is_admissible(s)][: max(size, 0)]
        study.sampler = KnownNoiseSampler(
            self.space,
            max(1, size - len(first)),
            seeds.stream(self.seed, "rounds of a search", "tuning", index),
            is_admissible,
        )
        for settings in first:
            blocks[settings] = 1
        for _ in range(max(0, size - len(first))):
            settings = suggest(self.space, study.ask())
            before = n_blocks(measured[settings]) if settings in measured else 0
            blocks[settings] = blocks.get(settings, before) + 1
        return Round(blocks, list(refused), {s: self.prior[s] for s in first if s in self.prior})

    def standings(self, measured: Measured) -> list[Standing]:
        """Every candidate, in the order of `measured`."""
        if not measured:
            return []
        level = 1 - ALPHA / (self.n_evaluations * len(self.objectives))
        estimates = {
            settings: tuple(
                part.estimate(outcomes, level, confidence_sequence) for part in self.objectives
            )
            for settings, outcomes in measured.items()
        }
        scored = np.array(
            [
                [part.score(outcomes, self.max_steps) for part in self.objectives]
                for outcomes in measured.values()
            ]
        )
        x = self.space.features(list(measured))
        categories = self.space.is_categorical
        expected = np.transpose(
            [
                Surrogate(x, scored[:, k, 0], scored[:, k, 1], categories).mean(x)
                for k in range(len(self.objectives))
            ]
        )
        standings = []
        for i, (settings, outcomes) in enumerate(measured.items()):
            optimistic = tuple(
                part.optimistic(estimate)
                for part, estimate in zip(self.objectives, estimates[settings], strict=True)
            )
            others = (estimates[other] for other in measured if other != settings)
            standings.append(
                Standing(
                    settings=settings,
                    n_networks=sum(map(len, outcomes.values())),
                    estimates=estimates[settings],
                    scores=tuple(scored[i, :, 0]),
                    variances=tuple(scored[i, :, 1]),
                    expected=tuple(expected[i]),
                    hopeful=not any(self._surely_better(other, optimistic) for other in others),
                )
            )
        return standings

    def _is_beaten(self, best_possible: tuple[float, ...], standings: Sequence[Standing]) -> bool:
        return any(self._surely_better(other.estimates, best_possible) for other in standings)

    def _surely_better(
        self, estimates: tuple[Estimate, ...], optimistic: tuple[float, ...]
    ) -> bool:
        """Whether a candidate is, at its pessimistic limits, better in every objective."""
        return all(
            part.is_better(part.pessimistic(estimate), value)
            for part, estimate, value in zip(self.objectives, estimates, optimistic, strict=True)
        )

    def _study(self, standings: Sequence[Standing]) -> optuna.Study:
        """What is known, as an Optuna study in memory: larger scores are better."""
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            study = optuna.create_study(directions=[MAXIMIZE] * len(self.objectives))
        finally:
            optuna.logging.set_verbosity(verbosity)
        for standing in standings:
            values, space = parameters(self.space, standing.settings)
            study.add_trial(
                optuna.trial.create_trial(
                    params=values,
                    distributions=space,
                    values=list(standing.scores),
                    user_attrs={
                        SETTINGS: standing.settings,
                        VARIANCES: standing.variances,
                        "hopeful": standing.hopeful,
                    },
                )
            )
        return study


def n_blocks(outcomes: Outcomes) -> int:
    """Whole blocks that every width has."""
    return min(map(len, outcomes.values())) // seeds.BLOCK_SIZE
