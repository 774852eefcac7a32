"""Born-dead networks: every route against whole networks evaluated on a grid or on the data."""

import math

import numpy as np
import pytest
from chance import assert_estimates

from trainability.domains import Ball, Box, Points
from trainability.schemes import DataDependent, He, Scheme, SignFlipped, UnitSphere
from trainability.theory import (
    Asymmetric,
    Gaussian,
    KinkAtData,
    OrthogonalRows,
    Uniform,
    UniformWeights,
    angle_chain,
    born_dead_network_probability,
    born_dead_probability,
)
from trainability.theory.questions.networks import _with_crossings
from trainability.theory.sampling import network_layers

LAWS = [
    Gaussian(1.0, 0.5),
    Gaussian(1.0, 0.0),
    UniformWeights(1.0, 0.3),
    UniformWeights(1.0, 0.0),
    Uniform(1.0),
    OrthogonalRows(1.0, 0.2, 3),
    OrthogonalRows(1.0, 0.0, 3),
    Asymmetric(0.6),
]
CLOUD = Points(np.random.default_rng(0).standard_normal((20, 3)))


def wholly_dead(law, widths, x, n, seed=3):
    """Share of networks with a layer that is dead at all x."""
    h = np.broadcast_to(x, (n, *x.shape))
    dead = np.zeros(n, bool)
    for w, b in network_layers(law, x.shape[1], widths, n, np.random.default_rng(seed)):
        before = h @ w.transpose(0, 2, 1) + b[:, None]
        dead |= (before <= 0).all(axis=(1, 2))
        h = np.maximum(before, 0)
    return dead.mean()


def assert_same(probability, share, n):
    error = math.hypot(probability.standard_error, math.sqrt(max(probability.value, 1e-4) / n))
    assert abs(probability.value - share) < 6 * error, (probability, share)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_on_an_interval(law):
    # A layer that is alive only between two points of the grid counts as dead: with 513 points,
    # 0 among them, that moves the share by less than 1e-3, a twentieth of what the test can see.
    grid = np.linspace(-1, 1, 513)[:, None]
    n = 4_000
    probability = born_dead_network_probability(law, Ball(1, 1.0), [3, 2, 3, 2])
    assert_same(probability, wholly_dead(law, [3, 2, 3, 2], grid, n), n)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_on_data(law):
    n = 20_000
    probability = born_dead_network_probability(law, CLOUD, [3, 2, 3])
    assert_same(probability, wholly_dead(law, [3, 2, 3], CLOUD.x, n), n)


def test_one_hidden_layer_is_a_power():
    law = Gaussian(1.0, 1.0)
    p = born_dead_probability(law, Ball(3, 1.0))
    probability = born_dead_network_probability(law, Ball(3, 1.0), 4)
    assert float(probability) == pytest.approx(float(p) ** 4, rel=1e-13)
    on_data = born_dead_network_probability(Uniform(1.0), CLOUD, [2])
    p = born_dead_probability(Uniform(1.0), CLOUD)
    assert on_data.value == pytest.approx(p.value**2, rel=1e-12)
    assert on_data.standard_error == pytest.approx(2 * p.value * p.standard_error, rel=1e-12)
    dependent = born_dead_network_probability(OrthogonalRows(1.0, 1.0, 2), CLOUD, [2])
    assert dependent.method == "rao-blackwell"


@pytest.mark.parametrize(
    "domain",
    [
        Points([[1.0, -2.0]]),
        Points([[1.0, 0.0], [3.0, 0.0]]),
        Points([[0.0, 0.5], [0.0, 2.0], [0.0, 0.0]]),
        Box(1, 0.5, (0.5,)),
        Box(1, 0.5, (-2.0,)),
    ],
    ids=str,
)
def test_without_biases_a_ray_is_one_input(domain):
    widths = [2, 3, 1]
    exact = 1 - (1 - 2.0**-2) * (1 - 2.0**-3) * (1 - 2.0**-1)
    for law in (Gaussian(1.0, 0.0), UniformWeights(1.0, 0.0), OrthogonalRows(1.0, 0.0, 2)):
        probability = born_dead_network_probability(law, domain, widths)
        assert probability.method == "closed form"
        assert float(probability) == pytest.approx(exact, rel=1e-13)
        x = (
            domain.x
            if isinstance(domain, Points)
            else np.array([[domain.low[0]], [domain.high[0]]])
        )
        assert_same(probability, wholly_dead(law, widths, x, 20_000), 20_000)


def test_at_one_input_biases_do_not_matter():
    for law in (Gaussian(1.0, 0.7), Uniform(0.3)):
        probability = born_dead_network_probability(law, Points([[0.3, 1.0]]), [2, 2])
        assert float(probability) == pytest.approx(0.4375, rel=1e-13)


def test_nearly_a_ray_is_not_a_ray():
    probability = born_dead_network_probability(
        Gaussian(1.0, 0.0), Points([[1.0, 0.0], [2.0, 1e-9]]), [2, 2]
    )
    assert probability.method == "sampling"


def test_the_origin_alone_is_constant():
    assert float(born_dead_network_probability(Gaussian(1.0, 0.0), Ball(2, 0.0), [3, 3])) == 1.0


def test_intervals_around_the_origin_are_the_angle_chain():
    law = Gaussian(0.3, 0.0)
    for domain in (Ball(1, 2.0), Box(1, 1.0, (0.4,)), Points([[-2.0], [0.1]])):
        probability = born_dead_network_probability(law, domain, [2, 2, 2])
        assert probability == angle_chain([2, 2, 2]).born_dead


def test_the_angle_chain_is_claimed_of_uniform_weights_for_two_layers_alone():
    law, domain = UniformWeights(1.0, 0.0), Ball(1, 1.0)
    two, three = (born_dead_network_probability(law, domain, [2] * n) for n in (2, 3))
    assert float(two) == float(angle_chain([2, 2]).born_dead) and two.standard_error == 0
    assert three.method == "sampling" and three.standard_error > 0


@pytest.mark.parametrize("scheme", [KinkAtData(1.0, 0.1), DataDependent()], ids=str)
def test_kinks_at_data_are_never_born_dead(scheme):
    assert float(born_dead_network_probability(scheme, Ball(1, 1.0), [2] * 5)) == 0.0


class Unknown(Scheme):
    def draw(self, layer, rng):
        return UnitSphere().draw(layer, rng)

    def __repr__(self):
        return "Unknown()"

    __str__ = __repr__


@pytest.mark.parametrize("domain", [Ball(1, 1.0), CLOUD], ids=str)
def test_a_scheme_without_a_law_is_sampled(domain):
    probability = born_dead_network_probability(Unknown(), domain, [2, 3])
    sphere = born_dead_network_probability(UnitSphere(), domain, [2, 3])
    assert probability.method == "sampling" and sphere.method == "rao-blackwell"
    assert sphere.standard_error < probability.standard_error
    spread = math.hypot(probability.standard_error, sphere.standard_error)
    assert abs(probability.value - sphere.value) < 6 * spread


def test_sign_flipping_keeps_networks_alive():
    """At least one of the points survives each layer, so no network is born dead on its data."""
    probability = born_dead_network_probability(
        SignFlipped(He(bias_std=1.0)), CLOUD, [2, 2], n_samples=500
    )
    assert probability.value == 0.0 and probability.standard_error == 1 / 500


def test_two_dimensional_domains_are_sampled_behind_the_first_layer():
    law = Gaussian(1.0, 0.5)
    probability = born_dead_network_probability(law, Ball(2, 1.0), [3, 3])
    assert probability.method == "rao-blackwell" and probability.is_upper_bound
    assert probability.note == "behind the first layer on 512 points of the domain"
    x = Ball(2, 1.0).sample(np.random.default_rng(1), 600)
    assert_same(probability, wholly_dead(law, [3, 3], x, 3000), 3000)


def test_a_curve_gets_a_corner_wherever_a_neuron_switches():
    before = np.array([[[-1.0, 1.0], [1.0, -3.0]], [[1.0, 1.0], [2.0, 2.0]]])
    corners = _with_crossings(before)
    # First network: the second neuron is 0 after a quarter, the first after a half.
    assert corners[0].tolist() == [[-1, 1], [-0.5, 0], [0, -1], [1, -3]]
    # Second: no crossing; the last corner fills the gap.
    assert corners[1].tolist() == [[1, 1], [2, 2], [2, 2], [2, 2]]


def test_more_samples_narrow_the_error():
    few, many = (
        born_dead_network_probability(Uniform(1.0), CLOUD, [2, 2], n_samples=n)
        for n in (1000, 16000)
    )
    assert many.standard_error == pytest.approx(few.standard_error / 4, rel=0.3)
    assert_estimates(few, many.value)
