"""The tests of theory that apply to a study, with their verdicts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trainability.analysis.comparisons import holm
from trainability.analysis.laws import Verdict, bound_tests, judge, untrainable_never_succeed
from trainability.findings.gather import Measured
from trainability.findings.predicting import PREDICTED

BOUND = "Success stays below trainability."
COUNTS = "The number of active neurons of the first layer follows its law."


def bounded(rates: pd.DataFrame) -> pd.DataFrame:
    """The cells whose success theory bounds: of the others `trainability` is missing.

    Args:
        rates: One row per cell, with theory from `expectations`.
    """
    return rates[rates["trainability"].notna()]


def theory_verdicts(
    rates: pd.DataFrame,
    measured: Measured,
    predictions: pd.DataFrame,
    n_looks: int,
) -> list[Verdict]:
    """Every law of theory that says something about these cells, with its verdict.

    Args:
        rates: One row per cell, with theory.
        measured: For the counts of active neurons, and the networks.
        predictions: From `prediction_tests`.
        n_looks: How often a cell was looked at before it stopped, at most: a test that holds at
            one look errs at any of several at most that many times as often.
    """
    said = bounded(rates)
    verdicts = [
        untrainable_never_succeed(measured.networks),
        judge(_looked_at(bound_tests(said), n_looks), BOUND),
    ]
    exact = said.assign(lower=np.where(said["is_bound"], np.nan, said["trainability"]))
    exact["lower_se"] = said["trainability_se"]
    verdicts.append(
        judge(
            _looked_at(bound_tests(exact, "n_trainable", "lower", "trainability"), n_looks),
            "Networks are trainable as often as theory says.",
        )
    )
    verdicts.append(
        judge(
            _looked_at(measured.count_tests, n_looks),
            COUNTS,
        )
    )
    if len(predictions):
        verdicts.append(judge(predictions, PREDICTED))
    bounds = ["born_dead_lower", "born_dead_upper"]
    deep = rates[rates[bounds].notna().any(axis=1)]
    if len(deep):
        verdicts.append(
            judge(
                _looked_at(bound_tests(deep, "n_born_dead", *bounds), n_looks),
                "The rate of deep networks that are born dead lies within the general bounds.",
            )
        )
    return verdicts


def _looked_at(tests: pd.DataFrame, n_looks: int) -> pd.DataFrame:
    """The tests with p-values that hold at any of several looks (Bonferroni)."""
    p_value = np.minimum(1.0, tests["p_value"].to_numpy(dtype=float) * n_looks)
    return tests.assign(p_value=p_value, p_holm=holm(p_value))
