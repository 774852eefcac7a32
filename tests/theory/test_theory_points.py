"""Born-dead probability on data sets."""

import math

import numpy as np
import pytest
from chance import assert_estimates, assert_rate

from trainability.domains import Ball, Points
from trainability.theory import (
    Asymmetric,
    Gaussian,
    KinkAtData,
    OrthogonalRows,
    Uniform,
    UniformWeights,
    born_dead_probability,
)
from trainability.theory.sampling import rao_blackwell

GAUSSIAN = Gaussian(1.0, 1.0)
TORCH = Uniform(1.0)
LINE = Points([[-0.3], [0.2], [1.7]])
CLOUD = np.random.default_rng(2).standard_normal((12, 4)) * 0.5 + 0.1


def test_values():
    assert float(born_dead_probability(GAUSSIAN, LINE)) == pytest.approx(0.2882397241, rel=3e-10)
    assert float(born_dead_probability(TORCH, LINE)) == pytest.approx(0.2860294118, rel=3e-10)


@pytest.mark.parametrize(
    "low, high", [(-0.3, 1.7), (0.5, 2.0), (-2.0, -0.5), (-3.0, 3.0), (0.0, 1.0)]
)
def test_on_a_line_closed_forms_meet_their_textbook_shape(low, high):
    points = Points([[low], [(low + high) / 2], [high]])
    for kappa in (0.2, 1.0, 7.0):
        angle = math.atan(kappa * high) - math.atan(kappa * low)
        probability = float(born_dead_probability(Gaussian(kappa, 1.0), points))
        assert probability == pytest.approx(0.5 - angle / (2 * math.pi), rel=1e-12)

    def g(t):
        return 2 - g(-t) if t < 0 else 1 - t / 2 if t <= 1 else 1 / (2 * t)

    assert float(born_dead_probability(TORCH, points)) == pytest.approx(
        (g(high) + g(-low)) / 4, rel=1e-12
    )


@pytest.mark.parametrize(
    "law",
    [GAUSSIAN, TORCH, UniformWeights(1.0, 0.5), Asymmetric(0.6), OrthogonalRows(1.0, 1.0, 3)],
    ids=str,
)
@pytest.mark.parametrize(
    "x",
    [[[-0.3], [1.7]], [[0.4], [1.0]], [[-2.0], [-0.9]], [[20.0], [60.0]], [[0.0], [0.01]]],
    ids=str,
)
def test_what_is_sampled_on_a_line_agrees(law, x):
    n = 100_000
    points = Points(x)
    w, b = law.sample_layer(n, 1, 3, np.random.default_rng(4))
    dead = b[:, 0] + points.support(w[:, 0]) <= 0
    probability = born_dead_probability(law, points, 3)
    assert probability.standard_error == 0
    assert_rate(dead.sum(), n, float(probability))


@pytest.mark.parametrize("kappa", [0.1, 1.0, 6.0])
@pytest.mark.parametrize(
    "x",
    [
        [(0.3, 0.1), (-1.0, 0.4), (0.5, -2.0), (0.1, 0.1)],  # around the origin
        [(1.0, 1.0), (2.0, 1.5), (1.2, 3.0)],  # beside it
        [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0)],  # the origin on an edge
        [(1.0, 1.0), (-2.0, -2.0), (0.3, 0.3)],  # on a line through it
        [(1.0, 2.0), (2.0, 3.0)],
    ],
    ids=["around", "beside", "edge", "line", "two"],
)
def test_in_the_plane_the_spherical_hull_and_sampled_directions_agree(x, kappa):
    law, points = Gaussian(kappa, 1.0), Points(x)
    exact = born_dead_probability(law, points)
    assert exact.method == "closed form"
    assert_estimates(
        rao_blackwell(law, points, 50_000, np.random.default_rng(3), False), exact.value
    )


def test_in_the_plane_the_perimeter_and_the_triangles_agree():
    """A hull that comes to touch the origin passes from one formula to the other."""
    step = 1e-9
    inside, outside = (
        float(born_dead_probability(GAUSSIAN, Points([(1.0, y), (-1.0, y), (0.0, 1.0)])))
        for y in (-step, step)
    )
    assert inside == pytest.approx(outside, abs=3 * step)


def test_many_points_on_a_circle_are_a_disc():
    angle = np.linspace(0, 2 * math.pi, 20_001)[:-1]
    circle = Points(np.stack([np.cos(angle), np.sin(angle)], 1))
    for kappa in (0.3, 50.0, 1e8, 1e200):
        probability = born_dead_probability(Gaussian(kappa, 1.0), circle, log=True).value
        disc = born_dead_probability(Gaussian(kappa, 1.0), Ball(2, 1.0), log=True).value
        # The polygon's area differs from the disc's by (2 pi / n)^2 / 3 relative at most.
        assert 0 <= probability - disc < (2 * math.pi / 20_000) ** 2


def test_points_in_a_plane_of_a_larger_space_have_a_closed_form():
    rng = np.random.default_rng(6)
    axes, corner = rng.standard_normal((2, 5)), rng.standard_normal(5)
    points = Points(0.4 * rng.standard_normal((9, 2)) @ axes + 0.3 * corner)
    for law in (GAUSSIAN, Gaussian(1.0, 0.0), OrthogonalRows(1.0, 0.0, 9)):
        exact = born_dead_probability(law, points)
        assert exact.method == "closed form"
        sampled = rao_blackwell(law, points, 100_000, np.random.default_rng(3), False)
        assert_estimates(sampled, exact.value)


@pytest.mark.parametrize(
    "law",
    [GAUSSIAN, Gaussian(1.0, 0.0), TORCH, UniformWeights(1.0, 1.0), OrthogonalRows(2.0, 1.0, 9)],
    ids=str,
)
def test_one_point_is_a_fair_coin(law):
    for x in ([[1.0, -2.0, 0.5]], [[1.0, -2.0, 0.5]] * 3):
        assert float(born_dead_probability(law, Points(x))) == 0.5


def test_two_points_see_the_angle_between_them():
    x = np.array([[1.0, 2.0, -0.5], [-0.3, 1.0, 1.0]])
    lifted = np.hstack([x, np.ones((2, 1))])
    cosine = lifted[0] @ lifted[1] / np.linalg.norm(lifted[0]) / np.linalg.norm(lifted[1])
    p = (math.pi - math.acos(cosine)) / (2 * math.pi)
    assert float(born_dead_probability(GAUSSIAN, Points(x))) == pytest.approx(p, rel=1e-12)


@pytest.mark.parametrize(
    "law",
    [
        GAUSSIAN,
        Gaussian(1.0, 0.0),
        TORCH,
        UniformWeights(1.0, 0.5),
        UniformWeights(1.0, 0.0),
        Asymmetric(0.6),
        OrthogonalRows(1.0, 0.5, 3),
        OrthogonalRows(1.0, 0.5, 9),
    ],
    ids=str,
)
def test_on_a_cloud_the_estimate_and_whole_neurons_agree(law):
    n = 100_000
    width = law.fan_out if isinstance(law, OrthogonalRows) else 2
    probability = born_dead_probability(law, Points(CLOUD), width)
    assert probability.method == "rao-blackwell"
    w, b = law.sample_layer(n, 4, width, np.random.default_rng(11))
    dead = (b[:, 0] + Points(CLOUD).support(w[:, 0]) <= 0).mean()
    # Both are sampled: 6 standard errors of the difference.
    error = math.hypot(probability.standard_error, math.sqrt(probability.value / n))
    assert abs(dead - probability.value) < 6 * error


def test_the_standard_error_is_honest():
    """Estimates from 60 seeds scatter as much as they say: chi-square at 1e-6, both sides."""
    from scipy.stats import chi2

    estimates = [
        born_dead_probability(TORCH, Points(CLOUD), n_samples=500, seed=s) for s in range(60)
    ]
    values = np.array([e.value for e in estimates])
    said = np.mean([e.standard_error**2 for e in estimates])
    ratio = 59 * values.var(ddof=1) / said
    assert chi2.cdf(ratio, 59) > 5e-7 and chi2.sf(ratio, 59) > 5e-7


def test_the_same_question_gets_the_same_answer_and_another_seed_another():
    ask = [born_dead_probability(TORCH, Points(CLOUD), n_samples=100, seed=s) for s in (0, 0, 1)]
    assert ask[0] == ask[1] != ask[2]


def test_the_logarithm_of_an_estimate_carries_its_relative_error():
    plain, logarithm = (
        born_dead_probability(TORCH, Points(CLOUD), log=log) for log in (False, True)
    )
    assert logarithm.value == pytest.approx(math.log(plain.value), rel=1e-12)
    assert logarithm.standard_error == pytest.approx(plain.standard_error / plain.value, rel=1e-9)


def test_never_seen_is_not_impossible():
    wide = Points(50 * np.random.default_rng(1).standard_normal((400, 3)))
    probability = born_dead_probability(Gaussian(1.0, 0.0), wide, n_samples=200)
    assert probability.value == 0.0 and probability.standard_error == 1 / 200
    probability = born_dead_probability(Gaussian(1.0, 0.0), wide, n_samples=200, log=True)
    assert (probability.value, probability.standard_error) == (-math.inf, math.inf)


def test_a_kink_at_data_is_never_born_dead():
    for log, value in ((False, 0.0), (True, -math.inf)):
        assert born_dead_probability(KinkAtData(1.0, 0.1), LINE, log=log).value == value
