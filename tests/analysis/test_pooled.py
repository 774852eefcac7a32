"""One test of two curves over all their places: exact, valid when sparse, sharper than parts."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trainability.analysis import pooled
from trainability.analysis.comparisons import difference, fisher, mcnemar
from trainability.analysis.pooled import pool, pooled_test

ALPHA = 1e-6
CURVE = np.array([0.36, 0.67, 0.83, 0.96, 0.994, 0.9995])


def test_at_one_place_it_is_fishers_test():
    for n in (5, 12):
        for k_a, k_b in itertools.product(range(n + 1), repeat=2):
            ratio, p_value = pooled_test([k_a], [n], [k_b], [n])
            assert p_value == pytest.approx(fisher(k_a, n, k_b, n), rel=1e-9)
            assert ratio == pytest.approx(0, abs=1e-9) if k_a == k_b else ratio > 0


def test_of_pairs_alone_it_is_mcnemars_test():
    none = np.zeros(0, dtype=int)
    for only_a, only_b in [(0, 0), (3, 3), (1, 9), (40, 20)]:
        p_value = pooled_test(none, none, none, none, (only_a, only_b))[1]
        assert p_value == pytest.approx(mcnemar(only_a, only_b), rel=1e-9)


@pytest.mark.parametrize("rates", [(0.5, 0.5), (0.3, 0.9), (0.97, 0.999)])
def test_by_enumeration_it_never_errs_more_often_than_it_says(rates):
    sizes = np.array([4, 5])
    outcomes = list(itertools.product(range(5), range(6)))
    chances = np.array([np.prod(stats.binom.pmf(outcome, sizes, rates)) for outcome in outcomes])
    p_values, weights = [], []
    for (a, chance_a), (b, chance_b) in itertools.product(
        zip(outcomes, chances, strict=True), repeat=2
    ):
        p_values.append(pooled_test(a, sizes, b, sizes)[1])
        weights.append(chance_a * chance_b)
    p_values, weights = np.array(p_values), np.array(weights)
    for alpha in np.unique(p_values):
        assert weights[p_values <= alpha].sum() <= alpha + 1e-9


@pytest.mark.parametrize("most_values", [pooled.MOST_VALUES, 0])
def test_by_simulation_it_errs_as_often_as_it_says(monkeypatch, most_values):
    """Exact, and as chi-squared for many networks; either fails once in a million."""
    monkeypatch.setattr(pooled, "MOST_VALUES", most_values)
    rng = np.random.default_rng(0)
    n_a, n_b = np.full(6, 256), np.array([256, 256, 512, 512, 256, 256])
    n_studies = 1000
    p_values = np.array(
        [
            pooled_test(rng.binomial(n_a, CURVE), n_a, rng.binomial(n_b, CURVE), n_b)[1]
            for _ in range(n_studies)
        ]
    )
    for alpha in (0.01, 0.05, 0.2):
        errors = int((p_values <= alpha).sum())
        # A discrete p-value errs a little less often: by at most a tenth here.
        assert stats.binomtest(errors, n_studies, alpha, "greater").pvalue > ALPHA
        assert stats.binomtest(errors, n_studies, 0.9 * alpha, "less").pvalue > ALPHA


def test_chi_squared_agrees_with_the_exact_distribution_for_many_networks(monkeypatch):
    n = np.full(6, 1024)
    k_a = np.rint(n * CURVE).astype(int)
    k_b = np.rint(n * np.minimum(1, CURVE + 0.02 * CURVE * (1 - CURVE) ** 0.5)).astype(int)
    ratio, exact = pooled_test(k_a, n, k_b, n)
    monkeypatch.setattr(pooled, "MOST_VALUES", 0)
    without_conditioning, approximate = pooled_test(k_a, n, k_b, n)
    assert without_conditioning == pytest.approx(ratio, rel=0.01)
    assert approximate == pytest.approx(exact, rel=0.05) and 1e-6 < exact < 0.5


def test_places_with_one_result_only_say_nothing():
    with_them = pooled_test([3, 8, 0], [8, 8, 8], [7, 8, 0], [8, 8, 8])
    assert with_them == pytest.approx(pooled_test([3], [8], [7], [8]))
    assert pooled_test([8], [8], [8], [8]) == (0.0, 1.0)


def test_small_differences_at_many_places_add_up():
    n, k_a, k_b = np.full(8, 256), np.full(8, 128), np.full(8, 140)
    assert pooled_test(k_a, n, k_b, n)[1] < 0.01 < fisher(128, 256, 140, 256)
    # Opposite ones cancel.
    alternating = np.array([140, 116] * 4)
    assert pooled_test(k_a, n, alternating, n)[1] > 0.5


def test_places_that_share_their_networks_count_once():
    n, k_a, k_b = np.full(4, 256), np.full(4, 128), np.full(4, 150)
    one = pooled_test(k_a[:1], n[:1], k_b[:1], n[:1])
    ratio, p_value = pooled_test(k_a, n, k_b, n, sharing=4)
    assert ratio == pytest.approx(4 * one[0], rel=1e-6)
    assert p_value == pytest.approx(stats.chi2.sf(one[0], 1), rel=1e-6)


def places(counts, n):
    rows = [
        ["He()", "Glorot()", False, n, n, a / n, b / n, *map(float, difference(a, n, b, n)),
         np.nan, np.nan]
        for a, b in counts
    ]  # fmt: skip
    names = ["a", "b", "paired", "n_a", "n_b", "rate_a", "rate_b", "difference"]
    names += ["difference_low", "difference_high", "only_a", "only_b"]
    return pd.DataFrame(rows, columns=names)


def test_the_interval_of_the_mean_difference_covers_it():
    rng = np.random.default_rng(1)
    rates = np.array([[0.4, 0.6], [0.8, 0.9], [0.97, 0.99]])
    true = float((rates[:, 1] - rates[:, 0]).mean())
    n_studies, n_covered = 200, 0
    for _ in range(n_studies):
        row = pool(places(rng.binomial(64, rates), 64)).iloc[0]
        n_covered += row["difference_low"] <= true <= row["difference_high"]
    assert stats.binomtest(n_covered, n_studies, 0.95, "less").pvalue > ALPHA


def test_every_pair_is_tested_once():
    table = pool(places([(10, 20), (30, 31)], 64))
    assert table[["a", "b", "places", "n_a", "n_b"]].to_numpy().tolist() == [
        ["He()", "Glorot()", 2, 128, 128]
    ]
    assert table["difference"][0] == pytest.approx((10 + 1) / 2 / 64)
    assert table["p_value"][0] == pooled_test([10, 30], [64, 64], [20, 31], [64, 64])[1]
