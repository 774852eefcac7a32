import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trainability.analysis.comparisons import (
    compare,
    difference,
    fisher,
    holm,
    mcnemar,
    paired_difference,
)
from trainability.errors import InputError


def networks(cell: str, success: np.ndarray, **identity: object) -> pd.DataFrame:
    columns = {"scheme": "He()", "width": 4, "optimizer": "Adam(0.005)", "seed": 0, **identity}
    return pd.DataFrame(
        {
            "cell": cell,
            "replicate": np.arange(len(success)),
            **columns,
            "status": "ok",
            "born_dead": False,
            "trainable": True,
            "steps": 1,
            "success": success,
        }
    )


def test_the_column_of_streams_is_no_axis():
    success = np.random.default_rng(0).random((4, 100)) < 0.5
    points = [(scheme, width) for scheme in ("He()", "LeCun()") for width in (4, 8)]
    rows = pd.concat(
        networks(f"cell {n}", success[n], stream=f"stream {n}", scheme=scheme, width=width)
        for n, (scheme, width) in enumerate(points)
    )
    table = compare(rows)
    assert list(table["width"]) == [4, 8] and not table["paired"].any()
    pd.testing.assert_frame_equal(table, compare(rows.drop(columns="stream")))


def test_holm_rejects_step_by_step():
    adjusted = holm([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(adjusted, [0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).tolist() == [1, 1] and holm([]).tolist() == []


def test_mcnemar_is_the_sign_test_of_the_discordant_pairs():
    for only_a, only_b in [(0, 0), (3, 3), (1, 9), (40, 20)]:
        total = only_a + only_b
        expected = stats.binomtest(only_a, total, 0.5).pvalue if total else 1.0
        assert mcnemar(only_a, only_b) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (5, 8), (12, 12)])
def test_fishers_test_is_that_of_scipy(n_a, n_b):
    for k_a in range(n_a + 1):
        for k_b in range(n_b + 1):
            expected = stats.fisher_exact([[k_a, n_a - k_a], [k_b, n_b - k_b]])[1]
            assert fisher(k_a, n_a, k_b, n_b) == pytest.approx(expected, rel=1e-10)


def test_fishers_test_is_that_of_scipy_for_large_samples_too():
    for table in [(512, 1024, 600, 1024), (3, 1024, 90_000, 100_000), (700, 1024, 700, 1024)]:
        k_a, n_a, k_b, n_b = table
        expected = stats.fisher_exact([[k_a, n_a - k_a], [k_b, n_b - k_b]])[1]
        assert fisher(*table) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("n", [5, 20, 60])
def test_the_paired_interval_covers_whatever_the_truth(n):
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    x, y = x[x + y <= n], y[x + y <= n]
    _, low, high = paired_difference(x, y, n, 0.95)
    outcomes = np.column_stack([x, y, n - x - y])
    for a in np.linspace(0, 1, 11):
        for b in np.linspace(0, 1 - a, 11):
            chances = [a, b, max(1 - a - b, 0)]
            covered = (low <= b - a + 1e-12) & (b - a - 1e-12 <= high)
            assert stats.multinomial.pmf(outcomes, n, chances)[covered].sum() >= 0.95


@pytest.mark.parametrize(("n_a", "n_b"), [(20, 30), (10, 80), (60, 60)])
def test_the_independent_interval_covers_whatever_the_truth(n_a, n_b):
    x, y = np.arange(n_a + 1), np.arange(n_b + 1)
    _, low, high = difference(x[:, None], n_a, y, n_b, 0.95)
    for a in np.linspace(0, 1, 11):
        for b in np.linspace(0, 1, 11):
            chance = stats.binom.pmf(x, n_a, a)[:, None] * stats.binom.pmf(y, n_b, b)
            covered = (low <= b - a + 1e-12) & (b - a - 1e-12 <= high)
            assert chance[covered].sum() >= 0.95


def test_swapping_the_cells_turns_the_interval_around():
    gap, low, high = paired_difference(3, 11, 50)
    assert [-float(v) for v in (gap, high, low)] == [float(v) for v in paired_difference(11, 3, 50)]


def test_cells_that_share_initializations_are_paired_by_replicate():
    rng = np.random.default_rng(0)
    easy = rng.random(300)
    rows = pd.concat(
        [
            networks("a", easy < 0.5),
            networks("b", easy < 0.6, optimizer="SGD(0.1)").sample(frac=1, random_state=0),
        ]
    )
    table = compare(rows, "optimizer")
    gained = int(((easy >= 0.5) & (easy < 0.6)).sum())
    row = table.iloc[0]
    assert row["paired"] and (row["a"], row["b"]) == ("Adam(0.005)", "SGD(0.1)")
    assert row["difference"] == pytest.approx(gained / 300)
    assert row["p_value"] == pytest.approx(2 * 0.5**gained)
    # The same rates without pairs: nobody would notice the difference.
    assert stats.fisher_exact([[150, 150], [150 + gained, 150 - gained]])[1] > row["p_value"]


def test_other_cells_are_compared_as_independent_samples_at_every_width():
    rows = pd.concat(
        [
            networks(
                f"{scheme}{width}", np.arange(100) < 10 * width + bonus, scheme=scheme, width=width
            )
            for width in (2, 4)
            for scheme, bonus in [("He()", 0), ("RAI()", 40), ("LeCun()", 1)]
        ]
    )
    table = compare(rows, "scheme")
    assert list(table.columns[:3]) == ["width", "a", "b"] and len(table) == 6
    assert not table["paired"].any()
    row = table.iloc[0]
    assert (row["width"], row["a"], row["b"]) == (2, "He()", "RAI()")
    assert row["difference"] == pytest.approx(0.4)
    assert row["p_value"] == pytest.approx(stats.fisher_exact([[20, 80], [60, 40]])[1])
    np.testing.assert_allclose(table["p_holm"], holm(table["p_value"]))


def test_a_setting_that_goes_with_the_compared_axis_is_no_axis():
    rows = pd.concat(
        [
            networks("a", np.ones(10, bool), optimizer="Adam(0.1)", learning_rate=0.1),
            networks("b", np.zeros(10, bool), optimizer="Adam(0.2)", learning_rate=0.2),
        ]
    )
    assert len(compare(rows, "optimizer")) == 1


def test_an_unknown_axis_is_refused():
    with pytest.raises(InputError, match="no identity column 'init' to compare; there is"):
        compare(networks("a", np.ones(3, bool)), "init")
