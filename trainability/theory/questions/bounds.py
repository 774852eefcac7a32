"""Bounds of the probability that a deep network is born dead.

Born dead: some hidden layer is wholly dead on the domain, so that the network is constant and no
gradient passes. Each bound refuses the laws that its proof does not cover.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import special

from trainability.domains import Domain
from trainability.errors import InputError, refuse
from trainability.theory.checks import count_problem, domain_problem, width_problems
from trainability.theory.drawing import HasLaw, laws_of
from trainability.theory.laws import (
    NeuronLaw,
)
from trainability.theory.probability import Probability
from trainability.theory.questions.born_dead import born_dead_probability, is_flat


def born_dead_upper_bound(
    scheme_or_law: HasLaw | NeuronLaw,
    domain: Domain,
    widths: Sequence[int],
    *,
    log: bool = False,
) -> Probability:
    """1 - prod_t (1 - 2^-N_t): no more networks are born dead than are dead at one input.

    Holds where the sign of every neuron's (w, b) is a fair coin of its own: i.i.d. symmetric
    weights and biases, with or without biases, and orthogonal rows. At one input (not 0, if there
    are no biases) it is an equality. Not for RAI, which has fewer dead networks by design, though
    not provably fewer than this for every shape; nor for data-dependent or unknown laws.

    Args:
        scheme_or_law: An initialization scheme, or a law that holds for every hidden layer.
        domain: Where inputs live.
        widths: N_t, neurons of every hidden layer, first to last.
        log: Return the natural logarithm, which does not underflow.

    Source: Lu, Shin, Su & Karniadakis (2019), upper bound of the born-dead probability; Rister &
    Rubin (2020).

    >>> from trainability.domains import Ball
    >>> from trainability.theory.laws import Gaussian
    >>> float(born_dead_upper_bound(Gaussian(1.0, 0.0), Ball(1, 1.0), [2, 2]))
    0.4375
    """
    _laws("born_dead_upper_bound", scheme_or_law, domain, widths, orthogonal=True)
    log_p = [-int(n) * math.log(2) for n in widths]
    return Probability(_log_union(log_p) if log else _union([0.5**n for n in map(int, widths)]))


def born_dead_lower_bound_1d(
    scheme_or_law: HasLaw | NeuronLaw,
    domain: Domain,
    widths: Sequence[int],
    *,
    log: bool = False,
) -> Probability:
    """Lower bound for one input, no biases, and hidden layers of equal width N.

    With a1 = 1 - 2^-N, a2 = 1 - 2^(1-N) - (N-1) 4^-N and T hidden layers:
    1 - a1^(T-1) + (1 - 2^(1-N)) (1 - 2^-N) / (1 + (N-1) 2^-N) * (a2^(T-1) - a1^(T-1)). Equality
    for T <= 2. For i.i.d. symmetric weights; with biases it is false.

    Args:
        scheme_or_law: An initialization scheme, or a law that holds for every hidden layer.
        domain: Where inputs live, d = 1.
        widths: Neurons of every hidden layer, all the same.
        log: Return the natural logarithm, which does not underflow.

    Source: Lu, Shin, Su & Karniadakis (2019), the lower bound for one-dimensional input.

    >>> from trainability.domains import Ball
    >>> from trainability.theory.laws import Gaussian
    >>> round(float(born_dead_lower_bound_1d(Gaussian(1.0, 0.0), Ball(1, 1.0), [2] * 5)), 10)
    0.5996627808
    """
    owner = "born_dead_lower_bound_1d"
    laws = _laws(owner, scheme_or_law, domain, widths)
    problems = []
    if domain.d != 1:
        problems.append(f"{owner} holds for d = 1, got d = {domain.d}; use born_dead_lower_bound")
    if any(law.has_bias for law in laws):
        problems.append(
            f"{owner} is false with biases, got {laws[0]}; use born_dead_lower_bound, or a scheme "
            f"without biases"
        )
    if len(set(widths)) > 1:
        problems.append(
            f"{owner} is for hidden layers of equal width, got {list(widths)}; use "
            f"born_dead_lower_bound"
        )
    refuse(problems)
    import mpmath  # which takes a while, and is seldom needed

    n, steps = int(widths[0]), len(widths) - 1
    # The terms of order 2^-N cancel, down to order 4^-N.
    with mpmath.workprec(4 * n + 100):
        half = mpmath.mpf(2) ** -n
        a1, a2 = 1 - half, 1 - 2 * half - (n - 1) * half**2
        share = (1 - 2 * half) * (1 - half) / (1 + (n - 1) * half)
        bound: Any = 1 - a1**steps + share * (a2**steps - a1**steps)
        if log:
            return Probability(float(mpmath.log(bound)) if bound else -math.inf)
        return Probability(float(bound))


def born_dead_lower_bound(
    scheme_or_law: HasLaw | NeuronLaw,
    domain: Domain,
    widths: Sequence[int],
    *,
    log: bool = False,
) -> Probability:
    """1 - (1 - p^N_1) prod_(t>=2) (1 - 2^(-N_t (N_(t-1) + 1))): some layer is wholly dead by signs.

    p is the probability that a neuron of the first layer is dead, and a later layer is dead
    whatever it sees if all its weights and biases are <= 0. Without biases the exponent is
    N_t N_(t-1). For i.i.d. symmetric weights and biases, any d.

    Args:
        scheme_or_law: An initialization scheme, or a law that holds for every hidden layer.
        domain: Where inputs live.
        widths: N_t, neurons of every hidden layer, first to last.
        log: Return the natural logarithm, which does not underflow.

    Source: Rister & Rubin (2020), lower bound of the probability that a network is dead.
    """
    laws = _laws("born_dead_lower_bound", scheme_or_law, domain, widths)
    first = born_dead_probability(laws[0], domain, widths[0], log=True)
    later = [
        -n * (fan_in + law.has_bias) * math.log(2)
        for law, fan_in, n in zip(laws[1:], widths, widths[1:], strict=False)
    ]
    log_first = widths[0] * first.value
    log_bound = _log_union([log_first, *later])
    # Only p may have been sampled: d bound / d p = N_1 p^(N_1 - 1) times the rest.
    relative = 0.0
    if first.standard_error and first.value > -math.inf:
        rest = sum(math.log1p(-math.exp(entry)) for entry in later)
        relative = widths[0] * first.standard_error * math.exp(log_first + rest - log_bound)
    scale = 1.0 if log else math.exp(log_bound)
    value = log_bound if log else scale
    return replace(first, value=value, standard_error=relative * scale)


def non_convergence_lower_bound(
    scheme_or_law: HasLaw | NeuronLaw,
    domain: Domain,
    widths: Sequence[int],
    restarts: int,
    *,
    log: bool = False,
) -> Probability:
    """Lower bound of the probability that all of K independently initialized networks are constant.

    K networks, the first and K - 1 restarts, are all born dead with probability at least
    `born_dead_lower_bound` to the power K; then no choice among them after training by gradients
    helps. It refuses what that bound refuses.

    Args:
        scheme_or_law: An initialization scheme, or a law that holds for every hidden layer.
        domain: Where inputs live.
        widths: N_t, neurons of every hidden layer, first to last.
        restarts: K, the number of initializations, >= 1.
        log: Return the natural logarithm, which does not underflow.

    Source: Cheridito, Jentzen & Rossmannek (2020), non-convergence of stochastic gradient descent
    in the training of deep neural networks.
    """
    refuse(count_problem("non_convergence_lower_bound", "restarts", restarts))
    one = born_dead_lower_bound(scheme_or_law, domain, widths, log=True)
    log_p = restarts * one.value
    relative = restarts * one.standard_error
    if log:
        return replace(one, value=log_p, standard_error=relative)
    return replace(one, value=math.exp(log_p), standard_error=relative * math.exp(log_p))


def _laws(
    owner: str,
    scheme_or_law: HasLaw | NeuronLaw,
    domain: Domain,
    widths: Sequence[int],
    *,
    orthogonal: bool = False,
) -> list[NeuronLaw]:
    """The laws of all layers, after refusing what the bounds' proofs do not cover."""
    refuse(domain_problem(owner, domain) + width_problems(owner, widths))
    laws = laws_of(scheme_or_law, domain.d, widths)
    name = scheme_or_law
    wanted = "i.i.d. symmetric weights and biases, such as He() or TorchDefault()"
    for law in laws:
        if law is None:
            raise InputError(f"{owner} needs a law of {wanted}; got {name}, which states none")
        if not law.is_symmetric:
            raise InputError(f"{owner} needs {wanted}; it does not hold for {name}")
        if not law.has_independent_rows and not orthogonal:
            raise InputError(
                f"{owner} needs {wanted}; the rows of {name} depend on each other, so it does "
                f"not hold"
            )
        if not law.has_bias and is_flat(law, domain):
            raise InputError(
                f"{owner} needs weights, and an input other than 0, where there are no biases: "
                f"{name} on {domain} is 0 everywhere"
            )
    return [law for law in laws if law is not None]


def _union(p: Sequence[float]) -> float:
    """1 - prod (1 - p_t), p_t < 1."""
    return -math.expm1(sum(math.log1p(-entry) for entry in p))


def _log_union(log_p: Sequence[float]) -> float:
    """log(1 - prod (1 - p_t)), given log p_t."""
    if max(log_p) < -40:
        # The products of two are below 1e-17 of the sum.
        return float(special.logsumexp(log_p)) if max(log_p) > -np.inf else -math.inf
    if max(log_p) >= 0:
        return 0.0
    return math.log(-math.expm1(sum(math.log1p(-math.exp(entry)) for entry in log_p)))
