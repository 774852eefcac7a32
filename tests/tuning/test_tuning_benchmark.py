"""The benchmark, shortened: a quarter of its budget and fewer seeds."""

import numpy as np
import optuna
import pytest

from trainability.tuning.benchmark import METHODS, Ridge, regrets


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def test_the_optimum_of_the_objective_is_where_it_says():
    for d in (1, 2, 3):
        places = np.random.default_rng(d).random((2000, d))
        assert min(Ridge(d).regret(tuple(place)) for place in places) >= 0


def test_its_regret_is_at_most_half_of_random_search_and_of_tpe():
    """At the full budget and 20 seeds it is about a tenth; see the benchmark."""
    medians = {
        name: np.median(regrets(method, 3, 25_600, range(5))) for name, method in METHODS.items()
    }
    ours = medians.pop("this search")
    assert all(2 * ours <= other for other in medians.values()), (ours, medians)
