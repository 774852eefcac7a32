"""Bad input is refused by message, before anything is computed."""

import math
import pickle

import numpy as np
import pytest

from trainability.domains import Ball
from trainability.errors import InputError
from trainability.schemes import Glorot, He, Orthogonal, Scheme, SignFlipped
from trainability.theory import (
    Asymmetric,
    Gaussian,
    KinkAtData,
    OrthogonalRows,
    Probability,
    Uniform,
    UniformWeights,
    active_count_pmf,
    angle_chain,
    born_dead_lower_bound,
    born_dead_network_probability,
    born_dead_probability,
    non_convergence_lower_bound,
    permanent_count_pmf,
    permanent_probability,
    trainability_probability,
)

GAUSSIAN = Gaussian(1.0, 1.0)
LINE = Ball(1, 1.0)
NAN = float("nan")


class Unknown(Scheme):
    def draw(self, layer, rng):
        return np.zeros((layer.n_networks, layer.fan_out, layer.fan_in)), np.zeros(
            (layer.n_networks, layer.fan_out)
        )

    def __str__(self):
        return "Unknown()"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gaussian(-1.0, 1.0), "Gaussian weight_std must be a finite number >= 0, got -1.0"),
        (lambda: Gaussian(1.0, NAN), "Gaussian bias_std must be a finite number >= 0, got nan"),
        (lambda: UniformWeights(-2.0, 0.0), "UniformWeights half_width must be .* >= 0, got -2.0"),
        (lambda: Uniform(0.0), "Uniform bound must be a finite number > 0, got 0.0"),
        (lambda: OrthogonalRows(1.0, -1.0, 2), "OrthogonalRows bias_std must be .* >= 0, got -1.0"),
        (lambda: OrthogonalRows(1.0, 1.0, 0), "OrthogonalRows fan_out must be an int >= 1, got 0"),
        (lambda: Asymmetric(NAN), "Asymmetric sigma must be a finite number > 0, got nan"),
        (lambda: KinkAtData(1.0, 0.0), "KinkAtData sigma_e must be a finite number > 0, got 0.0"),
        (lambda: born_dead_probability(GAUSSIAN, LINE, 0), "width must be an int >= 1, got 0"),
        (lambda: born_dead_probability(GAUSSIAN, LINE, 2.0), "width must be an int >= 1, got 2.0"),
        (lambda: born_dead_probability(GAUSSIAN, 3.0), "domain must be a Ball, Box or Points"),
        (lambda: born_dead_probability("he", LINE), "wanted a scheme, such as .* got 'he'"),
        (lambda: born_dead_probability(He, LINE), "wanted a scheme, such as .* got <class"),
        (
            lambda: born_dead_probability(GAUSSIAN, LINE, n_samples=1),
            "n_samples must be an int >= 2",
        ),
        (
            lambda: born_dead_probability(GAUSSIAN, LINE, seed=-1),
            "seed must be an int >= 0, got -1",
        ),
        (
            lambda: born_dead_probability(Glorot(), LINE),
            r"Glorot\(\) has a law that depends on .* width=",
        ),
        (
            lambda: born_dead_probability(Orthogonal(), LINE),
            r"Orthogonal\(\) has a law that depends",
        ),
        (lambda: born_dead_probability(Unknown(), LINE), r"Unknown\(\) states no law; pass width="),
        (lambda: permanent_probability(GAUSSIAN, 0), "fan_in must be an int >= 1, got 0"),
        (lambda: permanent_probability(Unknown(), 3), r"Unknown\(\) states no law; pass width="),
        (lambda: permanent_probability(SignFlipped(He()), 3, 2), "draws layers for training data"),
        (lambda: permanent_count_pmf(SignFlipped(He()), 3, 2), "draws layers for training data"),
        (lambda: permanent_count_pmf(GAUSSIAN, 3, -1), "width must be an int >= 1, got -1"),
        (lambda: active_count_pmf(GAUSSIAN, LINE, 0), "width must be an int >= 1, got 0"),
        (lambda: active_count_pmf(GAUSSIAN, LINE, True), "width must be an int >= 1, got True"),
        (lambda: active_count_pmf(GAUSSIAN, None, 2), "domain must be a Ball, Box or Points"),
        (
            lambda: trainability_probability(GAUSSIAN, LINE, 2, 3),
            "need must be at most the width, got 3 of 2 neurons in hidden layer 1; use a wider",
        ),
        (
            lambda: trainability_probability(GAUSSIAN, LINE, [4, 2], [2, 3]),
            "got 3 of 2 neurons in hidden layer 2",
        ),
        (lambda: trainability_probability(GAUSSIAN, LINE, 2, 0), "need must be an int >= 1, got 0"),
        (
            lambda: trainability_probability(GAUSSIAN, LINE, 2, 1.5),
            "need must be an int >= 1, got 1.5",
        ),
        (
            lambda: trainability_probability(GAUSSIAN, LINE, [2, 2], [1]),
            "need must be one int, or one per hidden layer: got 1 for 2 layers",
        ),
        (lambda: trainability_probability(GAUSSIAN, LINE, []), "widths must list the neurons"),
        (lambda: trainability_probability(GAUSSIAN, LINE, "22"), "widths must list the neurons"),
        (
            lambda: trainability_probability(GAUSSIAN, LINE, [2, 0]),
            "width must be an int >= 1, got 0",
        ),
        (
            lambda: trainability_probability(GAUSSIAN, LINE, [2, NAN]),
            "width must be an int >= 1, got nan",
        ),
        (
            lambda: trainability_probability(GAUSSIAN, LINE, [2, 2], method="sum"),
            "method must be 'chain' or 'product', got 'sum'",
        ),
        (lambda: born_dead_network_probability(GAUSSIAN, LINE, []), "widths must list the neurons"),
        (lambda: born_dead_network_probability(GAUSSIAN, 1, [2]), "domain must be a Ball"),
        (lambda: born_dead_lower_bound(GAUSSIAN, LINE, [0]), "width must be an int >= 1, got 0"),
        (
            lambda: non_convergence_lower_bound(GAUSSIAN, LINE, [2], 0),
            "restarts must be an int >= 1, got 0",
        ),
        (lambda: angle_chain([2, -2]), "width must be an int >= 1, got -2"),
        (lambda: angle_chain([2, 3, 2], n_samples=0), "n_samples must be an int >= 2, got 0"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_all_problems_are_told_at_once():
    with pytest.raises(InputError, match="3 problems"):
        born_dead_probability(GAUSSIAN, None, 0, n_samples=0)


def test_a_probability_is_a_value():
    p = Probability(0.25)
    assert float(p) == 0.25 and p.standard_error == 0.0 and p.method == "closed form"
    assert pickle.loads(pickle.dumps(p)) == p
    with pytest.raises(AttributeError):
        p.value = 0.5


def test_numpy_integers_are_integers():
    width = np.int64(3)
    assert trainability_probability(GAUSSIAN, LINE, np.array([3, 2])) == trainability_probability(
        GAUSSIAN, LINE, [3, 2]
    )
    assert math.isfinite(float(born_dead_probability(Glorot(bias_std=1.0), LINE, width)))
