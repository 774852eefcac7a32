"""Common random numbers: cells that differ only in a paired setting share every draw."""

import dataclasses

import example_cells
import numpy as np
import pytest

from trainability import Adam
from trainability.schemes import DataDependent, He, RandomizedAsymmetric
from trainability.tasks import AbsoluteValue
from trainability.trial import draw


def a_cell(scheme, *paired_over):
    return example_cells.a_cell(
        task=AbsoluteValue(n_train=16),
        scheme=scheme,
        optimizer=Adam(learning_rate=0.02),
        max_steps=30,
        tolerance=1e-2,
        paired_over=paired_over,
    )


def hidden(cell):
    ensemble = draw(cell, [0, 1])
    return ensemble.weights[0].numpy(), ensemble.biases[0].numpy()


def test_the_biases_of_he_are_one_draw_times_their_scale():
    (w1, b1), (w2, b2) = (hidden(a_cell(He(bias_std=std), "bias_std")) for std in (0.5, 2.0))
    np.testing.assert_array_equal(w1, w2)
    np.testing.assert_array_equal(4 * b1, b2)


def test_the_default_without_biases_takes_part():
    (w1, b1), (w2, _) = (hidden(a_cell(He(bias_std=std), "bias_std")) for std in (0.0, 2.0))
    np.testing.assert_array_equal(w1, w2)
    assert not b1.any()


def test_the_weights_of_data_dependent_do_not_know_sigma_e():
    (w1, _), (w2, _) = (hidden(a_cell(DataDependent(sigma_e=s), "sigma_e")) for s in (0.1, 1.0))
    np.testing.assert_array_equal(w1, w2)


def test_what_is_not_paired_is_independent():
    (w1, _), (w2, _) = (hidden(a_cell(He(bias_std=std))) for std in (0.5, 2.0))
    assert not (w1 == w2).any()
    (w1, _), (w2, _) = (
        hidden(a_cell(He(kind, bias_std=1.0), "bias_std")) for kind in ("normal", "uniform")
    )
    assert not (w1 == w2).any()


@pytest.mark.parametrize("scheme", [He(), RandomizedAsymmetric()])
def test_pairing_is_identity(scheme):
    """Else rows drawn with and without pairing would be counted as the same cell's."""
    plain = a_cell(scheme)
    assert plain.id != a_cell(scheme, "bias_std").id
    assert plain.id == dataclasses.replace(plain).id
    assert plain.stream_identity == plain.initialization
