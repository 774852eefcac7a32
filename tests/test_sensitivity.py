"""Variance, scale, cosine and living points, against a loop over networks in plain NumPy."""

from itertools import combinations

import numpy as np
import pytest

from trainability.networks import initialize
from trainability.schemes import He, SignFlipped
from trainability.seeds import stream
from trainability.sensitivity import data_sensitivity

X = np.random.default_rng(0).standard_normal((20, 2)).astype(np.float32)
Y = X[:, :1]


def ensemble(scheme, n=64):
    return initialize(scheme, (2, 3, 3, 3, 1), n, stream(0, "test", "initialization", 0), X, Y)


def mean_cosine(h):
    """Over all pairs of rows that are not 0."""
    rows = [row / np.linalg.norm(row) for row in h if row.any()]
    return np.mean([a @ b for a, b in combinations(rows, 2)]) if len(rows) > 1 else np.nan


def test_layers_are_those_of_a_loop():
    networks = ensemble(He(bias_std=0.5))
    measured = data_sensitivity(networks, X)
    for r in range(networks.n_networks):
        h, alive = X.astype(float), np.ones(len(X), dtype=bool)
        for k in range(3):
            z = h @ networks.weights[k][r].double().numpy().T + networks.biases[k][r].numpy()
            h = np.maximum(z, 0)
            alive &= (z > 0).any(axis=1)
            size = np.square(h).sum(axis=1).mean()
            spread = np.square(h - h.mean(axis=0)).sum(axis=1).mean()
            share = spread / size if size else 0
            # float32 against float64, three layers
            assert measured.variance[r, k] == pytest.approx(share, abs=1e-5)
            with np.errstate(divide="ignore"):
                log_scale = np.log10(np.square(h).mean() / np.square(X.astype(float)).mean())
            wanted = log_scale if size else np.nan
            assert measured.log_scale[r, k] == pytest.approx(wanted, abs=1e-5, nan_ok=True)
            assert measured.cosine[r, k] == pytest.approx(mean_cosine(h), abs=1e-5, nan_ok=True)
            assert measured.living[r, k] == alive.mean()


def test_sign_flipping_keeps_half_of_the_points_alive_per_layer():
    measured = data_sensitivity(ensemble(SignFlipped(He())), X)
    assert (measured.living >= 2.0 ** -np.arange(1, 4)).all()
    assert (data_sensitivity(ensemble(He()), X).living[:, 2] < 2.0**-3).any()


def test_what_is_zero_or_not_finite_has_neither_scale_nor_cosine():
    networks = ensemble(He())
    networks.weights[0][0] = 0.0
    networks.weights[1][1] = np.nan
    measured = data_sensitivity(networks, X)
    assert measured.variance[0].tolist() == [0, 0, 0]
    assert np.isnan(measured.log_scale[0]).all() and np.isnan(measured.cosine[0]).all()
    assert np.isnan(measured.log_scale[1]).tolist() == [False, True, True]
    assert np.isnan(measured.cosine[1]).tolist() == [False, True, True]
