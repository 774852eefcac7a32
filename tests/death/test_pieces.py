"""Death by flat pieces: what is constant is dead, and permanently so only where proven."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from rule_examples import ACTIVATIONS

from trainability.activations import RELU
from trainability.activations.hard_tanh import HardTanh
from trainability.activations.relu6 import ReLU6
from trainability.arithmetic import ARRAYS
from trainability.death import ACTIVE, PERMANENT, TENTATIVE, census
from trainability.domains import Ball, Box, Points
from trainability.networks import Ensemble

FLAT = [activation for activation in ACTIVATIONS if activation.flat]
GRID = Points(np.linspace(-1, 1, 41)[:, None])


def networks(activation, n: int = 200, widths=(6, 5), seed: int = 0, spread: float = 4) -> Ensemble:
    """With biases so large that many neurons are dead at either end."""
    rng = np.random.default_rng(seed)
    sizes = (1, *widths, 1)

    def draw(*shape: int, scale: float = 1) -> torch.Tensor:
        return torch.from_numpy(rng.normal(0, scale, shape).astype(np.float32))

    pairs = list(itertools.pairwise(sizes))
    return Ensemble(
        tuple(draw(n, out, into) for into, out in pairs),
        tuple(draw(n, out, scale=spread) for _, out in pairs),
        activation,
    )


def outputs(nets: Ensemble, x: np.ndarray) -> list[np.ndarray]:
    """Every hidden layer's outputs at the points, in float64, shape (R, N, W)."""
    h = np.broadcast_to(x, (nets.n_networks, *x.shape))
    layers = []
    for weight, bias in zip(nets.weights[:-1], nets.biases[:-1], strict=True):
        z = h @ weight.double().numpy().transpose(0, 2, 1) + bias.double().numpy()[:, None]
        h = np.asarray(nets.activation.value(ARRAYS, z))
        layers.append(h)
    return layers


@pytest.mark.parametrize("activation", FLAT, ids=str)
@pytest.mark.parametrize("domain", [GRID, Ball(1, 1.0), Box(1, 1.0)], ids=repr)
def test_the_dead_are_constant_on_the_domain_and_the_active_are_not(activation, domain) -> None:
    nets = networks(activation)
    counted = census(nets, domain)
    dense = np.linspace(-1, 1, 41 if domain is GRID else 4001)[:, None]
    for layer, h in enumerate(outputs(nets, dense)):
        constant = np.ptp(h, axis=1) == 0
        settled = counted.certificate[layer] != 5
        dead = counted.status[layer] != ACTIVE
        np.testing.assert_array_equal(dead[settled], constant[settled])
        assert dead.any() and not dead.all()
    if activation != RELU and domain is not GRID:
        assert (counted.certificate[0] == 0).all()


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_without_flat_pieces_no_neuron_is_dead(activation) -> None:
    if activation.flat:
        assert census(networks(activation), GRID).permanent.any()
        return
    counted = census(networks(activation), GRID)
    assert (counted.active == [6, 5]).all() and not counted.undecided.any()
    assert not counted.born_dead.any()


def test_a_neuron_that_spans_two_flat_pieces_lives() -> None:
    """It jumps from one end to the other between two points of the data."""
    weights = (torch.full((1, 1, 1), 10.0), torch.ones(1, 1, 1))
    nets = Ensemble(weights, (torch.zeros(1, 1), torch.zeros(1, 1)), HardTanh())
    assert census(nets, Points([[-1.0], [1.0]])).active.tolist() == [[1]]
    assert census(nets, Points([[0.5], [1.0]])).permanent.tolist() == [[1]]


@pytest.mark.parametrize("activation", FLAT, ids=str)
def test_where_parameters_move_by_themselves_nothing_is_permanent(activation) -> None:
    nets = networks(activation)
    moved = census(nets, GRID, idle="moves")
    stays = census(nets, GRID)
    assert not moved.permanent.any()
    np.testing.assert_array_equal(moved.active, stays.active)
    assert moved.tentative.any()


@pytest.mark.parametrize("activation", FLAT, ids=str)
def test_what_shrinks_stays_dead_only_where_zero_is_flat(activation) -> None:
    """Scaled down by any factor, a first layer called permanently dead is dead still."""
    nets = networks(activation)
    counted = census(nets, GRID, idle="shrinks")
    for factor in (0.9, 0.5, 0.1, 0.01):
        smaller = dataclasses.replace(
            nets,
            weights=tuple(weight * factor for weight in nets.weights),
            biases=tuple(bias * factor for bias in nets.biases),
        )
        after = census(smaller, GRID)
        for before, now in zip(counted.status, after.status, strict=True):
            assert (now[before == PERMANENT] != ACTIVE).all()
    assert counted.permanent.any() == activation.rectifies


def test_a_layer_that_is_wholly_dead_at_the_upper_end_stops_training_for_good() -> None:
    nets = networks(ReLU6(), n=1, widths=(2, 2))
    nets.weights[0][:] = 1.0
    nets.biases[0][:] = 9.0
    counted = census(nets, GRID)
    assert (counted.status[0] == PERMANENT).all() and (counted.status[1] != ACTIVE).all()
    assert counted.born_dead.all()
    nets.biases[0][0, 1] = 3.0
    counted = census(nets, GRID)
    assert counted.status[0].tolist() == [[PERMANENT, ACTIVE]]


def test_a_later_layer_of_relu6_is_not_permanent_by_its_weights() -> None:
    """Its input may be stuck at 6, where ReLU's is stuck at 0."""
    nets = networks(ReLU6(), n=1, widths=(2, 2))
    nets.weights[0][:] = 1.0
    nets.biases[0][:] = torch.tensor([9.0, 2.0])
    nets.weights[1][:] = torch.tensor([[1.0, -1.0], [0.5, 1.0]])
    nets.biases[1][:] = torch.tensor([-8.0, -3.0])
    assert census(nets, GRID).status[1].tolist() == [[TENTATIVE, ACTIVE]]
