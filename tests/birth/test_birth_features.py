"""Networks are drawn again as trials draw them, and features say what is so."""

import dataclasses

import numpy as np
import pytest
import torch

from trainability import Adam
from trainability.birth import FEATURES, Birth, birth_features, with_outcomes
from trainability.birth.features import flow, races
from trainability.birth.kernel import tangent_kernel, tangent_kernel_features
from trainability.errors import InputError
from trainability.networks import Ensemble, initialize
from trainability.schemes import He
from trainability.seeds import BLOCK_SIZE
from trainability.tasks import RotatedAbsoluteValues
from trainability.theory.numerics.races import Fates
from trainability.trial import Runtime, draw, run_trial

NONE: dict = {}


@pytest.fixture(scope="module")
def trained(tiny_study):
    """A cell of two blocks, and its rows."""
    cell = tiny_study.cells()[0]
    return cell, run_trial(tiny_study.name, cell, [0, 1], Runtime())[0]


def test_redrawn_networks_are_those_that_were_trained(trained):
    """Counts and losses of the rows, which the census and the engine found, are met again."""
    cell, rows = trained
    table = with_outcomes(birth_features([cell], 300), rows)
    assert len(table) == 2 * BLOCK_SIZE  # rounded up to whole blocks
    assert np.array_equal(table["active_1"], np.concatenate(rows["active_init"].to_list()))
    np.testing.assert_allclose(table["birth_loss"], rows["initial_loss"], rtol=1e-4)
    assert np.array_equal(table["success"], rows["success"])
    assert not table["success"][table["active_1"] < 2].any()


def test_races_and_kinks_add_up(trained):
    cell, _ = trained
    table = birth_features([cell], 256)
    serving = table["serving_right"] + table["serving_left"] + table["lines"]
    assert (serving <= table["active_1"]).all() and (serving < table["active_1"]).any()
    assert (table["kinks_inside"] + table["lines"] == table["active_1"]).all()
    assert (table["faces_right"] + table["faces_left"] == table["active_1"]).all()
    assert (
        (table["stronger_side"] > 0) == (table["serving_right"] + table["serving_left"] > 0)
    ).all()
    assert (
        (table["weaker_side"] > 0) == ((table["serving_right"] > 0) & (table["serving_left"] > 0))
    ).all()
    assert table["kink_lowest"].isna().equals(table["kinks_inside"] == 0)
    shares = [
        table[name].mean() / cell.width for name in ("serving_right", "serving_left", "lines")
    ]
    assert Fates(*shares).opposite(cell.width) > 0


def test_the_flow_says_of_nearly_every_network_how_it_ends(tiny_study, trained):
    assert flow(Birth(trained[0], draw(trained[0], [0]))) == NONE  # its budget is too short
    adam = Adam(learning_rate=0.01)
    cell = dataclasses.replace(trained[0], optimizer=adam, max_steps=1000)
    rows, _ = run_trial(tiny_study.name, cell, [0, 1], Runtime())
    table = with_outcomes(birth_features([cell], 512, {"flow": flow}), rows)
    assert not table["flow_succeeds"][~table["trainable"]].any()
    assert 0.1 < table["success"].mean() < 0.9
    assert (table["flow_succeeds"] == table["success"]).mean() > 0.95


@pytest.mark.parametrize("change", [{"depth": 4}, {"task": RotatedAbsoluteValues(n_train=30)}])
def test_every_network_has_features(tiny_study, change):
    """Deep ones, and several inputs and outputs: what is not defined is left out."""
    cell = dataclasses.replace(tiny_study.cells()[0], **change)
    table = birth_features([cell], 1)
    assert (
        table.notna().drop(columns=["kink_lowest", "kink_highest"], errors="ignore").all(axis=None)
    )
    assert "active_1" in table and "ntk_rank" in table and "serving_right" not in table
    assert races(Birth(cell, draw(cell, [0]))) == NONE
    assert ("active_3" in table) == (cell.depth == 4)


def test_a_feature_of_ones_own_is_a_function(trained):
    cell, _ = trained
    own = {"norm": lambda birth: np.square(birth.weights[0]).sum(axis=(1, 2))}
    table = birth_features([cell], 1, {**FEATURES, **own})
    expected = draw(cell, [0]).weights[0].double().square().sum((1, 2)).numpy()
    assert np.array_equal(table["norm"], expected)
    for wrong, why in (
        (
            lambda birth: np.zeros(3),
            r"shape \(256,\), one per network, got float64 of shape \(3,\)",
        ),
        (lambda birth: np.array(["a"] * 256), "must give numbers"),
        (lambda birth: {"active_1": np.zeros(256)}, "gives active_1, which another has given"),
    ):
        with pytest.raises(InputError, match=why):
            birth_features([cell], 1, {**FEATURES, "own": wrong})
    with pytest.raises(InputError, match="replicates must be an int >= 1, got 0"):
        birth_features([cell], 0)


def test_rows_of_another_study_are_refused(trained):
    cell, rows = trained
    other = dataclasses.replace(cell, width=3)
    with pytest.raises(InputError, match="have no network in common"):
        with_outcomes(birth_features([other], 1, {"races": races}), rows)


def jacobian(ensemble: Ensemble, x, network):
    """df_k(x_i)/dp by automatic differentiation, shape (N, d_out, parameters)."""
    parts = [
        part[[network]].double().requires_grad_(True)
        for part in (*ensemble.weights, *ensemble.biases)
    ]
    depth = ensemble.depth
    out = Ensemble(tuple(parts[:depth]), tuple(parts[depth:]), ensemble.activation)(
        torch.as_tensor(x)
    )[0]
    rows = [
        torch.cat([g.flatten() for g in torch.autograd.grad(value, parts, retain_graph=True)])
        for value in out.flatten()
    ]
    return torch.stack(rows).numpy().reshape(*out.shape, -1)


def test_the_tangent_kernel_is_that_of_automatic_differentiation():
    x = np.random.default_rng(0).standard_normal((7, 2))
    ensemble = initialize(He(bias_std=0.5), (2, 4, 3, 2), 5, np.random.default_rng(1))
    kernel = tangent_kernel(ensemble, x)
    for network in range(5):
        j = jacobian(ensemble, x, network)
        expected = np.einsum("ikp,jkp->ij", j, j) / 7
        np.testing.assert_allclose(kernel[network], expected, rtol=1e-9, atol=1e-12)
    features = tangent_kernel_features(ensemble, x)
    values = np.linalg.eigvalsh(kernel)
    np.testing.assert_allclose(features["ntk_largest"], values[:, -1])
    assert (features["ntk_rank"] <= 7).all() and (
        features["ntk_least"] <= features["ntk_largest"]
    ).all()
