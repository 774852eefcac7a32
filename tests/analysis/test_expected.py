"""What theory expects of a cell."""

import pytest

from trainability import Adam
from trainability.analysis.expected import expected_trainability
from trainability.schemes import He, UnitSphere
from trainability.study import Cell
from trainability.tasks import AbsoluteValue


def a_cell(**changes) -> Cell:
    settings = dict(
        task=AbsoluteValue(n_train=8),
        scheme=UnitSphere(),
        width=2,
        depth=2,
        optimizer=Adam(learning_rate=0.1),
        batch_size=None,
        max_steps=1,
        tolerance=1e-3,
        seed=0,
    )
    return Cell(**(settings | changes))


def test_shallow_networks_need_enough_active_neurons():
    # P(Bin(2, 5/6) >= 2): a unit-sphere neuron is dead on [-sqrt 3, sqrt 3] with probability 1/6.
    assert float(expected_trainability(a_cell())) == pytest.approx(25 / 36, rel=1e-12)


def test_a_network_narrower_than_the_need_is_never_trainable():
    assert float(expected_trainability(a_cell(width=1))) == 0


def test_deep_networks_are_trainable_iff_they_are_not_born_dead():
    # Two hidden layers of two neurons without biases: born dead with probability .15625.
    expected = expected_trainability(a_cell(scheme=He(), depth=3))
    assert float(expected) == pytest.approx(1 - 0.15625, rel=1e-9)
