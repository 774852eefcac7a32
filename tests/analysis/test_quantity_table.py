"""Quantities of cells, agreement with published numbers, and what networks collapse to."""

import numpy as np
import pandas as pd
import pytest

from trainability.analysis.agreement import normal_p_value, rate_p_value, restarts_p_value
from trainability.analysis.collapse import collapse_table
from trainability.analysis.quantity_table import quantity_table, restarts
from trainability.analysis.rates import clopper_pearson


def rows(n=100):
    """One cell: 30 succeed, 20 collapse, of 10 nothing is known; 5 diverge."""
    index = np.arange(n)
    return pd.DataFrame(
        {
            "cell": "a",
            "success": index < 30,
            "born_dead": index >= 90,
            "collapsed": [None if i < 10 else i >= 80 for i in index],
            "status": np.where(index < 5, "diverged", "ok"),
            "final_loss": np.where(index < 5, np.nan, 1.0 + index / 100),
            "variance_init": [np.array([0.5, i / n]) for i in index],
        }
    )


def test_rates_count_the_networks_of_which_they_are_known():
    table = quantity_table(rows()).set_index("quantity")
    assert table.loc[["success", "collapsed", "diverged"], "count"].tolist() == [30, 20, 5]
    assert table.loc["collapsed", "n"] == 90
    low, high = clopper_pearson(20, 90)
    assert (table.loc["collapsed", "low"], table.loc["collapsed", "high"]) == (low, high)


def test_networks_end_dead_if_any_layer_has_no_active_neuron():
    """One without neurons and 5 that diverged, which have no census, are left out."""
    active = [None] * 5 + [[]] + [[2, 0], [0, 2], [0, 0]] * 10 + [[1, 2]] * 64
    lists = [None if value is None else np.array(value, dtype=int) for value in active]
    row = quantity_table(rows().assign(active_final=lists)).set_index("quantity").loc["dead"]
    assert (row["n"], row["count"], row["value"]) == (94, 30, 30 / 94)


def test_of_lists_the_last_layer_counts_and_means_have_students_interval():
    row = quantity_table(rows()).set_index("quantity").loc["variance"]
    assert row["value"] == pytest.approx(0.495)
    assert row["se"] == pytest.approx(np.std(np.arange(100) / 100, ddof=1) / 10)
    assert row["low"] < row["value"] < row["high"]
    assert quantity_table(rows()).set_index("quantity").loc["final_loss", "n"] == 95


def test_a_network_without_layers_has_no_number_of_its_last_one():
    """Neither the one before it in the table, nor the last one of all, is asked for it."""
    lists = [np.array([]) if i % 2 == 0 else np.array([0.5, i / 100]) for i in range(100)]
    row = quantity_table(rows().assign(variance_init=lists)).set_index("quantity").loc["variance"]
    assert row["n"] == 50 and row["value"] == pytest.approx(0.5)


def test_means_of_what_may_be_negative_have_intervals_below_0():
    table = rows().assign(
        log_scale_init=[[None, i / 100 - 0.5] for i in range(100)],
        cosine_init=[[0.0, np.nan]] * 98 + [[1.0, -0.5], [1.0, 0.5]],
    )
    means = quantity_table(table).set_index("quantity")
    assert means.loc["log_scale", "value"] == pytest.approx(-0.005)
    assert means.loc["log_scale", "low"] < -0.05
    assert means.loc["cosine", "n"] == 2 and means.loc["cosine", "low"] < 0


def test_restarts_are_the_fewest_that_give_the_chance():
    for p in (0.9, 0.5, 0.3, 1e-3):
        needed = restarts(p)
        assert 1 - (1 - p) ** needed >= 0.9 - 1e-12
        assert needed == 1 or 1 - (1 - p) ** (needed - 1) < 0.9
    table = quantity_table(rows()).set_index("quantity")
    assert table.loc["restarts", "value"] == restarts(0.3)
    assert table.loc["restarts_alive", "value"] == restarts(0.9)
    assert table.loc["restarts", "low"] < table.loc["restarts", "value"]


def test_a_number_of_restarts_agrees_with_every_probability_that_it_is_of():
    """Of 100 networks 30 succeed: 7 restarts are what .3 needs, and 40 are far off."""
    assert restarts_p_value(30, 100, 7, "=", 0.9) == pytest.approx(1)
    assert restarts_p_value(30, 100, 40, "=", 0.9) < 1e-6
    assert restarts_p_value(30, 100, 2, ">=", 0.9) > 0.05
    assert restarts_p_value(30, 100, 40, ">=", 0.9) < 1e-6


def test_tests_of_agreement_take_bounds_from_their_side_alone():
    assert rate_p_value(95, 100, 0.9, None, ">=") > 0.5
    assert rate_p_value(80, 100, 0.9, None, ">=") < 0.01
    assert rate_p_value(80, 100, 0.9, None, "<=") > 0.5
    assert normal_p_value(2.0, 0.1, 1.0, 0.1, ">=") == 1
    assert normal_p_value(0.0, 0.1, 1.0, 0.1, ">=") < 1e-6
    assert normal_p_value(0.5, 0.0, 0.5, 0.0, "=") == 1
    assert normal_p_value(0.6, 0.0, 0.5, 0.0, "=") == 0


def test_networks_that_collapse_to_the_best_constant_are_told_from_others():
    """The 20 collapsed have losses 1.80 to 1.99."""
    table = collapse_table(rows(), {"a": 1.85})
    assert table["n_born_dead"].tolist() == [10]  # of the 20 that collapsed
    assert table[["n", "count"]].to_numpy().tolist() == [[20, 7]]
    assert collapse_table(rows(), {}).empty
