"""Learnable numbers of activations: part of an ensemble, one set per network and hidden layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from example_cells import a_cell

from trainability import Adam
from trainability.activations import RELU, Hermite
from trainability.arithmetic.tensors import TENSORS
from trainability.networks import concatenate, initialize
from trainability.schemes import He
from trainability.study.records import from_record, to_record
from trainability.trial import Runtime, draw, run_trial

PAPERS = (0.3989422804, 0.5, 0.2820947918, 0.0)
ACTIVATION = Hermite(PAPERS, trainable=True)


def networks(n: int = 3):
    return initialize(He(), (2, 4, 3, 1), n, np.random.default_rng(0), activation=ACTIVATION)


def test_an_ensemble_begins_with_the_first_values_and_computes_with_its_own() -> None:
    nets = networks()
    assert [tensor.shape for tensor in nets.learnable] == [(3, 4), (3, 4)]
    assert nets.learnable[1][2].tolist() == pytest.approx(PAPERS)
    x = torch.linspace(-1, 1, 10).reshape(5, 2)
    fixed = initialize(He(), (2, 4, 3, 1), 3, np.random.default_rng(0), activation=Hermite(PAPERS))
    torch.testing.assert_close(nets(x), fixed(x))
    nets.learnable[0][1] = torch.tensor([0.0, 2.0, 0.0, 0.0])
    nets.learnable[1][1] = torch.tensor([1.0, 1.0, 0.0, 0.0])
    w, b = [t[1] for t in nets.weights], [t[1] for t in nets.biases]
    linear = (2 * (x @ w[0].T + b[0])) @ w[1].T + b[1] + 1
    torch.testing.assert_close(nets(x)[1], linear @ w[2].T + b[2])
    torch.testing.assert_close(nets(x)[[0, 2]], fixed(x)[[0, 2]])


def test_chosen_moved_and_joined_networks_keep_their_own() -> None:
    nets = networks()
    nets.learnable[0][:] = torch.arange(12.0).reshape(3, 4)
    joined = concatenate([nets[[2, 0]], nets.to("cpu"), nets[1:2]])
    assert joined.learnable[0][:, 0].tolist() == [8, 0, 0, 4, 8, 4]
    assert joined.n_networks == 6 and joined.activation == ACTIVATION


def test_a_cell_trains_them_on_torch_and_no_neuron_is_ever_dead() -> None:
    cell = a_cell(activation=ACTIVATION, optimizer=Adam(0.02), max_steps=40)
    plain = a_cell(activation=Hermite(PAPERS), optimizer=Adam(0.02), max_steps=40)
    assert cell.id != plain.id and cell.stream_identity == plain.stream_identity
    assert from_record(to_record(ACTIVATION)) == ACTIVATION
    assert "trainable" not in to_record(Hermite(PAPERS))
    rows, provenance = run_trial("s", cell, [0], Runtime())
    theirs, _ = run_trial("s", plain, [0], Runtime(engine="torch"))
    assert provenance["engine"] == "torch"
    assert (np.stack(rows["active_final"].to_list()) == 3).all()
    np.testing.assert_allclose(rows["initial_loss"], theirs["initial_loss"], rtol=1e-5)
    assert (rows["final_loss"] != theirs["final_loss"]).mean() > 0.9
    assert draw(cell, [0]).learnable[0].shape == (256, 4)
    assert run_trial("s", plain, [0], Runtime())[1]["engine"] == "fused-cpu"


def test_activations_without_have_none() -> None:
    nets = initialize(He(), (2, 4, 1), 3, np.random.default_rng(0))
    assert nets.activation == RELU and nets.learnable == () and len(nets.parameters) == 4
    z = torch.linspace(-2, 2, 5)
    assert torch.equal(RELU.value_at(TENSORS, z, []), z.relu())
