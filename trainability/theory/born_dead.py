"""The probability that a neuron of the first layer is born dead.

A neuron x -> relu(w.x + b) is dead on a domain iff b + h(w) <= 0, h being the domain's support
function. Every scheme and every domain has an answer: a closed form or a deterministic quadrature
where one is known, else E over w of P(b <= -h(w)) by sampling w, and the answer says which.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from trainability import seeds
from trainability.domains import Ball, Box, Domain, Points
from trainability.errors import refuse
from trainability.theory import ball, box, points, torch_ball
from trainability.theory.checks import count_problem, domain_problem
from trainability.theory.drawing import HasLaw, law_of
from trainability.theory.laws import (
    Asymmetric,
    Gaussian,
    KinkAtData,
    NeuronLaw,
    OrthogonalRows,
    Uniform,
    UniformWeights,
    has_bias,
)
from trainability.theory.probability import (
    CLOSED_FORM,
    QUADRATURE,
    Probability,
    from_log,
    log_of,
)
from trainability.theory.sampling import rao_blackwell, sampled_death
from trainability.theory.transforms import log_half_normal, log_uniform

Exact = tuple[float, str]
"""A logarithm and the method that gave it."""


def born_dead_probability(
    scheme_or_law: HasLaw | NeuronLaw,
    domain: Domain,
    width: int | None = None,
    *,
    log: bool = False,
    n_samples: int = 2**16,
    seed: int = 0,
) -> Probability:
    """Probability that a neuron of the first hidden layer is dead on the whole domain.

    For `KinkAtData` it is 0, assuming that the domain holds the training points, or on `Points`
    that they are the training points.

    Args:
        scheme_or_law: An initialization scheme, or the law of its neurons.
        domain: Where inputs live; gives the layer's fan_in.
        width: Neurons of the layer. Needed where the scheme depends on it (Glorot, orthogonal) or
            states no law.
        log: Return the natural logarithm, which does not underflow.
        n_samples: Neurons to sample where nothing is known in closed form, >= 2. The default
            gives three digits of a probability near 1/2.
        seed: Seed of that sampling, >= 0.

    Source: Shin & Karniadakis (2020) for the question; formulas derived here, beside their code.

    >>> float(born_dead_probability(Gaussian(1.0, 1.0), Ball(1, 3**0.5)))
    0.16666666666666669
    """
    owner = "born_dead_probability"
    problems = domain_problem(owner, domain)
    problems += [] if width is None else count_problem(owner, "width", width)
    problems += count_problem(owner, "n_samples", n_samples, 2)
    refuse(problems + count_problem(owner, "seed", seed, 0))
    law = law_of(scheme_or_law, domain.d, width)
    if law is None:
        identity = f"{scheme_or_law!r} on {domain!r}"
        rng = seeds.stream(seed, identity, "sampling")
        assert width is not None and not isinstance(scheme_or_law, NeuronLaw)
        sampled = sampled_death(scheme_or_law, domain, width, n_samples, rng)
        return log_of(sampled) if log else sampled
    return _of_law(law, domain, log, int(n_samples), int(seed))


@lru_cache(maxsize=4096)
def _of_law(law: NeuronLaw, domain: Domain, log: bool, n_samples: int, seed: int) -> Probability:
    """Remembered, since the cells of a study ask the same questions over and over."""
    exact = _exact(law, domain)
    if exact is not None:
        return from_log(*exact, log)
    rng = seeds.stream(seed, f"{law!r} on {domain!r}", "sampling")
    return rao_blackwell(law, domain, n_samples, rng, log)


def _exact(law: NeuronLaw, domain: Domain) -> Exact | None:
    """log p without sampling, or None where no way is known."""
    if isinstance(law, KinkAtData):
        return -math.inf, CLOSED_FORM
    if is_flat(law, domain):
        return _log_nonpositive_bias(law, domain.d), CLOSED_FORM
    if isinstance(domain, Ball):
        return _on_ball(law, domain.d, domain.radius)
    if domain.d == 1:
        return _on_interval(law, *_ends(domain))
    if not isinstance(law, Asymmetric) and _is_one_point(domain):
        return math.log(0.5), CLOSED_FORM
    if isinstance(domain, Box):
        return _on_box(law, domain)
    return _on_plane(law, domain)


def _scale(law: Gaussian | UniformWeights | OrthogonalRows) -> float:
    """The scale of the weights that kappa is stated in."""
    if isinstance(law, Gaussian):
        return law.weight_std
    return law.half_width if isinstance(law, UniformWeights) else law.gain


def is_flat(law: NeuronLaw, domain: Domain) -> bool:
    """Whether h(w) = 0 for every w: all inputs or all weights are 0."""
    if isinstance(law, Gaussian | UniformWeights | OrthogonalRows) and _scale(law) == 0:
        return True
    if isinstance(domain, Ball):
        return domain.radius == 0
    if isinstance(domain, Box):
        return not (domain.low.any() or domain.high.any())
    return isinstance(domain, Points) and not domain.x.any()


def _is_one_point(domain: Domain) -> bool:
    if isinstance(domain, Box):
        return bool((domain.low == domain.high).all())
    return isinstance(domain, Points) and bool((domain.x == domain.x[0]).all())


def _log_nonpositive_bias(law: NeuronLaw, d: int) -> float:
    """log P(b <= 0)."""
    if not has_bias(law):
        return 0.0
    return math.log(0.5) + (math.log(d / (d + 1)) if isinstance(law, Asymmetric) else 0.0)


def _on_ball(law: NeuronLaw, d: int, radius: float) -> Exact:
    """Radius > 0."""
    if isinstance(law, Uniform):
        # The mean norm and the mid range of radii are integrals; the rest is elementary.
        closed = d <= 2 or radius >= 1
        return torch_ball.log_torch_default(d, radius), CLOSED_FORM if closed else QUADRATURE
    if isinstance(law, Asymmetric):
        return ball.log_asymmetric(d, law.sigma, radius), QUADRATURE
    assert isinstance(law, Gaussian | UniformWeights | OrthogonalRows)
    if law.bias_std == 0:
        return -math.inf, CLOSED_FORM
    kappa = radius * (_scale(law) / law.bias_std)
    if isinstance(law, Gaussian):
        return ball.log_gaussian(d, kappa), CLOSED_FORM
    if isinstance(law, UniformWeights):
        return ball.log_uniform_weights(d, kappa), QUADRATURE
    closed = law.fan_out <= d
    return ball.log_orthogonal(d, law.fan_out, kappa), CLOSED_FORM if closed else QUADRATURE


def _ends(domain: Domain) -> tuple[float, float]:
    """The smallest and the largest input, d = 1."""
    if isinstance(domain, Box):
        return float(domain.low[0]), float(domain.high[0])
    assert isinstance(domain, Points)
    return float(domain.x.min()), float(domain.x.max())


def _on_interval(law: NeuronLaw, low: float, high: float) -> Exact:
    """d = 1: only the ends matter, whether the domain is an interval or a set of points."""
    if isinstance(law, Asymmetric):
        return math.log(points.asymmetric_interval(law.sigma, low, high)), CLOSED_FORM
    found: list[str] = []

    def log_ball(radius: float) -> float:
        if radius == 0:
            return _log_nonpositive_bias(law, 1)
        log_p, method = _on_ball(law, 1, radius)
        found.append(method)
        return log_p

    log_p = points.log_interval(log_ball, low, high)
    return log_p, QUADRATURE if QUADRATURE in found else CLOSED_FORM


def _on_box(law: NeuronLaw, domain: Box) -> Exact | None:
    """d >= 2, more than one point."""
    up, down = domain.high, -domain.low
    if isinstance(law, Uniform):
        if domain.is_centered_cube:
            return box.log_torch_default_cube(domain.d, float(up[0])), CLOSED_FORM
        if np.maximum(np.abs(up), np.abs(down)).sum() <= 1:
            # |h(w)| never exceeds the largest bias, so p = (1 - E h) / 2.
            return math.log(0.5 - float((up + down).sum()) / 8), CLOSED_FORM
        exact = box.log_piecewise_polynomial(up, down, biased=True)
        if exact is not None:
            return exact, CLOSED_FORM
        return _quadrature(box.log_uniform_bias(up, down))
    if isinstance(law, Asymmetric):
        return _quadrature(box.log_asymmetric(law.sigma, up, down))
    assert isinstance(law, Gaussian | UniformWeights | OrthogonalRows)
    rotates = isinstance(law, Gaussian | OrthogonalRows)
    if rotates and domain.d == 2 and (isinstance(law, Gaussian) or law.bias_std == 0):
        corners = np.array([(x, y) for x in (-down[0], up[0]) for y in (-down[1], up[1])])
        return _on_plane(law, Points(corners))
    weight = log_half_normal if rotates else log_uniform
    if law.bias_std == 0:
        if (up >= 0).all() and (down >= 0).all():
            return _log_no_height(up, down), CLOSED_FORM
        if isinstance(law, UniformWeights):
            exact = box.log_piecewise_polynomial(up, down, biased=False)
            if exact is not None:
                return exact, CLOSED_FORM
        return _quadrature(box.log_zero_bias(weight, up, down))
    if isinstance(law, OrthogonalRows):
        return None
    kappa = _scale(law) / law.bias_std
    return _quadrature(box.log_gaussian_bias(weight, kappa * up, kappa * down))


def _log_no_height(up: np.ndarray, down: np.ndarray) -> float:
    """log P(h(w) = 0) on a box that holds the origin: 0 unless the origin is a corner of it."""
    if ((up > 0) & (down > 0)).any():
        return -math.inf
    return float(((up > 0) | (down > 0)).sum()) * math.log(0.5)


def _on_plane(law: NeuronLaw, domain: Domain) -> Exact | None:
    """Points with d >= 2: known if they lie in a plane, for laws that rotations leave alone."""
    if not isinstance(law, Gaussian | OrthogonalRows):
        return None
    if isinstance(law, OrthogonalRows) and law.bias_std > 0:
        return None
    assert isinstance(domain, Points)
    flat = points.in_plane(domain.x)
    if flat is None:
        return None
    x, distance = flat
    # The bias, in units of the weights' scale, and what the weights add across the plane.
    bias = law.bias_std / _scale(law) if law.bias_std else 0.0
    across = math.hypot(bias, distance)
    if across == 0:
        p = points.direction_plane(x)
        return math.log(p) if p > 0 else -math.inf, CLOSED_FORM
    return points.log_gaussian_plane(x, 1 / across), CLOSED_FORM


def _quadrature(log_p: float | None) -> Exact | None:
    return None if log_p is None else (log_p, QUADRATURE)
