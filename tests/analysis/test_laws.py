import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trainability.analysis.laws import (
    ALPHA,
    bound_tests,
    judge,
    untrainable_never_succeed,
    verdict_table,
)


def networks(untrainable: int, trainable: int, exceptions: int = 0) -> pd.DataFrame:
    success = [True] * exceptions + [False] * (untrainable - exceptions) + [True] * trainable
    return pd.DataFrame(
        {"trainable": [False] * untrainable + [True] * trainable, "success": success}
    )


def rates_of(successes: list[int], trainability: list[float], n: int = 1000) -> pd.DataFrame:
    return pd.DataFrame({"n": n, "successes": successes, "trainability": trainability})


def test_no_exception_bounds_their_rate_by_the_rule_of_three():
    verdict = untrainable_never_succeed(networks(3000, 100))
    assert verdict.holds and verdict.n == 3000 and verdict.statistic == 0
    # 1 - 0.05^(1/3000) = 0.000998
    assert verdict.verdict == (
        "Holds: none of 3,000 untrainable networks succeeded; "
        "the rate of exceptions is below 0.001 (95 % confidence)."
    )


def test_one_exception_breaks_the_law():
    verdict = untrainable_never_succeed(networks(3000, 100, exceptions=1))
    assert not verdict.holds and verdict.p_value == 0
    assert verdict.verdict == "Broken: 1 of 3,000 untrainable networks succeeded."


def test_without_untrainable_networks_nothing_is_claimed():
    verdict = untrainable_never_succeed(networks(0, 10))
    assert verdict.verdict.startswith("Not tested") and verdict.n == 0


def test_verdicts_make_a_table():
    table = verdict_table([untrainable_never_succeed(networks(5, 5))])
    names = ["law", "verdict", "holds", "n", "statistic", "p_value", "false_alarm_rate"]
    assert list(table.columns) == names
    assert table.loc[0, "false_alarm_rate"] == ALPHA == 1e-6


def test_the_bound_is_tested_one_sided_and_exactly():
    rates = rates_of([0, 600, 720, 1000], [0.7, 0.7, 0.7, 1.0])
    tests = bound_tests(rates)
    expected = stats.binom.sf(rates["successes"] - 1, 1000, rates["trainability"])
    np.testing.assert_allclose(tests["p_value"], expected)
    np.testing.assert_allclose(tests["tightness"], [0, 600 / 700, 720 / 700, 1])
    assert judge(tests, "Success stays below trainability.").holds


def test_a_success_rate_above_trainability_breaks_the_bound_and_the_words_say_so():
    verdict = judge(bound_tests(rates_of([300, 900], [0.7, 0.7])), "Success <= trainability.")
    assert not verdict.holds and verdict.statistic == 1
    assert verdict.verdict.startswith("Broken in 1 of 2 cells, 2,000 networks (smallest p ")


def test_of_one_cell_no_cells_are_counted():
    assert judge(bound_tests(rates_of([300], [0.7])), "Law.").verdict == (
        "Holds for 1,000 networks (p 1)."
    )
    broken = judge(bound_tests(rates_of([900], [0.7])), "Law.").verdict
    assert broken.startswith("Broken for 1,000 networks (p ")


@pytest.mark.parametrize("level", [0.05, 0.2])
def test_false_alarms_of_a_tight_bound_are_at_most_the_level_over_the_family(level):
    n_studies, n_cells = 1500, 10
    rng = np.random.default_rng(0)
    bound = np.tile(np.linspace(0.05, 0.99, n_cells), n_studies)
    rates = rates_of(rng.binomial(1000, bound), bound)
    tests = bound_tests(rates)
    # Holm within a study accuses iff its smallest p-value is at most level / n_cells.
    smallest = tests["p_value"].to_numpy().reshape(n_studies, n_cells).min(axis=1)
    alarms = int((smallest <= level / n_cells).sum())
    assert stats.binomtest(alarms, n_studies, level, "greater").pvalue > ALPHA
    assert judge(tests, "").holds


def test_sampled_theory_gets_the_benefit_of_its_standard_error():
    exact = bound_tests(rates_of([780], [0.7]))["p_value"].iloc[0]
    sampled = bound_tests(rates_of([780], [0.7]).assign(trainability_se=0.01))["p_value"].iloc[0]
    assert exact < 1e-6 and sampled == pytest.approx(stats.binom.sf(779, 1000, 0.76) + 2e-9)


def test_a_rate_may_be_held_between_bounds_or_to_a_value():
    rates = pd.DataFrame({"n": 1000, "n_born_dead": [500, 500, 500]}).assign(
        lower=[0.4, 0.6, np.nan], upper=[0.6, 0.9, np.nan]
    )
    tests = bound_tests(rates, "n_born_dead", "lower", "upper")
    assert tests["p_value"].iloc[0] == 1 and tests["p_value"].iloc[2] == 1
    assert tests["p_value"].iloc[1] == pytest.approx(2 * stats.binom.cdf(500, 1000, 0.6))
    equal = bound_tests(rates.assign(theory=0.45), "n_born_dead", "theory", "theory")
    assert equal["p_value"].iloc[0] == pytest.approx(2 * stats.binom.sf(499, 1000, 0.45))


def test_no_cell_no_claim():
    verdict = judge(bound_tests(rates_of([], [])), "Success stays below trainability.")
    assert verdict.verdict.startswith("Not tested") and verdict.holds
