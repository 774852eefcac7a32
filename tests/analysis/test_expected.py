"""What theory expects of a cell."""

import example_cells
import pytest

from trainability.activations import HardTanh, Tanh
from trainability.analysis.expected import expected_trainability, why_unbounded
from trainability.losses import Huber
from trainability.optimizers import AdamW
from trainability.penalties import L2, Jumpstart
from trainability.schemes import He
from trainability.study import Cell


def a_cell(**changes) -> Cell:
    return example_cells.a_cell(**({"width": 2} | changes))


def test_shallow_networks_need_enough_active_neurons():
    # P(Bin(2, 5/6) >= 2): a unit-sphere neuron is dead on [-sqrt 3, sqrt 3] with probability 1/6.
    assert float(expected_trainability(a_cell())) == pytest.approx(25 / 36, rel=1e-12)


def test_a_network_narrower_than_the_need_is_never_trainable():
    assert float(expected_trainability(a_cell(width=1))) == 0


def test_deep_networks_are_trainable_iff_they_are_not_born_dead():
    # Two hidden layers of two neurons without biases: born dead with probability .15625.
    expected = expected_trainability(a_cell(scheme=He(), depth=3))
    assert float(expected) == pytest.approx(1 - 0.15625, rel=1e-9)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"depth": 3}, ""),
        ({"loss": Huber(), "width": 1}, ""),
        ({"optimizer": AdamW(learning_rate=0.01, weight_decay=0.1)}, ""),
        ({"penalty": L2(0.1)}, "no death is permanent"),
        ({"activation": Tanh()}, "no neuron can be dead"),
        ({"activation": HardTanh()}, "no law of HardTanh() is known"),
        ({"penalty": Jumpstart(0.1)}, "no death is permanent"),
        # Whatever comes back to life, two hinges need two neurons.
        ({"penalty": Jumpstart(0.1), "width": 1}, ""),
    ],
)
def test_a_bound_that_is_one_by_construction_is_none(changes, reason):
    cell = a_cell(**changes)
    assert why_unbounded(cell) == reason
    if reason:
        assert float(expected_trainability(cell)) == 1
    else:
        assert float(expected_trainability(cell)) < 1
