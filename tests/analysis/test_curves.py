import numpy as np
import pandas as pd
import pytest

from trainability.analysis.curves import (
    census_curves,
    collapse_curves,
    layer_census,
    loss_quantiles,
)
from trainability.errors import InputError


def rows_of(**columns: list) -> pd.DataFrame:
    return pd.DataFrame({"cell": "a", **columns})


def test_quantiles_count_a_diverged_network_as_infinite():
    rows = rows_of(loss_curve=[[4.0, 1.0], [3.0, 2.0], [2.0, None], [1.0, 3.0]])
    table = loss_quantiles(rows, [0, 10], quantiles=(0.25, 0.5, 0.99))
    assert list(table.columns) == ["cell", "step", "n", "q25", "q50", "q99"]
    assert table[["q25", "q50", "q99"]].to_numpy().tolist() == [[1, 2, 4], [1, 2, np.inf]]


def test_census_curves_are_means_over_the_networks_that_are_left():
    rows = rows_of(
        active_curve=[[4, 3], [2, None]],
        tentative_curve=[[0, 0], [1, None]],
        permanent_curve=[[0, 1], [1, None]],
    )
    table = census_curves(rows, [0, 10]).set_index("step")
    assert table["n"].to_dict() == {0: 2, 10: 1}
    assert table.loc[0, "active_mean"] == 3 and table.loc[10, "active_mean"] == 3
    assert table["tentatively_dead_mean"].tolist() == [0.5, 0]
    assert table["permanently_dead_mean"].tolist() == [0.5, 1]


def test_when_all_have_diverged_there_is_no_mean():
    columns = {f"{state}_curve": [[1, None]] for state in ("active", "tentative", "permanent")}
    assert np.isnan(census_curves(rows_of(**columns), [0, 1])["active_mean"].iloc[1])


def test_the_layers_shares_add_up_and_leave_out_the_diverged_afterwards():
    rows = rows_of(
        active_init=[np.array([4, 2]), np.array([2, 0])],
        tentative_init=[np.array([0, 1]), np.array([0, 2])],
        permanent_init=[np.array([0, 0]), np.array([2, 1])],
        active_final=[np.array([3, 3]), None],
        tentative_final=[np.array([0, 0]), None],
        permanent_final=[np.array([1, 0]), None],
    )
    table = layer_census(rows).set_index(["moment", "layer", "state"])
    sums = table.groupby(["moment", "layer"])["share"].sum()
    np.testing.assert_allclose(sums, 1)
    assert table.loc[("before", 1, "active"), "share"] == 0.75
    # Shares 1 and 1/2: standard deviation sqrt(1/8), standard error 1/4.
    assert table.loc[("before", 1, "active"), "share_se"] == pytest.approx(0.25)
    assert table.loc[("after", 1, "active"), ["n", "mean"]].tolist() == [1, 3]
    assert np.isnan(table.loc[("after", 1, "active"), "share_se"])


def test_steps_of_another_budget_are_refused():
    with pytest.raises(InputError, match="loss_curve holds 2 values per network, wanted 3"):
        loss_quantiles(rows_of(loss_curve=[[1.0, 2.0]]), [0, 1, 2])


def test_collapse_counts_those_of_which_it_is_recorded():
    curves = [[True, True], [False, True], [False, None], [False, False], None]
    table = collapse_curves(rows_of(cell=["a"] * 5, collapsed_curve=curves), [0, 9])
    assert table["n"].tolist() == [4, 3] and table["n_collapsed"].tolist() == [1, 2]
    assert table["collapsed_rate"].tolist() == pytest.approx([1 / 4, 2 / 3])
    # Clopper-Pearson, 1 of 4: P(X <= 1) = .025.
    high = table["collapsed_rate_high"].iloc[0]
    assert (1 - high) ** 4 + 4 * high * (1 - high) ** 3 == pytest.approx(0.025)
    assert collapse_curves(rows_of(cell=["a"], collapsed_curve=[None]), [0, 9]).empty
