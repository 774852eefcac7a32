"""The probability that a neuron of the first layer is born dead.

A neuron x -> relu(w.x + b) is dead on a domain iff b + h(w) <= 0, h being the domain's support
function. Every scheme and every domain has an answer: a closed form or a deterministic quadrature
where one is known, else E over w of P(b <= -h(w)) by sampling w, and the answer says which.
"""

from __future__ import annotations

import math
from functools import lru_cache

from trainability import seeds
from trainability.domains import Ball, Box, Domain, Points
from trainability.errors import refuse
from trainability.theory.checks import count_problem, domain_problem
from trainability.theory.drawing import HasLaw, law_of
from trainability.theory.laws import Exact, NeuronLaw
from trainability.theory.probability import (
    CLOSED_FORM,
    Probability,
    from_log,
    log_of,
)
from trainability.theory.sampling import rao_blackwell, sampled_death


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

    >>> from trainability.theory.laws import Gaussian
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
    if law.is_never_born_dead:
        return -math.inf, CLOSED_FORM
    if is_flat(law, domain):
        return law.log_nonpositive_bias(domain.d), CLOSED_FORM
    if isinstance(domain, Ball):
        return law.on_ball(domain.d, domain.radius)
    if domain.d == 1:
        return law.on_interval(*_ends(domain))
    if law.is_symmetric and _is_one_point(domain):
        return math.log(0.5), CLOSED_FORM
    if isinstance(domain, Box):
        return law.on_box(domain)
    assert isinstance(domain, Points)
    return law.on_points(domain)


def is_flat(law: NeuronLaw, domain: Domain) -> bool:
    """Whether h(w) = 0 for every w: all inputs or all weights are 0."""
    if not law.has_weights:
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


def _ends(domain: Domain) -> tuple[float, float]:
    """The smallest and the largest input, d = 1."""
    if isinstance(domain, Box):
        return float(domain.low[0]), float(domain.high[0])
    assert isinstance(domain, Points)
    return float(domain.x.min()), float(domain.x.max())
