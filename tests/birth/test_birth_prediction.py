"""Predictions are held out, calibrated where the model is right, and worth nothing on noise."""

import numpy as np
import pandas as pd
import pytest
from scipy import special

from trainability.birth import predict_outcomes
from trainability.birth.prediction import deviance
from trainability.errors import InputError

N = 4000


def table(seed=0):
    rng = np.random.default_rng(seed)
    x, z = rng.standard_normal((2, N))
    trainable = rng.random(N) < 0.7
    p = special.expit(3 * x - 1) * trainable
    return pd.DataFrame(
        {
            "replicate": np.arange(N),
            "x": x,
            "noise": z,
            "p": p,
            "trainable": trainable,
            "success": rng.random(N) < p,
        }
    )


@pytest.mark.parametrize("model", ["logistic", "splines", "tree"])
def test_a_model_finds_what_decides(model):
    """The truth is known: no model explains more deviance than the true probabilities do."""
    t = table()
    prediction = predict_outcomes(t, ["x", "noise"], model)
    true = deviance(t["success"].to_numpy(), t["p"].clip(1e-9, 1 - 1e-9).to_numpy())
    null = deviance(t["success"].to_numpy(), np.full(N, t["success"].mean()))
    best = 1 - true / null
    assert best - 0.08 < prediction.deviance_explained < best + 0.01
    assert 0 < prediction.gap_explained < prediction.deviance_explained
    low, area, high = prediction.auc[1], prediction.auc[0], prediction.auc[2]
    assert low < area < high and area > 0.9
    assert (prediction.probability[~t["trainable"]] <= 1e-3).all()
    assert prediction.calibration["n"].sum() == t["trainable"].sum()
    if model == "logistic":
        assert prediction.calibrated  # 1 - 0.05 by chance; the seed is fixed
        assert prediction.terms["term"].iloc[0] == "x"
    if model == "tree":
        assert isinstance(prediction.terms, str) and "x <=" in prediction.terms


@pytest.mark.parametrize("model", ["logistic", "tree"])
def test_noise_explains_nothing_of_the_gap(model):
    t = table()
    t["success"] = t["trainable"] & (np.random.default_rng(9).random(N) < 0.5)
    assert predict_outcomes(t, ["x", "noise"], model).gap_explained < 0.01


def test_a_replicate_is_not_learned_from_its_twin():
    """Two cells that share replicates and outcomes, and a feature that names the replicate."""
    t = table()
    t["success"] = t["trainable"] & (np.random.default_rng(9).random(N) < 0.5)
    twins = pd.concat([t, t], ignore_index=True)
    assert predict_outcomes(twins, ["noise", "replicate"], "tree", depth=30).gap_explained < 0.01


def test_what_is_missing_is_a_term_of_its_own():
    t = table()
    t.loc[t["success"], "hint"] = np.nan
    t["hint"] = t.get("hint", pd.Series(np.nan, t.index)).where(t["success"], 1.0)
    t.loc[t["success"], "hint"] = np.nan
    prediction = predict_outcomes(t, ["hint"], "logistic")
    assert prediction.gap_explained > 0.9
    assert "hint is missing" in set(prediction.terms["term"])


def test_bad_questions_are_refused():
    t = table()
    with pytest.raises(InputError, match="has no 'nope'"):
        predict_outcomes(t, ["nope"])
    with pytest.raises(InputError, match="model must be 'logistic' or 'splines' or 'tree'"):
        predict_outcomes(t, ["x"], "forest")
    with pytest.raises(InputError, match="at least one feature, got none"):
        predict_outcomes(t, [])
    with pytest.raises(InputError, match="succeed and others that fail"):
        predict_outcomes(t.assign(success=False), ["x"])
