"""Regret of the search beside random search and Optuna's samplers: success rates that are known.

`python -m trainability.tuning.benchmark` prints medians over 20 seeds. The objective has one
optimum on a slanted ridge, steeper on one side, as tuning a bias scale beside a learning rate
has; networks succeed by independent coin flips.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
import optuna

from trainability.seeds import BLOCK_SIZE, stream
from trainability.study.widths import Width
from trainability.tuning.finalists import recommended
from trainability.tuning.objectives import SuccessRate
from trainability.tuning.ranges import Range
from trainability.tuning.search import Search
from trainability.tuning.space import Space

Place = tuple[float, ...]
Method = Callable[["Ridge", int, int], Place]
"""Objective, budget in networks and seed to the place that the method recommends."""
_WIDTH = 1


class Ridge:
    """Success rate 0.95 at its optimum in the unit cube, falling off to either side.

    Args:
        d: Settings, 1 to 3.
    """

    best = 0.95

    def __init__(self, d: int) -> None:
        self.names = [f"setting_{index}" for index in range(d)]
        self._optimum = np.array([0.37, 0.62, 0.45])[:d]
        self._curvature = np.array([6.0, 3.0, 1.0])[:d]

    def rate(self, place: Place) -> float:
        z = np.array(place) - self._optimum
        slant = 1.5 * z[0] * z[1] if len(z) > 1 else 0.0
        steep = 8.0 * max(z[0], 0.0) ** 3
        return self.best * float(np.exp(-(self._curvature @ z**2) - slant - steep))

    def regret(self, place: Place) -> float:
        return self.best - self.rate(place)


def this_search(objective: Ridge, budget: int, seed: int) -> Place:
    """The search of this package, with nothing known by theory."""
    rng = stream(seed, "outcomes", "sampling")
    search = Search(
        space=Space({name: Range(0.0, 1.0) for name in objective.names}),
        objectives=(SuccessRate(_WIDTH),),
        n_evaluations=budget // BLOCK_SIZE,
        max_steps=1,
        seed=seed,
        theory=lambda _: (1.0,),
    )
    measured: dict[Place, dict[Width | None, np.ndarray]] = {}
    index = 0
    while (batch := search.next_round(index, measured)).blocks:
        for place, blocks in batch.blocks.items():
            steps = measured.setdefault(place, {_WIDTH: np.empty(0)})[_WIDTH]
            won = rng.random(blocks * BLOCK_SIZE - len(steps)) < objective.rate(place)
            measured[place][_WIDTH] = np.r_[steps, np.where(won, 1.0, np.inf)]
        index += 1
    return recommended(search.standings(measured))


def by_optuna(
    sampler: Callable[[int], optuna.samplers.BaseSampler], n_networks: int = BLOCK_SIZE
) -> Method:
    """What Optuna reports as best with a sampler, at so many networks per trial."""

    def run(objective: Ridge, budget: int, seed: int) -> Place:
        rng = stream(seed, "outcomes", "sampling")
        study = optuna.create_study(direction="maximize", sampler=sampler(seed))

        def measure(trial: optuna.Trial) -> float:
            place = tuple(trial.suggest_float(name, 0, 1) for name in objective.names)
            return rng.binomial(n_networks, objective.rate(place)) / n_networks

        study.optimize(measure, n_trials=budget // n_networks)
        return tuple(study.best_params.values())

    return run


def _gaussian_process(seed: int) -> optuna.samplers.BaseSampler:
    return optuna.samplers.GPSampler(seed=seed, deterministic_objective=False)


METHODS: dict[str, Method] = {
    "this search": this_search,
    "uniform random": by_optuna(lambda seed: optuna.samplers.RandomSampler(seed=seed)),
    "Optuna TPE, its default": by_optuna(lambda seed: optuna.samplers.TPESampler(seed=seed)),
}
SLOW: dict[str, Method] = {
    "Optuna GP, 1,024 networks a trial": by_optuna(_gaussian_process, 1024),
    "Optuna TPE, 1,024 networks a trial": by_optuna(
        lambda seed: optuna.samplers.TPESampler(seed=seed), 1024
    ),
}


def regrets(method: Method, d: int, budget: int, seeds: range) -> np.ndarray:
    """Simple regret of a method for every seed: how much better the optimum is."""
    objective = Ridge(d)
    return np.array([objective.regret(method(objective, budget, seed)) for seed in seeds])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=int, default=100_000, help="networks")
    parser.add_argument("--slow", action="store_true", help="also Optuna's Gaussian process")
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    print(f"simple regret at {options.budget:,} networks: median of {options.seeds} seeds")
    for d in (1, 2, 3):
        for name, method in (METHODS | (SLOW if options.slow else {})).items():
            started = time.monotonic()
            regret = regrets(method, d, options.budget, range(options.seeds))
            seconds = (time.monotonic() - started) / options.seeds
            print(f"{d} settings  {name:36} {np.median(regret):.5f}  {seconds:5.1f} s", flush=True)


if __name__ == "__main__":
    main()
