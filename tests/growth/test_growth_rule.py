"""How many networks a cell gets: decided by its first blocks, and with intervals that cover."""

import numpy as np
import pytest
from scipy import stats

from trainability.analysis.rates import clopper_pearson
from trainability.errors import InputError
from trainability.growth import Growth
from trainability.seeds import BLOCK_SIZE


def test_without_a_precision_every_cell_gets_the_same_number():
    assert Growth(n_blocks=3).looks([]) == [3]
    assert Growth(n_blocks=3).looks([256] * 9) == [3]


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 0.97, 1.0])
def test_an_interrupted_study_goes_the_way_of_one_that_was_not(rate):
    growth = Growth(n_blocks=2, precision=0.015)
    successes = np.random.default_rng(0).binomial(BLOCK_SIZE, rate, 60).tolist()
    whole = growth.looks(successes)
    assert whole[-1] <= 60
    for n_stored in range(61):
        assert (
            growth.looks(successes[:n_stored])
            == [look for look in whole if look <= n_stored]
            + [look for look in whole if look > n_stored][:1]
        )


def test_a_cell_stops_at_the_first_look_at_which_its_interval_is_narrow():
    growth = Growth(n_blocks=1, precision=0.03)
    successes = np.random.default_rng(1).binomial(BLOCK_SIZE, 0.7, 20)
    *before, last = growth.looks(successes.tolist())
    reached = [
        bool(growth.stopping.is_reached(successes[:n].sum(), n * BLOCK_SIZE)) for n in before
    ]
    assert not any(reached)
    assert growth.stopping.is_reached(successes[:last].sum(), last * BLOCK_SIZE)


def paths(growth, p):
    """Coverage and expected networks at success probability p: all paths, exactly.

    How a cell goes on depends on its blocks and successes alone, so it is enough to carry the
    distribution of the successes from look to look.
    """
    coverage = networks = 0.0
    step = {n: stats.binom.pmf(np.arange(n + 1), n, p) for n in range(256, 8 * 256 + 1, 256)}
    first = growth.n_blocks * BLOCK_SIZE
    looks = {first: step[first]}  # networks at a look -> chances of 0, 1, ... successes
    while looks:
        n = min(looks)
        chances = looks.pop(n)
        for k in np.flatnonzero(chances > 1e-12):
            more = growth.stopping.n_more(int(k), n, BLOCK_SIZE)
            if not more:
                networks += chances[k] * n
                low, high = growth.stopping.interval(k, n)
                coverage += chances[k] * float(low <= p <= high)
            else:
                later = looks.setdefault(n + more, np.zeros(n + more + 1))
                later[k : k + more + 1] += chances[k] * step[more]
    return coverage, networks


@pytest.mark.parametrize("p", [0.003, 0.05, 0.3, 0.5, 0.88, 0.99])
def test_intervals_cover_where_the_rule_stops(p):
    # 1e-6: chances below 1e-12 are dropped at each of some thousand places.
    assert paths(Growth(n_blocks=4, precision=0.03), p)[0] >= 0.95 - 1e-6


def test_the_same_precision_everywhere_costs_at_most_60_percent_of_a_fixed_number():
    # Success rates of the headline study at widths 2, 3, 4, 6, 8, 12, 16 and 20, for the scheme
    # that succeeds least and the one that succeeds most often, measured with 1,024 networks each.
    rates = [0.358, 0.701, 0.880, 0.977, 0.996, 0.9999, 1, 1]
    rates += [0.559, 0.859, 0.966, 0.999, 0.9999, 1, 1, 1]
    half_width = 0.02
    growth = Growth(n_blocks=1, precision=half_width)
    spent = sum(paths(growth, rate)[1] for rate in rates)
    fixed = next(
        n
        for n in range(BLOCK_SIZE, 20_000, BLOCK_SIZE)
        if all(
            np.subtract(*clopper_pearson(round(rate * n), n)[::-1]) <= 2 * half_width
            for rate in rates
        )
    )
    assert spent <= 0.6 * len(rates) * fixed


def test_impossible_wishes_are_refused_together():
    with pytest.raises(InputError, match=r"(?s)2 problems.*precision.*got 0:.*refine.*got 1:"):
        Growth(n_blocks=1, precision=0, refine=1)
