import time

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trainability.analysis.rates import (
    Rate,
    clopper_pearson,
    simultaneous_level,
    success_rates,
    varying,
    wilson,
)
from trainability.errors import InputError


def rows_of(cells: dict[str, list[bool]], **columns: object) -> pd.DataFrame:
    """Rows as a trial writes them, with what the estimates read."""
    parts = [
        pd.DataFrame(
            {
                "cell": cell,
                "replicate": np.arange(len(success)),
                "scheme": f"Scheme({cell})",
                "width": 2,
                "status": "ok",
                "born_dead": False,
                "trainable": True,
                "steps": 10,
                "success": success,
            }
        )
        for cell, success in cells.items()
    ]
    return pd.concat(parts, ignore_index=True).assign(**columns)


@pytest.mark.parametrize("level", [0.5, 0.95, 1 - 1e-6])
def test_clopper_pearson_has_exactly_the_tail_that_defines_it(level):
    n = np.repeat([1, 2, 10, 1000], [2, 3, 11, 1001])
    k = np.concatenate([np.arange(size + 1) for size in (1, 2, 10, 1000)])
    low, high = clopper_pearson(k, n, level)
    tail = (1 - level) / 2
    inner = k > 0
    # One rounding of an upper limit 5e-10 below 1 moves the tail by 2.2e-16 / 5e-10 = 4e-7.
    at_low = stats.binom.sf(k[inner] - 1, n[inner], low[inner])
    np.testing.assert_allclose(at_low, tail, rtol=1e-6)
    inner = k < n
    at_high = stats.binom.cdf(k[inner], n[inner], high[inner])
    np.testing.assert_allclose(at_high, tail, rtol=1e-6)
    assert (low[k == 0] == 0).all() and (high[k == n] == 1).all()


def test_clopper_pearson_is_closed_form_at_the_ends_even_at_tiny_error():
    low, high = clopper_pearson([0, 50], 50, level=1 - 1e-12)
    assert high[0] == pytest.approx(-np.expm1(np.log(5e-13) / 50), rel=1e-4)
    assert low[1] == pytest.approx(1 - high[0], rel=1e-12)


@pytest.mark.parametrize("n", [1, 7, 40])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_clopper_pearson_covers_at_every_p(n, level):
    k = np.arange(n + 1)
    low, high = clopper_pearson(k, n, level)
    for p in np.linspace(0, 1, 201):
        coverage = stats.binom.pmf(k, n, p)[(low <= p) & (p <= high)].sum()
        assert coverage >= level - 1e-12


def test_wilson_solves_its_quadratic_and_stays_inside():
    k = np.arange(21)
    low, high = wilson(k, 20, 0.9)
    z = stats.norm.ppf(0.95)
    for p in (low, high):
        inner = (p > 0) & (p < 1)
        score = np.abs(k / 20 - p)[inner] / np.sqrt(p * (1 - p) / 20)[inner]
        np.testing.assert_allclose(score, z, rtol=1e-12)
    assert (low >= 0).all() and (high <= 1).all()


def test_without_trials_nothing_is_known():
    for interval in (clopper_pearson(0, 0), wilson(0, 0)):
        assert [float(end) for end in interval] == [0.0, 1.0]
    assert np.isnan(Rate(0, 0).estimate)


def test_a_rate_tells_its_interval():
    rate = Rate(successes=412, n=1000)
    assert rate.interval(0.95)[0] < rate.estimate == 0.412 < rate.interval(0.95)[1]
    assert rate.interval(method="wilson") != rate.interval()
    assert str(rate) == "0.412 [0.3813, 0.4432] (412 of 1000)"


def test_simultaneous_levels_spend_the_error_exactly():
    assert 40 * (1 - simultaneous_level(0.95, 40)) == pytest.approx(0.05)
    assert simultaneous_level(0.95, 40, "sidak") ** 40 == pytest.approx(0.95)
    assert simultaneous_level(0.95, 1) == pytest.approx(0.95)


def test_failures_and_divergence_stay_in_the_denominator():
    rows = rows_of({"a": [True, False, False, True], "b": [False]})
    rows.loc[1, "status"] = "diverged"
    rows.loc[[1, 2], "born_dead"] = True
    rows.loc[[2, 4], "trainable"] = False
    rows.loc[0, "steps"] = 20
    table = success_rates(rows)
    assert list(table.index) == ["a", "b"]
    assert table.loc["a", ["n", "successes", "n_diverged", "n_trainable"]].tolist() == [4, 2, 1, 3]
    assert table.loc["a", ["success_rate", "trainable_rate", "born_dead_rate"]].tolist() == [
        0.5,
        0.75,
        0.5,
    ]
    assert table.loc["a", "success_steps_median"] == 15
    assert np.isnan(table.loc["b", "success_steps_median"])
    low, high = clopper_pearson(2, 4)
    assert table.loc["a", ["success_rate_low", "success_rate_high"]].tolist() == [low, high]


def test_identity_is_what_is_constant_in_every_cell_and_missing_values_are_constant():
    rows = rows_of({"a": [True, False], "b": [False, True]}, batch_size=None)
    rows["wall_s"] = [0.1, 0.2, 0.3, 0.3]
    rows["loss_curve"] = [[1.0, 0.5]] * 4
    table = success_rates(rows)
    assert list(table.columns[: table.columns.get_loc("n")]) == ["scheme", "width", "batch_size"]
    assert varying(table) == ["scheme"]


def test_rates_do_not_depend_on_the_order_of_rows():
    rows = rows_of({"a": [True, False, True], "b": [False, False]})
    shuffled = rows.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        success_rates(rows).sort_index(), success_rates(shuffled).sort_index()
    )


def test_theory_joins_by_cell():
    rows = rows_of({"a": [True], "b": [False]})
    theory = pd.DataFrame({"trainability": [0.2, 0.9], "trainability_se": 0.0}, index=["b", "a"])
    assert success_rates(rows, theory)["trainability"].to_dict() == {"a": 0.9, "b": 0.2}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Rate(3, 2), "Rate wants 0 <= successes <= n, got 3 of 2"),
        (lambda: clopper_pearson(3, 2), "wants 0 <= successes <= n everywhere"),
        (lambda: clopper_pearson(1, 2, 95), "level must lie between 0 and 1.*got 95"),
        (lambda: Rate(1, 2).interval(method="wald"), "clopper-pearson.*got 'wald'"),
        (lambda: simultaneous_level(0.95, 0), "n_intervals >= 1, got 0"),
    ],
)
def test_bad_counts_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_a_million_rows_take_seconds():
    n_cells, size = 1000, 1000
    rng = np.random.default_rng(0)
    total = n_cells * size
    rows = pd.DataFrame(
        {
            "cell": np.repeat([f"{i:016x}" for i in range(n_cells)], size),
            "replicate": np.tile(np.arange(size), n_cells),
            "scheme": np.repeat([f"Scheme{i % 5}()" for i in range(n_cells)], size),
            "width": np.repeat(np.arange(n_cells) // 5 + 2, size),
            "status": "ok",
            "born_dead": rng.random(total) < 0.1,
            "trainable": rng.random(total) < 0.9,
            "steps": rng.integers(0, 10_000, total),
            "success": rng.random(total) < 0.6,
        }
    )
    start = time.process_time()
    table = success_rates(rows)
    # Measured 0.2 s; a loop over rows or cells with scalar intervals takes far longer.
    assert time.process_time() - start < 3
    assert table["n"].sum() == total


def test_collapse_counts_the_networks_of_which_it_is_known():
    """Older rows and diverged networks are in no denominator; without any known, no rate."""
    rows = pd.DataFrame(
        {
            "cell": ["a"] * 5 + ["b"] * 2,
            "width": 2,
            "status": "ok",
            "success": False,
            "trainable": True,
            "born_dead": False,
            "steps": 1,
            "collapsed": [True, False, False, None, True, None, None],
        }
    )
    table = success_rates(rows)
    assert table["n_collapsed"].tolist() == [2, 0]
    assert table["n_collapse_known"].tolist() == [4, 0]
    a, b = table["collapsed_rate"]
    assert a == 0.5 and np.isnan(b) and np.isnan(table.loc["b", "collapsed_rate_high"])
    low, high = clopper_pearson(2, 4)
    assert (table.loc["a", "collapsed_rate_low"], table.loc["a", "collapsed_rate_high"]) == (
        low,
        high,
    )
    assert "collapsed" not in table
    unknown = success_rates(rows.drop(columns="collapsed"))
    assert unknown["collapsed_rate"].isna().all()
