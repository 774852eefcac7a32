"""Tentative and permanent death, and the closure under gradient training."""

import networks_by_hand as by_hand
import numpy as np
import pytest
from scipy.stats import binomtest

from trainability.death import ACTIVE, PERMANENT, TENTATIVE, census
from trainability.domains import Ball, Points
from trainability.errors import InputError

INTERVAL = Ball(1, 1.0)


def statuses(network, domain=INTERVAL):
    return [layer[0].tolist() for layer in census(network, domain).status]


def test_a_dead_neuron_of_the_first_layer_is_permanently_dead():
    assert statuses(by_hand.single(([[1.0], [1.0]], [0.0, -2.0]))) == [[ACTIVE, PERMANENT]]


def test_a_constant_positive_neuron_is_dead_but_its_weight_has_a_gradient():
    assert statuses(by_hand.single(([[0.0], [1.0]], [1.0, 0.0]))) == [[TENTATIVE, ACTIVE]]


def test_non_positive_parameters_make_a_later_neuron_permanently_dead():
    first = ([[1.0], [-1.0]], [0.0, 0.0])
    later = ([[-1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]], [0.0, -3.0, 0.0])
    assert statuses(by_hand.single(first, later))[1] == [PERMANENT, TENTATIVE, ACTIVE]


def test_a_weight_from_a_permanently_dead_neuron_revives_nothing():
    first = ([[1.0], [1.0]], [0.0, -2.0])
    later = ([[-1.0, 5.0], [1.0, 0.0]], [-0.5, 0.0])
    assert statuses(by_hand.single(first, later)) == [[ACTIVE, PERMANENT], [PERMANENT, ACTIVE]]


def test_a_weight_from_a_tentatively_dead_neuron_may_revive():
    first = ([[1.0]], [0.0])
    second = ([[1.0], [1.0]], [-3.0, 0.0])
    third = ([[1.0, -1.0], [0.0, 1.0]], [-1.0, 0.0])
    assert statuses(by_hand.single(first, second, third)) == [
        [ACTIVE],
        [TENTATIVE, ACTIVE],
        [TENTATIVE, ACTIVE],
    ]


def test_a_whole_dead_layer_makes_every_dead_neuron_permanent():
    first = ([[1.0], [1.0]], [0.0, 0.5])
    second = ([[1.0, 0.0], [0.0, 1.0]], [-3.0, 0.0])
    third = ([[1.0, -1.0]], [-0.5])
    last = ([[1.0], [2.0]], [1.0, -1.0])
    counted = census(by_hand.single(first, second, third, last), INTERVAL)
    assert [layer[0].tolist() for layer in counted.status] == [
        [ACTIVE, ACTIVE],
        [PERMANENT, ACTIVE],
        [PERMANENT],
        [PERMANENT, PERMANENT],
    ]
    assert counted.born_dead.tolist() == [True]
    assert counted.active.tolist() == [[2, 1, 0, 0]]


def test_positive_constants_after_a_dead_layer_are_dead():
    network = by_hand.single(([[1.0]], [-2.0]), ([[1.0]], [5.0]), ([[3.0]], [1.0]))
    assert statuses(network) == [[PERMANENT], [PERMANENT], [PERMANENT]]


def test_trainable_means_that_every_layer_has_what_it_needs():
    first = ([[1.0], [1.0]], [0.0, -2.0])
    later = ([[1.0, 1.0], [1.0, 0.0]], [-3.0, 0.0])
    counted = census(by_hand.single(first, later), INTERVAL)
    assert counted.trainable([1, 2]).tolist() == [True]
    assert counted.trainable([2, 1]).tolist() == [False]
    with pytest.raises(InputError, match="one number per hidden layer, 2, got 1"):
        counted.trainable([1])


def test_a_single_input_kills_as_often_as_the_upper_bound_says():
    # Rister & Rubin: with one input the bound 1 - prod (1 - 2^-N) of symmetric laws is exact.
    networks = by_hand.gaussian(20_000, [3, 2, 3, 2, 1], 0.3, seed=5)
    counted = census(networks, Points([[0.3, -1.0, 0.4]]))
    expected = 1 - (1 - 2**-2) * (1 - 2**-3) * (1 - 2**-2)
    assert binomtest(int(counted.born_dead.sum()), 20_000, expected).pvalue > 1e-6


def test_networks_that_can_not_be_counted_are_refused():
    with pytest.raises(InputError, match="finite parameters, got NaN or infinity"):
        census(by_hand.single(([[np.nan]], [0.0])), INTERVAL)
    with pytest.raises(InputError, match="networks of 1 inputs do not fit Ball"):
        census(by_hand.single(([[1.0]], [0.0])), Ball(2, 1.0))
