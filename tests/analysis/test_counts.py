import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trainability.analysis.counts import binomial_laws, count_tests, is_binomial
from trainability.analysis.laws import ALPHA, judge


def rows_of(counts: dict[str, np.ndarray]) -> pd.DataFrame:
    """Counts as rows hold them: a list with one entry per hidden layer."""
    return pd.concat(
        pd.DataFrame({"cell": cell, "active_init": [[99, int(c)] for c in values]})
        for cell, values in counts.items()
    )


def test_counts_that_follow_their_law_pass():
    rng = np.random.default_rng(0)
    widths = {f"w{width}": width for width in (2, 3, 8, 20)}
    rows = rows_of({cell: rng.binomial(width, 5 / 6, 1024) for cell, width in widths.items()})
    rates = pd.DataFrame({"width": widths})
    tests = count_tests(rows, binomial_laws(rates, pd.Series(5 / 6, rates.index)), layer=1)
    verdict = judge(tests, "Active neurons are binomial.")
    assert verdict.holds and verdict.n == 4096 and (tests["g_p_value"] > ALPHA).all()
    np.testing.assert_allclose(tests["expected_mean"], [width * 5 / 6 for width in widths.values()])


@pytest.mark.parametrize("kind", ["another probability", "dependent neurons"])
def test_counts_that_follow_another_law_are_found_out(kind):
    rng = np.random.default_rng(1)
    p = rng.beta(25, 5, 1024) if kind == "dependent neurons" else 0.80
    rows = rows_of({"c": rng.binomial(20, p, 1024)})
    tests = count_tests(rows, {"c": stats.binom.pmf(np.arange(21), 20, 5 / 6)}, layer=1)
    assert tests["p_value"].iloc[0] < ALPHA and tests["g_p_value"].iloc[0] < ALPHA


def test_false_alarms_are_at_most_the_level():
    rng = np.random.default_rng(2)
    counts = rng.binomial(6, 0.8, (500, 100))
    rows = rows_of({str(i): values for i, values in enumerate(counts)})
    law = stats.binom.pmf(np.arange(7), 6, 0.8)
    tests = count_tests(rows, {str(i): law for i in range(500)}, layer=1)
    for level in (0.02, 0.1):
        alarms = int((tests["p_value"] <= level).sum())
        assert stats.binomtest(alarms, 500, level, "greater").pvalue > ALPHA


def test_the_g_test_pools_and_agrees_with_scipy():
    rng = np.random.default_rng(3)
    counts = rng.binomial(4, 0.5, 800)
    law = stats.binom.pmf(np.arange(5), 4, 0.5)
    row = count_tests(rows_of({"c": counts}), {"c": law}, layer=1).iloc[0]
    expected = stats.power_divergence(
        np.bincount(counts, minlength=5), 800 * law, lambda_="log-likelihood"
    )
    assert row["g"] == pytest.approx(expected.statistic)
    assert row["g_p_value"] == pytest.approx(expected.pvalue)
    # With 40 networks both ends expect 2.5: two pools of 12.5 and one of 15 are left.
    row = count_tests(rows_of({"c": counts[:40]}), {"c": law}, layer=1).iloc[0]
    assert row["g_degrees_of_freedom"] == 2


def test_a_law_without_chance_is_tested_too():
    law = {"c": np.array([0.0, 0.0, 1.0])}
    assert count_tests(rows_of({"c": np.full(50, 2)}), law, layer=1)["p_value"].iloc[0] == 1
    broken = count_tests(rows_of({"c": np.array([2, 2, 1])}), law, layer=1)
    assert broken["p_value"].iloc[0] == 0 and np.isnan(broken["g_p_value"].iloc[0])


def test_any_law_of_counts_can_be_tested():
    # Layer 2 of a deep network is a mixture of binomials: its total is not binomial.
    rng = np.random.default_rng(4)
    k = np.arange(5)
    law = 0.75 * stats.binom.pmf(k, 4, 0.75) + 0.25 * stats.binom.pmf(k, 4, 0.5)
    p = np.where(rng.random(4000) < 0.25, 0.5, 0.75)
    tests = count_tests(rows_of({"c": rng.binomial(4, p)}), {"c": law}, layer=1)
    assert tests["p_value"].iloc[0] > ALPHA
    binomial = {"c": stats.binom.pmf(k, 4, 0.6875)}
    assert (
        count_tests(rows_of({"c": rng.binomial(4, p)}), binomial, layer=1)["p_value"].iloc[0]
        < ALPHA
    )


def test_cells_without_a_law_are_left_out():
    rows = rows_of({"a": np.array([1]), "b": np.array([1])})
    rates = pd.DataFrame({"width": 2}, index=["a", "b"])
    laws = binomial_laws(rates, pd.Series({"a": 0.5, "b": np.nan}))
    assert list(laws) == ["a"] and list(count_tests(rows, laws, layer=1).index) == ["a"]
    assert judge(count_tests(rows, {}, layer=1), "").verdict.startswith("Not tested")


@pytest.mark.parametrize("width", [8, 256, 1024])
@pytest.mark.parametrize("chance", [0.03, 0.2, 0.35, 0.5, 0.9])
def test_a_law_of_independent_neurons_is_known_as_such_at_any_width(width, chance):
    """Of it the total of all neurons is tested as well, which is sharper than all other tests."""
    law = stats.binom.pmf(np.arange(width + 1), width, chance)
    assert is_binomial(law)
    assert not is_binomial(np.append(law[1:], law[0]))
