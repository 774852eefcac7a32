"""The angle chain against whole networks, and against its own closed forms."""

import math

import numpy as np
import pytest
from chance import assert_counts, assert_estimates, assert_rate
from scipy.stats import binom

from trainability.theory import angle_chain
from trainability.theory.questions.angles import _nodes, _transition


def two_ray_networks(widths, n, seed=0, uniform=False):
    """Values at +1 and -1 of every hidden layer, shape (n, 2, N), without biases."""
    rng = np.random.default_rng(seed)
    h = np.broadcast_to(np.array([[1.0], [-1.0]]), (n, 2, 1))
    for width in widths:
        draw = (
            rng.uniform(-1, 1, (n, width, h.shape[2]))
            if uniform
            else rng.standard_normal((n, width, h.shape[2]))
        )
        yield draw, (h := np.maximum(h @ draw.transpose(0, 2, 1), 0))


@pytest.mark.parametrize(
    ("depth", "value"), [(3, 0.15625), (4, 0.34016927), (5, 0.49773371), (20, 0.99323306)]
)
def test_values(depth, value):
    """Width 2: by quadrature, checked by 1e6 networks, to 8 digits."""
    assert angle_chain([2] * (depth - 1)).born_dead.value == pytest.approx(value, abs=5.1e-9)


def test_two_hidden_layers_are_elementary():
    for first, second in ((1, 1), (2, 5), (6, 3)):
        one = 2.0 ** (1 - first)
        chain = angle_chain([first, second])
        assert chain.born_dead.method == "closed form"
        assert chain.born_dead.value == pytest.approx(
            (1 - one) * 0.25**second + one * 0.5**second, rel=1e-13
        )
        active = (1 - one) * binom.pmf(range(second + 1), second, 0.75)
        active += one * binom.pmf(range(second + 1), second, 0.5)
        assert chain.layers[1].active == pytest.approx(active, rel=1e-12)


@pytest.mark.parametrize("uniform", [False, True])
def test_two_hidden_layers_are_the_same_for_other_symmetric_weights(uniform):
    _, (_, h) = two_ray_networks([3, 4], 100_000, uniform=uniform)
    active = (h > 0).any(axis=1).sum(axis=1)
    assert_counts(np.bincount(active, minlength=5), angle_chain([3, 4]).layers[1].active)


@pytest.mark.parametrize("widths", [[3, 2, 1, 2, 5], [2, 2, 2, 2], [1, 2, 3], [4, 1, 1]], ids=str)
def test_quadrature_agrees_with_networks(widths):
    n = 200_000
    chain = angle_chain(widths)
    assert chain.born_dead.method == "quadrature" and chain.born_dead.standard_error == 0
    dead = np.zeros(n, bool)
    fan_in = 1
    for index, ((w, h), law) in enumerate(
        zip(two_ray_networks(widths, n), chain.layers, strict=True)
    ):
        alive = (h > 0).any(axis=1)
        dead |= ~alive.any(axis=1)
        # In the first layer weights of both signs are alive.
        permanent = (w <= 0).all(axis=2).sum(axis=1) if index else np.zeros(n, int)
        cells = alive.sum(axis=1) * (w.shape[1] + 1) + permanent
        assert law.pmf.sum() == pytest.approx(1, rel=1e-10)
        assert_counts(np.bincount(cells, minlength=law.pmf.size), law.pmf.ravel())
        fan_in = w.shape[1]
    assert fan_in == widths[-1]
    assert_rate(dead.sum(), n, chain.born_dead.value)


def test_the_transition_of_width_two_is_a_probability_before_it_is_normalized():
    """Its rows are normalized to 1; a plain sum over its nodes reaches the exact mass."""
    matrix = _transition()
    nodes, _ = _nodes()
    assert matrix.sum(axis=1) == pytest.approx(np.ones(len(nodes) + 1), rel=1e-13)
    # From a right angle: P(pi/2 next | two directions), each neuron 1/4 in each pattern.
    to_right = 2 / 16
    stays = 1 - 1 / 16 - 2 * (1 / 4 - 1 / 16) - 2 / 16
    assert matrix[-1, -1] == pytest.approx(to_right / stays, rel=1e-9)


def test_the_next_angle_of_width_two_has_the_right_law():
    from scipy.stats import kstest

    *_, (_, h) = two_ray_networks([2, 2], 100_000, seed=4)
    u, v = h[:, 0], h[:, 1]
    lengths = np.linalg.norm(u, axis=1) * np.linalg.norm(v, axis=1)
    with np.errstate(invalid="ignore"):
        cosine = (u * v).sum(axis=1) / lengths
    angle = np.arccos(np.clip(cosine[(lengths > 0) & (cosine > 0) & (cosine < 1 - 1e-12)], 0, 1))
    nodes, _ = _nodes()
    order = np.argsort(nodes)
    row = _transition()[-1, :-1][order]
    cumulative = (np.cumsum(row) - row / 2) / row.sum()
    # The first layer is at a right angle in every network with two directions.
    result = kstest(angle, lambda x: np.interp(x, nodes[order], cumulative))
    # Interpolation between nodes is good to 1e-3 of the distance at which KS rejects.
    assert result.pvalue > 1e-6


@pytest.mark.parametrize("widths", [[3, 4, 3, 4], [5, 3, 2, 3], [6, 6, 6]], ids=str)
def test_sampled_angles_agree_with_networks(widths):
    n = 100_000
    chain = angle_chain(widths)
    assert chain.born_dead.method == "rao-blackwell"
    dead = np.zeros(n, bool)
    for (_, h), law in zip(two_ray_networks(widths, n, seed=9), chain.layers, strict=True):
        alive = (h > 0).any(axis=1).sum(axis=1)
        dead |= alive == 0
        assert law.pmf.sum() == pytest.approx(1, rel=1e-9)
        # The chain's own error is a tenth of the networks': it hardly moves the p-value.
        assert_counts(np.bincount(alive, minlength=len(law.active)), law.active)
    noise = math.sqrt(chain.born_dead.value / n)
    assert abs(dead.mean() - chain.born_dead.value) < 6 * math.hypot(
        noise, chain.born_dead.standard_error
    )


def test_sampled_angles_agree_with_quadrature_where_both_exist():
    """A last layer of width 2 behind a sampled one: only the law of the sampled angle is new."""
    from trainability.theory.questions.angles import RIGHT, _exact_step, _sampled_step, _start

    rng = np.random.default_rng(5)
    nodes, _ = _nodes()
    sampled = _start(3, np.full(100_000, RIGHT))
    exact = _start(3, np.append(nodes, RIGHT))
    for _ in range(4):
        sampled, exact = _sampled_step(sampled, 2, rng), _exact_step(exact, 2)
        error = sampled.dead.std() / math.sqrt(len(sampled.dead))
        assert abs(sampled.dead.mean() - exact.dead.sum()) < 6 * error + 1e-12
        for kind in ("two", "one", "dead"):
            mean = getattr(sampled, kind).mean()
            assert mean == pytest.approx(getattr(exact, kind).sum(), abs=0.01)


def test_the_standard_error_covers_the_quadrature():
    """Width 3 in the middle of a network whose angle is sampled, at two seeds."""
    first, second = (angle_chain([2, 3, 2], seed=s).born_dead for s in (1, 2))
    assert first.value != second.value
    spread = math.hypot(first.standard_error, second.standard_error)
    assert abs(first.value - second.value) < 6 * spread
    assert_estimates(first, second.value)
