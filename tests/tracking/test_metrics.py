"""Metrics of a cell: the contract's names, values that a hand can check."""

import math

import numpy as np
import pandas as pd

from trainability.tracking.metrics import curve_metrics, final_metrics
from trainability.trial import checkpoints

STEPS = checkpoints(5)  # 0, 1, 2, 5


def rows():
    """Four networks of two neurons: a success at step 2, two failures, one that diverged."""
    return pd.DataFrame(
        {
            "width": 2,
            "depth": 2,
            "max_steps": 5,
            "success": [True, False, False, False],
            "trainable": [True, True, False, True],
            "born_dead": [False, False, True, False],
            "status": ["ok", "ok", "ok", "diverged"],
            "collapsed": [False, False, True, None],
            "steps": [2, 5, 5, 1],
            "active_init": [[2], [1], [0], [2]],
            "tentative_init": [[0]] * 4,
            "permanent_init": [[0], [1], [2], [0]],
            "undecided_init": [[0], [1], [0], [0]],
            "loss_curve": [
                [1.0, 0.5, 0.0, 0.0],
                [1.0, 0.9, 0.8, 0.7],
                [1.0, 1.0, 1.0, 1.0],
                [1.0, None, None, None],
            ],
            "active_curve": [[2, 2, 2, 2], [1, 1, 1, 1], [0, 0, 0, 0], [2, None, None, None]],
            "tentative_curve": [[0, 0, 0, 0]] * 3 + [[0, None, None, None]],
            "permanent_curve": [[0, 0, 0, 0], [1, 1, 1, 1], [2, 2, 2, 2], [0, None, None, None]],
        }
    )


def test_final_metrics_are_those_of_the_contract():
    metrics = final_metrics(rows(), trainability=0.75, provenance=[{"seconds": "2.0"}])
    low, high = metrics.pop("success_rate_low"), metrics.pop("success_rate_high")
    assert metrics == {
        "success_rate": 0.25,
        "trainability": 0.75,
        "trainable_rate": 0.75,
        "born_dead_rate": 0.25,
        "diverged_rate": 0.25,
        "collapsed_rate": 1 / 3,
        "undecided_share": 1 / 8,
        "replicates": 4.0,
        "networks_per_second": 2.0,
    }
    # Clopper-Pearson, 1 of 4: the roots of P(X >= 1) = .025 and P(X <= 1) = .025.
    assert math.isclose(1 - (1 - low) ** 4, 0.025)
    assert math.isclose((1 - high) ** 4 + 4 * high * (1 - high) ** 3, 0.025)


def test_curves_keep_failures_in_the_denominator():
    curves = {name: dict(points) for name, points in curve_metrics(rows()).items()}
    assert curves["success_rate"] == {0: 0, 1: 0, 2: 0.25, 5: 0.25}
    # The network that diverged counts as an infinite loss, which no metric can hold.
    assert curves["loss_q90"] == {0: 1.0}
    assert {step: round(v, 6) for step, v in curves["loss_median"].items()} == {
        0: 1.0, 1: 1.0, 2: 1.0, 5: 1.0,
    }  # fmt: skip
    assert curves["active_mean"] == {0: 1.25, 1: 1.0, 2: 1.0, 5: 1.0}
    assert set(curves) == {
        "loss_median", "loss_q90", "success_rate", "active_mean", "tentatively_dead_mean",
        "permanently_dead_mean",
    }  # fmt: skip
    assert all(np.isfinite(list(curve.values())).all() for curve in curves.values())


def test_collapse_is_a_curve_where_it_was_recorded():
    flat = [[False] * 4, [False, False, True, True], [True] * 4, [True, None, None, None]]
    table = rows().assign(collapsed_curve=flat)
    curve = dict(curve_metrics(table)["collapsed_rate"])
    assert curve == {0: 0.5, 1: 1 / 3, 2: 2 / 3, 5: 2 / 3}
    assert final_metrics(table, 0.75, [{"seconds": "2.0"}])["collapsed_rate"] == 1 / 3
    table["collapsed_curve"] = pd.Series([*flat[:3], None], dtype=object)
    assert "collapsed_rate" not in curve_metrics(table)
