"""The exact angle chain: networks of a 1-D input, Gaussian weights, no biases.

Without biases a network of one input is linear on either side of 0, so a layer is described by its
values u at +1 and v at -1, and by rotation invariance the next layer's law depends on the angle
between them alone. States: an angle theta in (0, pi/2]; one direction only (u or v is 0, or they
are parallel), where a neuron is dead with probability 1/2; dead, u = v = 0. A neuron is active at
neither of u and v, or at both, with probability (pi - theta) / (2 pi) each, and at u alone, or at
v alone, with probability theta / (2 pi) each.

Source: derived here; compare Lu, Shin, Su & Karniadakis (2019), dying ReLU, and the arc-cosine
kernel (Cho & Saul 2009) for the probabilities of the patterns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from scipy import special

from trainability import seeds
from trainability.errors import refuse
from trainability.theory.checks import count_problem, width_problems
from trainability.theory.drawing import estimate
from trainability.theory.probability import CLOSED_FORM, QUADRATURE, RAO_BLACKWELL, Probability

RIGHT = math.pi / 2


@dataclass(frozen=True)
class LayerLaw:
    """Joint law of the active, tentatively dead and permanently dead neurons of one layer.

    Args:
        pmf: P(a active and k permanently dead) at [a, k], shape (N + 1, N + 1); the other
            N - a - k neurons are tentatively dead.
        standard_error: Of every entry; 0 where nothing was sampled.
    """

    pmf: np.ndarray
    standard_error: np.ndarray

    @property
    def active(self) -> np.ndarray:
        """Law of the number of active neurons, shape (N + 1,)."""
        return self.pmf.sum(axis=1)


@dataclass(frozen=True)
class AngleChain:
    """What the chain says of a network.

    Args:
        born_dead: Probability that some hidden layer is wholly dead, so that the network is
            constant.
        layers: The law of every hidden layer, first to last. "Permanently dead" is by the
            weights alone (all of them <= 0), not closed under training.
    """

    born_dead: Probability
    layers: tuple[LayerLaw, ...]


@dataclass(frozen=True)
class _State:
    """A mixture of paths, each with an angle and the probabilities of the three kinds of state."""

    theta: np.ndarray
    two: np.ndarray
    one: np.ndarray
    dead: np.ndarray


def angle_chain(widths: Sequence[int], *, n_samples: int = 2**16, seed: int = 0) -> AngleChain:
    """The exact angle chain of a network with one input, Gaussian weights and no biases.

    Closed form for up to two hidden layers; deterministic quadrature if no hidden layer but the
    first and the last is wider than 2, where the next angle has a density in closed form; else
    angles are sampled and everything else is integrated exactly (Rao-Blackwell).

    Args:
        widths: Neurons of every hidden layer, first to last.
        n_samples: Paths of angles to sample where that is needed, >= 2.
        seed: Seed of that sampling, >= 0.

    >>> angle_chain([2, 2]).born_dead.value
    0.15625
    """
    owner = "angle_chain"
    problems = width_problems(owner, widths) + count_problem(owner, "n_samples", n_samples, 2)
    refuse(problems + count_problem(owner, "seed", seed, 0))
    inner = widths[1:-1]
    rng = None
    if any(n > 2 for n in inner):
        rng = seeds.stream(seed, f"angle chain {tuple(widths)}", "sampling")
        state = _start(widths[0], np.full(n_samples, RIGHT))
        method = RAO_BLACKWELL
    else:
        state = _start(widths[0], np.append(_nodes()[0], RIGHT))
        method = QUADRATURE if inner else CLOSED_FORM
    first = np.zeros((widths[0] + 1, widths[0] + 1))
    first[widths[0], 0] = 1.0
    layers = [LayerLaw(first, np.zeros_like(first))]
    for fan_in, n in pairwise(widths):
        layers.append(_census(state, n, 2.0**-fan_in, sampled=rng is not None))
        state = _sampled_step(state, n, rng) if rng is not None else _exact_step(state, n)
    if rng is None:
        born_dead = Probability(float(state.dead.sum()), 0.0, method)
    else:
        born_dead = estimate(state.dead, 0.0, method)
    return AngleChain(born_dead, tuple(layers))


def _start(n: int, theta: np.ndarray) -> _State:
    """After the first layer u and v have no neuron in common: they are orthogonal, or one is 0.

    Every angle of a sample is a path of its own with probability 1; nodes of a quadrature share
    one, which starts at the last, pi/2.
    """
    at_right = (theta == RIGHT).astype(float)
    one = 2.0 ** (1 - n)
    return _State(theta, (1 - one) * at_right, one * at_right, 0 * at_right)


def _patterns(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that a neuron is active at neither (or both), and at u alone (or v alone)."""
    return (math.pi - theta) / (2 * math.pi), theta / (2 * math.pi)


def _leave(state: _State, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probability to stay with two directions, per path, and the new `one` and `dead`."""
    neither, alone = _patterns(state.theta)
    dies = neither**n
    # At one of u and v all are inactive, not at the other; or one neuron is active, at both.
    narrows = 2 * ((neither + alone) ** n - dies) + n * neither**n
    stays = np.maximum(1 - dies - narrows, 0)
    one = state.two * narrows + state.one * (1 - 0.5**n)
    dead = state.two * dies + state.one * 0.5**n + state.dead
    return stays, one, dead


def _sampled_step(state: _State, n: int, rng: np.random.Generator) -> _State:
    stays, one, dead = _leave(state, n)
    theta = state.theta.copy()
    todo = np.flatnonzero(stays > 0) if n > 1 else np.empty(0, dtype=int)
    while len(todo):
        angle = state.theta[todo, None]
        x, z = rng.standard_normal((2, len(todo), n))
        u = np.maximum(x, 0)
        v = np.maximum(np.cos(angle) * x + np.sin(angle) * z, 0)
        lengths = np.linalg.norm(u, axis=1) * np.linalg.norm(v, axis=1)
        # Parallel: a single neuron is active at all, and at both.
        parallel = (((u > 0) | (v > 0)).sum(axis=1) == 1) & (lengths > 0)
        ok = (lengths > 0) & ~parallel
        # From the difference of the unit vectors, which is accurate for small angles too.
        units = [part[ok] / np.linalg.norm(part[ok], axis=1, keepdims=True) for part in (u, v)]
        half = np.linalg.norm(units[0] - units[1], axis=1) / 2
        theta[todo[ok]] = 2 * np.arcsin(np.minimum(half, math.sqrt(0.5)))
        todo = todo[~ok]
    return _State(theta, state.two * stays, one, dead)


def _exact_step(state: _State, n: int) -> _State:
    stays, one, dead = _leave(state, n)
    if n > 2:  # the last layer: its angle does not matter
        return _State(state.theta, state.two * stays, one, dead)
    two = np.zeros_like(state.two)
    if n == 2:
        two = (state.two * stays) @ _transition()
    return _State(state.theta, two, one, dead)


def _nodes() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on (0, pi/2): 12 Gauss-Legendre nodes in each octave down to 2^-40."""
    x, w = np.polynomial.legendre.leggauss(12)
    top = RIGHT * 0.5 ** np.arange(40)[:, None]
    return (top * (x + 3) / 4).ravel(), (top * w / 4).ravel()


@cache
def _transition() -> np.ndarray:
    """Width 2: law of the next angle, at the nodes or pi/2, given each of them and two directions.

    x = W u and y = W v are Gaussian vectors in the plane with correlation r = cos theta; their
    directions a and b have the density g(a - b) = (1 - r^2) / (4 pi^2 (1 - s^2)) *
    (1 + s arccos(-s) / sqrt(1 - s^2)), s = r cos(a - b). Both neurons active at both: the new
    angle is |a - b|. One of them at both, the other at u alone: the new angle is a, and y points
    into the next quadrant. One at u alone, one at v alone: pi/2.
    """
    nodes, weights = _nodes()
    theta = np.append(nodes, RIGHT)[:, None]
    r = np.cos(theta)
    s = r * np.cos(nodes)
    # 1 - s^2 and 1 - (r sin)^2, without cancellation
    rest = np.sin(theta) ** 2 + (r * np.sin(nodes)) ** 2
    turned = np.sin(theta) ** 2 + (r * np.cos(nodes)) ** 2
    obtuse = np.arctan2(np.sqrt(rest), -s)
    density = np.sin(theta) ** 2 / rest * (1 + s * obtuse / np.sqrt(rest))
    # 4 pi^2 g(b) is the derivative of b + r sin(b) arccos(-r cos b) / sqrt(1 - r^2 cos^2 b).
    far = r * np.cos(nodes) * np.arccos(r * np.sin(nodes)) / np.sqrt(turned)
    near = r * np.sin(nodes) * obtuse / np.sqrt(rest)
    quadrant = math.pi / 2 + far - near
    step = (2 * (RIGHT - nodes) * density + 4 * quadrant) * weights / (4 * math.pi**2)
    alone = theta[:, 0] / (2 * math.pi)
    matrix = np.concatenate([step, 2 * alone[:, None] ** 2], axis=1)
    return matrix / matrix.sum(axis=1, keepdims=True)


def _census(state: _State, n: int, permanent: float, sampled: bool) -> LayerLaw:
    """Multinomial counts given the state, over the states.

    The probabilities of a neuron to be active, tentatively and permanently dead add up to 1 in
    every state; that of being permanently dead is the same in all.
    """
    neither, _ = _patterns(state.theta)
    tentative = np.maximum(neither - permanent, 0)
    pmf, error = np.zeros((n + 1, n + 1)), np.zeros((n + 1, n + 1))
    for a in range(n + 1):
        k = np.arange(n - a + 1)
        t = n - a - k
        log_ways = special.gammaln(n + 1) - sum(special.gammaln(m + 1) for m in (a, k, t))
        ways = np.exp(log_ways) * permanent**k
        paths = (state.two * (1 - neither) ** a)[:, None] * tentative[:, None] ** t
        paths += (state.one * 0.5**a)[:, None] * max(0.5 - permanent, 0.0) ** t
        if a == 0:
            paths += state.dead[:, None] * (1 - permanent) ** t
        pmf[a, k] = ways * (paths.mean(axis=0) if sampled else paths.sum(axis=0))
        if sampled:
            error[a, k] = ways * paths.std(axis=0, ddof=1) / math.sqrt(len(paths))
    return LayerLaw(pmf, error)
