"""The search: spends its budget, repeats itself exactly, gives up and leaves out only the worse."""

import numpy as np
import pytest
from scipy.stats import binomtest

from trainability.errors import InputError
from trainability.seeds import BLOCK_SIZE
from trainability.tuning import MedianSteps, Range, SuccessRate
from trainability.tuning.finalists import finalists, pareto_front, recommended
from trainability.tuning.search import ALPHA as SEARCH_ALPHA
from trainability.tuning.search import Search, n_blocks
from trainability.tuning.space import Space

ALPHA = 1e-6
SPACE = Space({"scale": Range(0.01, 10.0, log=True)})


def rate(settings):
    """Best at .316, the middle of the range, where it is .9."""
    return 0.9 * float(np.exp(-4 * (SPACE.dimensions["scale"].place(settings[0]) - 0.5) ** 2))


def a_search(**changes):
    settings = dict(
        space=SPACE,
        objectives=(SuccessRate(1),),
        n_evaluations=60,
        max_steps=1,
        seed=0,
        theory=lambda _: (1.0,),
    )
    return Search(**(settings | changes))


def conduct(search, success=rate, seed=0):
    """Run a search on coin flips; returns what was measured and all rounds."""
    rng = np.random.default_rng(seed)
    measured, rounds = {}, []
    while (batch := search.next_round(len(rounds), measured)).blocks:
        rounds.append(batch)
        for settings, blocks in batch.blocks.items():
            there = measured.get(settings, {1: np.empty(0)})[1]
            won = rng.random(blocks * BLOCK_SIZE - len(there)) < success(settings)
            measured[settings] = {1: np.r_[there, np.where(won, 1.0, np.inf)]}
    return measured, rounds


@pytest.fixture(scope="module")
def conducted():
    return conduct(a_search())


def test_the_budget_is_spent_to_the_last_block(conducted):
    measured, rounds = conducted
    assert sum(n_blocks(outcomes) for outcomes in measured.values()) == 60
    assert len(rounds) == 10


def test_the_next_round_depends_on_what_was_measured_alone(conducted):
    measured, rounds = conducted
    again, repeated = conduct(a_search())
    assert repeated == rounds
    assert list(again) == list(measured)
    assert conduct(a_search(seed=1))[1] != rounds


def test_it_recommends_what_is_nearly_best(conducted):
    standings = a_search().standings(conducted[0])
    # A tenth of the range from the optimum costs .035; 60 blocks tell such rates apart.
    assert rate(recommended(standings)) > 0.9 - 0.02


def test_promising_candidates_get_more_networks(conducted):
    measured, _ = conducted
    blocks = {settings: n_blocks(outcomes) for settings, outcomes in measured.items()}
    most = max(blocks, key=lambda settings: blocks[settings])
    assert blocks[most] > 1 and rate(most) > 0.8


def test_who_is_surely_worse_gets_no_more(conducted):
    measured, rounds = conducted
    search = a_search()
    known: dict = {}
    hopeless: set = set()
    for batch in rounds:
        assert not hopeless.intersection(batch.blocks)
        known |= {s: {1: measured[s][1][: n * BLOCK_SIZE]} for s, n in batch.blocks.items()}
        hopeless = {s.settings for s in search.standings(known) if not s.hopeful}
    assert hopeless


def test_racing_gives_up_the_best_at_most_as_often_as_it_says():
    """Five candidates close together, looked at after every block."""
    rates = {(0.1 * k,): 0.5 + 0.02 * k for k in range(1, 6)}
    search = a_search(n_evaluations=200)
    lost = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        outcomes = {s: np.where(rng.random(40 * 256) < p, 1.0, np.inf) for s, p in rates.items()}
        for n in (1, 2, 5, 10, 20, 40):
            known = {s: {1: steps[: n * BLOCK_SIZE]} for s, steps in outcomes.items()}
            best = search.standings(known)[-1]
            if not best.hopeful:
                lost += 1
                break
    assert binomtest(lost, 30, SEARCH_ALPHA, alternative="greater").pvalue > ALPHA


def test_theory_leaves_out_only_what_is_worse_though_the_bound_is_tight():
    """Success equals trainability everywhere, so that one lucky candidate would be enough to
    rule out the optimum, were limits taken for a single look."""
    wrong = refused = 0
    for seed in range(12):
        search = a_search(theory=lambda s: (rate(s),), n_evaluations=80, seed=seed)
        measured, rounds = conduct(search, seed=seed)
        left_out = [settings for batch in rounds for settings in batch.refused]
        best = max(map(rate, measured))
        refused += len(left_out)
        wrong += any(rate(settings) >= best for settings in left_out)
        assert rate(recommended(search.standings(measured))) > 0.87
    assert refused > 0
    assert binomtest(wrong, 12, SEARCH_ALPHA, alternative="greater").pvalue > ALPHA


def test_what_theory_rules_out_is_never_trained():
    """Trainability 0 in the upper half: after the first candidate is known, none of it is."""

    def bound(settings):
        return (0.0,) if settings[0] > 1.0 else (1.0,)

    _, rounds = conduct(a_search(theory=bound), success=lambda s: 0.5 * bound(s)[0])
    assert rounds[0].blocks
    for batch in rounds[1:]:
        assert all(settings[0] <= 1.0 for settings in batch.blocks)


def test_a_constraint_holds_from_the_first_round_on():
    measured, _ = conduct(a_search(is_allowed=lambda s: s[0] < 0.1, n_evaluations=20))
    assert len(measured) > 3
    assert all(settings[0] < 0.1 for settings in measured)


def test_a_constraint_that_nothing_meets_is_refused():
    with pytest.raises(InputError, match="no settings in the ranges meet the constraint"):
        a_search(is_allowed=lambda _: False).next_round(0, {})


def test_the_start_is_measured_first():
    _, rounds = conduct(a_search(start=[(0.05,)], n_evaluations=10))
    assert next(iter(rounds[0].blocks)) == (0.05,)


def test_two_objectives_spread_over_a_front():
    """Fast at small scales, safe at large ones: the front is the whole range."""

    def outcomes(settings, n):
        share = SPACE.dimensions["scale"].place(settings[0])
        rng = np.random.default_rng(int(1e6 * share))
        won = rng.random(n * BLOCK_SIZE) < 0.6 + 0.35 * share
        return {1: np.where(won, rng.gamma(20, 5 * 10**share, len(won)), np.inf)}

    search = a_search(objectives=(SuccessRate(1), MedianSteps(1)), n_evaluations=50, max_steps=9999,
                      theory=lambda _: (1.0, 0.0))  # fmt: skip
    measured: dict = {}
    index = 0
    while (batch := search.next_round(index, measured)).blocks:
        measured |= {s: outcomes(s, n) for s, n in batch.blocks.items()}
        index += 1
    standings = search.standings(measured)
    front = [SPACE.dimensions["scale"].place(s[0]) for s in finalists(SPACE, standings)]
    assert len(front) == 5
    assert max(front) > 0.8 and min(front) < 0.2
    assert [s.hopeful for s in standings].count(True) > 5


def test_finalists_are_apart_and_hold_the_best_observed(conducted):
    standings = a_search().standings(conducted[0])
    chosen = finalists(SPACE, standings)
    assert chosen[0] == recommended(standings)
    places = [SPACE.dimensions["scale"].place(settings[0]) for settings in chosen[:3]]
    assert min(abs(a - b) for i, a in enumerate(places) for b in places[:i]) > 0.05
    assert max(standings, key=lambda s: s.scores).settings in chosen


def test_a_pareto_front_by_hand():
    assert pareto_front([(0, 0), (1, 1)]) == [1]
    assert pareto_front([(0, 2), (1, 1), (2, 0), (0, 1)]) == [2, 1, 0]
    assert pareto_front([(1, 1), (1, 1)]) == [0]
