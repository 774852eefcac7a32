"""The race of a concave neuron: closed forms, integrals, sampling, and the flow itself."""

import itertools
import math

import numpy as np
import pytest
from chance import assert_rate
from scipy.integrate import dblquad
from scipy.stats import norm

from trainability.errors import InputError
from trainability.theory import Fates, gaussian_turning_probability, sphere_turning_probability
from trainability.theory.memory import AdamMemory
from trainability.theory.numerics.adam_flow import final_losses
from trainability.theory.numerics.races import fates_of, margin

H = math.sqrt(3)
N = 200_000


def turns(w, b, a, h):
    """By the definition: at constant speeds the pre-activation is positive when a reaches 0."""
    return (a < 0) & (h * (np.abs(w) + a) + b + a > 0)


@pytest.mark.parametrize("stds", [(1.4, 1.0, 1.0), (0.3, 0.0, 0.2), (1.0, 2.0, 0.05)])
def test_the_solid_angle_is_what_is_drawn_and_what_an_integral_says(stds):
    p = gaussian_turning_probability(*stds, H)
    w, b, a = np.random.default_rng(0).standard_normal((3, N)) * np.array(stds)[:, None]
    assert_rate(turns(w, b, a, H).sum(), N, p)
    if stds[1]:

        def survival(w, a):
            return (
                4
                * norm.pdf(w)
                * norm.pdf(a)
                * norm.sf(((1 + H) * stds[2] * a - H * stds[0] * w) / stds[1])
            )  # both signs of w; a < 0 is half of the plane

        value = dblquad(survival, 0, 9, 0, 9, epsabs=1e-10)[0] / 2
        assert p == pytest.approx(value, abs=1e-8)


@pytest.mark.parametrize("output_std", [1.0, 0.2])
def test_the_integral_over_the_circle_is_what_is_drawn(output_std):
    rng = np.random.default_rng(1)
    w, b = (row := rng.standard_normal((2, N))) / np.linalg.norm(row, axis=0)
    a = rng.normal(0, output_std, N)
    assert_rate(turns(w, b, a, H).sum(), N, sphere_turning_probability(output_std, H))


def test_the_margin_is_the_race():
    w, b, a = np.random.default_rng(2).standard_normal((3, 1000))
    won = margin(w, b, a, H) > 0
    assert np.array_equal(won[a < 0], turns(w, b, a, H)[a < 0])
    assert np.array_equal(won[a > 0], (H * np.abs(w) + b > 0)[a > 0])


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("a", "loss"), [(-0.35, 0.1717), (-0.55, 0.2525)])
def test_the_flow_obeys_the_race(a, loss, side):
    """A neuron alone below |x|: it turns and makes one hinge, or dies and leaves a constant.

    With w = b = .45 the race is lost from |a| = .45 on. Without any memory, descent along the sign.
    """
    x = np.linspace(-H, H, 2001)[:, None]
    weights = np.array([[[side * 0.45]]]), np.array([[[a]]])
    biases = np.array([[0.45]]), np.array([[0.0]])
    assert margin(weights[0], biases[0], weights[1], H).item() * (0.45 + a) > 0
    none = AdamMemory(0, 0)
    ended = final_losses(weights, biases, x, np.abs(x), 0.172, 1, none, duration=8, step=0.005)
    assert (ended < 0.18) == (loss < 0.18)


@pytest.mark.parametrize("width", [1, 2, 3, 5])
@pytest.mark.parametrize("fates", [Fates(0.2, 0.3, 0.1), Fates(0.25, 0.25, 0.0), Fates(0, 0, 1)])
def test_the_count_law_is_the_sum_over_all_networks(width, fates):
    p = {"R": fates.right, "L": fates.left, "line": fates.line}
    p["lost"] = 1 - sum(p.values())
    opposite = alike = 0.0
    for network in itertools.product(p, repeat=width):
        chance = math.prod(p[fate] for fate in network)
        n = {fate: network.count(fate) for fate in p}
        if (n["R"] and n["L"]) or ((n["R"] or n["L"]) and n["line"]):
            opposite += chance
        elif n["R"] + n["L"] >= 2:
            alike += chance
    assert fates.opposite(width) == pytest.approx(opposite, abs=1e-12)
    assert fates.opposite_or_alike(width) == pytest.approx(opposite + alike, abs=1e-12)


def test_fates_exclude_each_other():
    w, b, a = np.random.default_rng(3).standard_normal((3, 1000))
    total = sum(mask.astype(int) for mask in fates_of(w, b, a, H))
    assert total.max() == 1
    assert (total[(a > 0) & (H * np.abs(w) + b > 0)] == 1).all()


def test_what_is_no_probability_is_refused():
    with pytest.raises(InputError, match=r"Fates must add up to at most 1, got 1\.2"):
        Fates(0.6, 0.6, 0.0)
    with pytest.raises(InputError, match="Fates right must be a finite number >= 0, got -0.1"):
        Fates(-0.1, 0.6, 0.0)
    with pytest.raises(InputError, match="output_std must be a finite number > 0, got 0.0"):
        sphere_turning_probability(0.0, 1.0)
    with pytest.raises(InputError, match="weight_std must be a finite number > 0"):
        gaussian_turning_probability(0.0, 1.0, 1.0, 1.0)
