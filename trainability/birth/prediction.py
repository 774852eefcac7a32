"""Success predicted from features at birth by models that can be read, and how well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import special

from trainability.analysis.rates import clopper_pearson
from trainability.checks import choice_problem, count_problem
from trainability.errors import InputError, refuse

ModelName = Literal["logistic", "splines", "tree"]
_FOLDS = 5
_BINS = 10
_LEAST_PROBABILITY = 1e-3
"""A model never says 0 or 1 of a network that is trainable: one surprise would cost everything."""


@dataclass(frozen=True)
class Prediction:
    """How well features predict which networks succeed, on networks that the model never saw.

    Args:
        probability: Of every network of the table, in order, held out.
        auc: Area under the curve, with limits of its 95 % interval: (estimate, low, high).
        deviance_explained: Share of the deviance around the mean success rate.
        gap_explained: Share of the deviance that is left by who is trainable: around the success
            rate of trainable networks, none of the others succeeding.
        calibration: A row per bin of the probability: `predicted` (mean), `observed`, its exact
            interval `low` and `high`, simultaneous over the bins, and `n`.
        terms: What the model says: a row per term with its weight, or the rules of a tree as text.
    """

    probability: np.ndarray
    auc: tuple[float, float, float]
    deviance_explained: float
    gap_explained: float
    calibration: pd.DataFrame
    terms: pd.DataFrame | str

    @property
    def calibrated(self) -> bool:
        """Whether every bin's mean prediction lies in the interval of what was observed."""
        inside = self.calibration["predicted"].between(
            self.calibration["low"], self.calibration["high"]
        )
        return bool(inside.all())


def predict_outcomes(
    table: pd.DataFrame, columns: Sequence[str], model: ModelName = "tree", depth: int = 6
) -> Prediction:
    """Fit a readable model to networks, and ask it about those of other replicates.

    Held out by replicate: networks of one number, which cells that differ in the optimizer alone
    share, are in one fold. Networks that are not trainable are predicted to fail: that is
    certain, and no success of the model's.

    Args:
        table: From `with_outcomes`: features, `replicate`, `success` and `trainable`.
        columns: The features to use; a value that is missing counts as the column's median, and
            whether it was missing as a term more.
        model: "logistic": linear in the features; "splines": a sum of smooth functions of one
            feature each; "tree": nested questions.
        depth: Of the tree, >= 1.

    Raises:
        InputError: If a column is unknown, or not both outcomes occur.
    """
    owner = "predict_outcomes"
    problems = choice_problem(owner, "model", model, ("logistic", "splines", "tree"))
    problems += count_problem(owner, "depth", depth)
    problems += [
        f"{owner} columns must be of the table, which has no {name!r}"
        for name in [*columns, "replicate", "success", "trainable"]
        if name not in table
    ]
    if not columns:
        problems.append(f"{owner} columns must name at least one feature, got none")
    refuse(problems)
    success = table["success"].to_numpy(dtype=bool)
    trainable = table["trainable"].to_numpy(dtype=bool)
    # Multiplied, so that neighbors of a block are spread over the folds.
    fold = table["replicate"].to_numpy(dtype=np.int64) * 7919 % 104729 % _FOLDS
    for part in range(_FOLDS):
        seen = success[trainable & (fold != part)]
        if seen.all() or not seen.any():
            raise InputError(
                f"{owner} needs trainable networks that succeed and others that fail in every "
                f"fold of replicates, got {success.sum()} successes of {len(success)}"
            )
    x = _matrix(table, columns)
    p = np.full(len(table), _LEAST_PROBABILITY)
    rate, share = np.zeros(len(table)), np.zeros(len(table))
    for part in range(_FOLDS):
        fitted, asked = trainable & (fold != part), fold == part
        at = trainable & asked
        chosen = _model(model, depth, int(fitted.sum())).fit(x[fitted], success[fitted])
        if at.any():
            p[at] = chosen.predict_proba(x[at])[:, 1]
        rate[asked] = success[fold != part].mean()
        share[asked] = np.where(trainable[asked], success[fitted].mean(), _LEAST_PROBABILITY)
    p = np.clip(p, _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
    left = deviance(success, p)
    everything = _model(model, depth, int(trainable.sum())).fit(x[trainable], success[trainable])
    return Prediction(
        probability=p,
        auc=_auc(success, p),
        deviance_explained=1 - left / deviance(success, rate),
        gap_explained=1 - left / deviance(success, share),
        calibration=_calibration(success[trainable], p[trainable]),
        terms=_terms(everything, model, list(x.columns)),
    )


def deviance(success: np.ndarray, p: np.ndarray) -> float:
    """-2 times the log likelihood of the outcomes under the probabilities."""
    return -2.0 * float(np.sum(special.xlogy(success, p) + special.xlog1py(~success, -p)))


def _matrix(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    x = table[list(columns)].astype(float)
    for name in columns:
        missing = x[name].isna()
        if missing.any():
            x[f"{name} is missing"] = missing.astype(float)
            x[name] = x[name].fillna(0.0 if missing.all() else x[name].median())
    return x


def _model(name: str, depth: int, n: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import SplineTransformer, StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    if name == "tree":
        return DecisionTreeClassifier(
            max_depth=depth, min_samples_leaf=max(10, n // 100), random_state=0
        )
    logistic = LogisticRegression(max_iter=2000)
    if name == "logistic":
        return make_pipeline(StandardScaler(), logistic)
    return make_pipeline(SplineTransformer(n_knots=5, knots="quantile"), logistic)


def _terms(model: Any, name: str, columns: list[str]) -> pd.DataFrame | str:
    if name == "tree":
        from sklearn.tree import export_text

        return export_text(model, feature_names=columns, decimals=2, show_weights=True)
    weights = model[-1].coef_[0]
    names = columns if name == "logistic" else list(model[0].get_feature_names_out(columns))
    terms = pd.DataFrame({"term": names, "weight": weights})
    return terms.sort_values("weight", key=np.abs, ascending=False, ignore_index=True)


def _auc(success: np.ndarray, p: np.ndarray) -> tuple[float, float, float]:
    """Area under the curve; Hanley & McNeil (1982), Radiology 143, 29-36, for its error."""
    from sklearn.metrics import roc_auc_score

    area = float(roc_auc_score(success, p))
    n1, n0 = int(success.sum()), int((~success).sum())
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (n1 - 1) * (q1 - area**2) + (n0 - 1) * (q2 - area**2)
    half = 1.96 * float(np.sqrt(max(variance, 0.0) / (n1 * n0)))
    return area, max(0.0, area - half), min(1.0, area + half)


def _calibration(success: np.ndarray, p: np.ndarray) -> pd.DataFrame:
    """Bins of about equal numbers; equal predictions stay together."""
    edges = np.unique(np.quantile(p, np.linspace(0, 1, _BINS + 1)[1:-1]))
    place = np.searchsorted(edges, p, side="left")
    groups = pd.DataFrame({"p": p, "success": success}).groupby(place)
    n = groups.size().to_numpy()
    k = groups["success"].sum().to_numpy()
    low, high = clopper_pearson(k, n, 1 - 0.05 / len(n))
    predicted = groups["p"].mean().to_numpy()
    return pd.DataFrame(
        {"predicted": predicted, "observed": k / n, "low": low, "high": high, "n": n}
    )
