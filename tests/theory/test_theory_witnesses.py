"""Deep networks on many points: the same answer as of looking at all, for bounded work."""

import numpy as np
import pytest
from chance import ALPHA
from scipy.stats import binomtest

from trainability.domains import Box, Points
from trainability.schemes import DataDependent, He, Orthogonal, SignFlipped, UnitSphere
from trainability.theory import born_dead_network_probability
from trainability.theory.questions import networks
from trainability.theory.questions.witnesses import born_dead_networks, witnesses

MANY = Points(np.random.default_rng(0).standard_normal((3000, 2)))
CLOUD = Points(np.random.default_rng(1).uniform(-1, 1, (400, 3)))


def drawn(scheme, domain, widths, n, data=None):
    laws = networks.laws_of(scheme, domain.d, widths)
    rng = np.random.default_rng(2)
    given = networks._layers(scheme, laws, domain.d, widths, n, rng, data)
    return [(w, b) for w, b, _ in given]


@pytest.mark.parametrize("domain", [CLOUD, Box(2, 1.0)], ids=str)
@pytest.mark.parametrize("scheme", [He(), He(bias_std=0.3), UnitSphere(), Orthogonal()], ids=str)
@pytest.mark.parametrize("widths", [[1, 1], [2] * 6, [3, 2, 4], [8] * 4], ids=str)
def test_the_answer_is_that_of_looking_at_all_points(domain, scheme, widths):
    layers = drawn(scheme, domain, widths, 300)
    image, _ = networks._image(domain, np.random.default_rng(3))
    plain = networks._death(
        ((w, b, networks._given(b)) for w, b in layers), domain, image, is_curve=False
    )
    for few in (witnesses(image[0]), image[0][:1]):
        dead, _ = born_dead_networks(layers, domain, image[0], few)
        assert dead.tolist() == (plain == 1).tolist()
    assert set(plain) <= {0.0, 1.0}


def test_few_points_bear_witness_for_most_networks():
    layers = drawn(He(), MANY, [8] * 19, 256)
    few = witnesses(MANY.x)
    _, spent = born_dead_networks(layers, MANY, MANY.x, few)
    assert len(few) <= 64 and all(point in MANY.x.tolist() for point in few.tolist())
    assert spent < 256 * 8 * 19 * len(MANY.x) / 10


@pytest.mark.parametrize(
    ("scheme", "width"),
    [(He(), 2), (He(), 4), (He(), 16), (He(bias_std=1.0), 8), (SignFlipped(He()), 4)],
    ids=str,
)
def test_a_deep_network_on_many_points_costs_no_more_than_seconds(monkeypatch, scheme, width):
    spent = []

    def looked(*arguments):
        dead, numbers = born_dead_networks(*arguments)
        spent.append(numbers)
        return dead, numbers

    monkeypatch.setattr(networks, "born_dead_networks", looked)
    monkeypatch.setattr(networks, "_MOST_NUMBERS", 2**24)
    probability = born_dead_network_probability(scheme, MANY, [width] * 19)
    pilots = networks._N_PILOTS * 19 * width * len(MANY.x)
    assert 0 < sum(spent) <= 2 * 2**24 * networks._WITNESS_SHARE + 2 * pilots
    assert probability.method == "sampling" and probability.standard_error > 0
    # What it rests on is said.
    assert ("networks" in probability.note) == (probability.note != "")


def test_it_agrees_with_the_integral_over_the_biases(monkeypatch):
    scheme, widths = He(bias_std=0.2), [2] * 4
    exact = born_dead_network_probability(scheme, CLOUD, widths, n_samples=2**14)
    assert exact.method == "rao-blackwell"
    monkeypatch.setattr(networks, "_MOST_NUMBERS", 2**20)
    probability = born_dead_network_probability(scheme, CLOUD, widths, n_samples=2**14)
    n = int(probability.note.removeprefix("of ").removesuffix(" networks").replace(",", ""))
    assert probability.method == "sampling" and 256 <= n < 2**14
    dead = round(probability.value * n)
    # The exact value has an error of its own; at five of them the test holds at its level.
    low, high = (exact.value + side * 5 * exact.standard_error for side in (-1, 1))
    assert binomtest(dead, n, low, "less").pvalue > ALPHA
    assert binomtest(dead, n, high, "greater").pvalue > ALPHA


def test_data_dependent_schemes_are_drawn_for_the_data_that_they_are_given():
    data = np.full((1, 1), 0.5)
    probability = born_dead_network_probability(
        SignFlipped(He()), Box(1, 1.0), [1, 1], n_samples=500, data=data
    )
    assert probability.note == "" and not probability.is_upper_bound
    default = born_dead_network_probability(SignFlipped(He()), Box(1, 1.0), [1, 1], n_samples=500)
    assert default.note == "with 256 points of the domain as training data"
    assert float(born_dead_network_probability(DataDependent(), MANY, [2] * 19)) == 0
