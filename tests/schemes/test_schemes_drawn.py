"""What a scheme draws is looked at once, where it is drawn."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from trainability.errors import InputError
from trainability.networks import initialize
from trainability.schemes import Layer, Scheme, SignFlipped, draw_layer

LAYER = Layer(n_networks=3, index=1, depth=2, fan_in=4, fan_out=5, name="head")


@dataclass(frozen=True)
class Returning(Scheme):
    """Draws whatever it is told."""

    what: Callable

    def draw(self, layer, rng):
        return self.what()


GOOD = (np.zeros((3, 5, 4)), np.zeros((3, 5)))


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ((np.zeros((3, 4, 5)), GOOD[1]), r"weights of shape \(3, 5, 4\) .*got shape \(3, 4, 5\)"),
        ((GOOD[0] + np.nan, GOOD[1]), r"finite weights .*got 60 of 60 that are NaN or infinite"),
        ((GOOD[0], GOOD[1] + np.inf), r"finite biases of shape \(3, 5\) for layer head of 2"),
        ((GOOD[0], None), r"biases .*got none; without a bias return np.zeros\(\(3, 5\)\)"),
        ((GOOD[0], 0.0), r"biases .*got a float; return NumPy arrays"),
        ((GOOD[0] + 1j, GOOD[1]), r"weights .*got dtype complex128"),
        ((GOOD[0].astype(object), GOOD[1]), r"weights .*got dtype object"),
        (GOOD[0], r" must draw weights of shape .*got ndarray; return"),
        (GOOD[:1], r"got 1 value; return \(weight, bias\)"),
        (None, r"got NoneType; return \(weight, bias\)"),
    ],
)
def test_what_is_wrong_is_said_with_the_schemes_name(what, message):
    with pytest.raises(InputError, match="Returning.*" + message):
        draw_layer(Returning(lambda: what), LAYER, np.random.default_rng(0))


def test_networks_and_wrapped_schemes_are_looked_at_too():
    wrong = Returning(lambda: (np.zeros((1, 2, 2)), np.zeros((1, 3))))
    x, y = np.ones((4, 1)), np.ones((4, 1))
    for scheme in (wrong, SignFlipped(wrong)):
        with pytest.raises(InputError, match=r"weights of shape \(1, 3, 1\)"):
            initialize(scheme, (1, 3, 1), 1, np.random.default_rng(0), x, y)


def test_what_is_right_is_passed_on_as_it_is():
    weight, bias = draw_layer(Returning(lambda: GOOD), LAYER, np.random.default_rng(0))
    assert weight is GOOD[0] and bias is GOOD[1]
