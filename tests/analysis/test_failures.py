import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trainability.analysis.failures import REASONS, failure_table, outcomes, time_to_success
from trainability.analysis.rates import clopper_pearson


def network(**changes: object) -> dict[str, object]:
    """A trainable network that fails with enough neurons alive and a stalled loss."""
    return {
        "cell": "a",
        "status": "ok",
        "trainable": True,
        "success": False,
        "need": 2,
        "active_final": np.array([3]),
        "loss_curve": np.array([1.0, 0.3, 0.2, 0.2]),
        "steps": 100,
        "max_steps": 100,
    } | changes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "local minimum"),
        ({"success": True}, "success"),
        ({"trainable": False}, "untrainable"),
        ({"status": "diverged", "active_final": None}, "diverged"),
        ({"status": "diverged", "trainable": False, "active_final": None}, "untrainable"),
        ({"active_final": np.array([1])}, "lost neurons"),
        ({"active_final": np.array([2])}, "local minimum"),
        ({"need": 1, "active_final": np.array([4, 0, 2])}, "lost neurons"),
        ({"loss_curve": np.array([1.0, 0.3, 0.2, 0.19])}, "out of steps"),
        ({"loss_curve": np.array([1.0, 0.3, 0.2, 0.199])}, "local minimum"),
        ({"active_final": np.array([1]), "loss_curve": [1.0, 0.1]}, "lost neurons"),
    ],
)
def test_every_failure_has_one_reason(changes, expected):
    rows = pd.DataFrame([network(**changes)], index=[7])
    assert outcomes(rows).to_dict() == {7: expected}


def test_the_reasons_add_up_to_the_trainable_failures():
    rows = pd.DataFrame(
        [network(), network(trainable=False), network(success=True)]
        + [network(active_final=np.array([1]))] * 3
        + [network(cell="b", success=True)]
    )
    table = failure_table(rows).set_index(["cell", "reason"])
    assert table.loc["a", "count"].to_dict() == dict(zip(REASONS, [0, 3, 0, 1], strict=True))
    assert (table.loc["a", "n_failed"] == 4).all()
    low, high = clopper_pearson(3, 4)
    row = table.loc[("a", "lost neurons")]
    assert row[["share", "share_low", "share_high"]].tolist() == [0.75, low, high]
    assert table.loc["b", "share"].isna().all() and (table.loc["b", "share_high"] == 1).all()


def test_survival_is_the_share_not_yet_successful_and_divergence_is_no_escape():
    rows = pd.DataFrame(
        [network(success=True, steps=step) for step in (0, 10, 10, 60)]
        + [network(), network(status="diverged", steps=3, active_final=None)]
    )
    table = time_to_success(rows, steps=[0, 5, 10, 60, 100]).set_index("step")
    np.testing.assert_allclose(table["survival"], np.array([5, 5, 3, 2, 2]) / 6)
    low, high = clopper_pearson(3, 6)
    assert table.loc[10, ["survival_low", "survival_high"]].tolist() == [low, high]


def test_all_or_no_success_draws_a_curve_too():
    for success, end in ((True, 0.0), (False, 1.0)):
        table = time_to_success(pd.DataFrame([network(success=success)] * 3))
        assert table["survival"].iloc[-1] == end
        assert table["step"].iloc[0] == 0 and table["step"].iloc[-1] == 100


def test_survival_is_that_of_scipy_to_the_last_bit():
    rng = np.random.default_rng(1)
    success, steps = rng.random(500) < 0.7, rng.integers(0, 100, 500)
    rows = [network(success=bool(s), steps=t) for s, t in zip(success, steps, strict=True)]
    grid = np.arange(102)
    table = time_to_success(pd.DataFrame(rows), steps=grid)
    data = stats.CensoredData(uncensored=steps[success], right=np.full((~success).sum(), 100.0))
    assert table["survival"].tolist() == stats.ecdf(data).sf.evaluate(grid).tolist()


def test_survival_covers_an_exponential_truth():
    rng = np.random.default_rng(0)
    n, n_cells, level = 200, 400, 0.9
    steps = rng.exponential(50, n * n_cells).astype(int)
    rows = pd.DataFrame(
        {
            "cell": np.repeat(np.arange(n_cells), n),
            "steps": np.minimum(steps, 100),
            "success": steps < 100,
            "max_steps": 100,
        }
    )
    table = time_to_success(rows, steps=[20], level=level)
    truth = np.exp(-21 / 50)
    covered = int(((table["survival_low"] <= truth) & (truth <= table["survival_high"])).sum())
    assert stats.binomtest(covered, n_cells, level, "less").pvalue > 1e-6
