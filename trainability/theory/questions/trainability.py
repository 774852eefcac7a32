"""Trainability: the probability that a randomly initialized network is trainable.

A network is trainable for a task if every hidden layer t has at least m_t neurons that are not
permanently dead (Shin & Karniadakis 2020).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from scipy import special

from trainability import seeds
from trainability.domains import Domain
from trainability.errors import refuse
from trainability.theory.checks import count_problem, domain_problem, is_count, width_problems
from trainability.theory.drawing import (
    HasLaw,
    chunks,
    estimate,
    laws_of,
    support_cost,
    training_inputs,
)
from trainability.theory.laws import NeuronLaw
from trainability.theory.probability import (
    CLOSED_FORM,
    QUADRATURE,
    RAO_BLACKWELL,
    SAMPLING,
    Probability,
)
from trainability.theory.questions.born_dead import born_dead_probability
from trainability.theory.questions.counts import (
    active_count_pmf,
    binomial_pmf,
    permanent_count_pmf,
)
from trainability.theory.sampling import network_layers

Method = Literal["chain", "product"]


def trainability_probability(
    scheme_or_law: HasLaw | NeuronLaw,
    domain: Domain,
    widths: int | Sequence[int],
    need: int | Sequence[int] = 1,
    *,
    method: Method = "chain",
    n_samples: int = 2**14,
    seed: int = 0,
) -> Probability:
    """Trainability of a network: an upper bound of the success rate of training.

    One hidden layer: P(A >= m), A the number of active neurons; exact, and `method` says nothing.

    Deep networks, by what "permanently dead" takes into account:

    - "product": each layer for itself. A neuron after the first layer counts as dead iff all its
      weights and its bias are <= 0. The layers are then independent, and trainability is
      prod_t P(Bin(N_t, 1 - q_t) >= m_t), exactly so for this definition.
    - "chain", the default: closed under gradient training. The inputs that come from permanently
      dead neurons stay 0, so their weights don't matter, and k_t | k_(t-1) ~
      Bin(N_t, 1 - 2^-(k_(t-1) + 1)) (without a bias 2^-k_(t-1)). Exact for the neurons that are
      dead by this rule; never above "product".

    Both leave out that a layer that is wholly dead on the domain, though only tentatively, stops
    training for good, so both are upper bounds: `born_dead_network_probability` has that part.

    Args:
        scheme_or_law: An initialization scheme, or a law that holds for every hidden layer.
        domain: Where inputs live.
        widths: Neurons of every hidden layer, first to last; an int for one layer.
        need: m_t, how many neurons of every layer must not be permanently dead, 1 <= m_t <= N_t;
            an int for the same in every layer. The default 1 is what is always needed: without
            an active neuron a network is constant.
        method: See above.
        n_samples: Networks to sample where nothing is known in closed form, >= 2: a scheme that
            states no law, and orthogonal rows where they are not independent.
        seed: Seed of that sampling, >= 0.

    >>> from trainability.domains import Ball
    >>> from trainability.theory.laws import Gaussian
    >>> round(float(trainability_probability(Gaussian(1.0, 1.0), Ball(1, 3**0.5), 4, need=2)), 10)
    0.9837962963
    """
    widths, needs = _checked(domain, widths, need, method, n_samples, seed)
    laws = laws_of(scheme_or_law, domain.d, widths)
    deep = len(widths) > 1
    if None in laws or (
        deep and method == "chain" and laws[0] is not None and not laws[0].has_independent_rows
    ):
        rng = seeds.stream(
            seed, f"{scheme_or_law!r} on {domain!r}, {widths} need {needs}", "sampling"
        )
        closed = method == "chain"
        return _sampled(scheme_or_law, domain, widths, needs, closed, n_samples, rng)
    stated = [law for law in laws if law is not None]
    if deep and method == "chain":
        p = _born_dead(stated[0], domain, widths[0], n_samples, seed)
        return _expected(p, _sufficient_afterwards(stated, widths, needs))
    first = _enough_active(stated[0], domain, widths[0], needs[0], n_samples, seed)
    factors = [first]
    for t in range(1, len(widths)):
        dead = permanent_count_pmf(
            stated[t], widths[t - 1], widths[t], n_samples=n_samples, seed=seed
        )
        factors.append(_complement(dead.at_least(widths[t] - needs[t] + 1)))
    return _product(factors)


def _checked(
    domain: Domain,
    widths: int | Sequence[int],
    need: int | Sequence[int],
    method: str,
    n_samples: int,
    seed: int,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Widths and needs as tuples, after refusing what is wrong with the arguments."""
    owner = "trainability_probability"
    every_width: Any = [widths] if is_count(widths) else widths
    problems = domain_problem(owner, domain) + width_problems(owner, every_width)
    if method not in ("chain", "product"):
        problems.append(f"{owner} method must be 'chain' or 'product', got {method!r}")
    problems += count_problem(owner, "n_samples", n_samples, 2)
    problems += count_problem(owner, "seed", seed, 0)
    refuse(problems)
    n_layers = len(every_width)
    needs: Any = list(need) if isinstance(need, Sequence) else [need] * n_layers
    if len(needs) != n_layers:
        problems.append(
            f"{owner} need must be one int, or one per hidden layer: got {len(needs)} for "
            f"{n_layers} layers"
        )
    for t, (m, n) in enumerate(zip(needs, every_width, strict=False), 1):
        of_layer = count_problem(owner, "need", m)
        if not of_layer and m > n:
            of_layer.append(
                f"{owner} need must be at most the width, got {m} of {n} neurons in hidden layer "
                f"{t}; use a wider layer"
            )
        problems += of_layer
    refuse(problems)
    return tuple(map(int, every_width)), tuple(map(int, needs))


def _born_dead(
    law: NeuronLaw, domain: Domain, width: int, n_samples: int, seed: int
) -> Probability:
    return born_dead_probability(law, domain, width, n_samples=max(n_samples, 2**16), seed=seed)


def _enough_active(
    law: NeuronLaw, domain: Domain, n: int, need: int, n_samples: int, seed: int
) -> Probability:
    """P(at least `need` of the n neurons of the first layer are active)."""
    if not law.dies_independently(domain, n):
        return active_count_pmf(law, domain, n, n_samples=n_samples, seed=seed).at_least(need)
    p = _born_dead(law, domain, n, n_samples, seed)
    # P(n - D >= m) = I_(1-p)(m, n - m + 1), the regularized incomplete beta function
    value = float(special.betaincc(n - need + 1, need, p.value))
    error = _expected(p, np.arange(n + 1) >= need).standard_error
    return replace(p, value=value, standard_error=error)


def _expected(p: Probability, value: np.ndarray) -> Probability:
    """E value[n - D], D ~ Binomial(n, p), n + 1 being the length of `value`."""
    n = len(value) - 1
    mean = binomial_pmf(np.array([p.value]), n)[0][::-1] @ value
    # d/dp E value[n - D] = n E (value[n - 1 - D'] - value[n - D']), D' ~ Binomial(n - 1, p)
    fewer = binomial_pmf(np.array([p.value]), n - 1)[0][::-1]
    slope = n * float(fewer @ -np.diff(value.astype(float)))
    return replace(p, value=float(mean), standard_error=abs(slope) * p.standard_error)


def _sufficient_afterwards(
    laws: Sequence[NeuronLaw], widths: Sequence[int], needs: Sequence[int]
) -> np.ndarray:
    """P(every layer has enough neurons | k of the first are active), k = 0..N_1."""
    value = (np.arange(widths[-1] + 1) >= needs[-1]).astype(float)
    for t in range(len(widths) - 1, 0, -1):
        fan_in = widths[t - 1]
        alive = range(needs[t - 1], fan_in + 1)
        dead = np.exp([laws[t].log_permanent(fan_in, k) for k in alive])
        before = np.zeros(fan_in + 1)
        before[needs[t - 1] :] = binomial_pmf(dead, widths[t])[:, ::-1] @ value
        value = before
    return value


def _complement(p: Probability) -> Probability:
    return replace(p, value=1 - p.value)


def _product(factors: Sequence[Probability]) -> Probability:
    """Product of independent estimates; its method is that of the least exact factor."""
    notes = dict.fromkeys(p.note for p in factors if p.note)
    value = math.prod(p.value for p in factors)
    relative = math.hypot(*(p.standard_error / p.value if p.value else 0.0 for p in factors))
    order = [CLOSED_FORM, QUADRATURE, RAO_BLACKWELL, SAMPLING]
    method = max((p.method for p in factors), key=order.index)
    return Probability(value, value * relative, method, ", ".join(notes))


def _sampled(
    scheme_or_law: HasLaw | NeuronLaw,
    domain: Domain,
    widths: Sequence[int],
    needs: Sequence[int],
    closed: bool,
    n_samples: int,
    rng: np.random.Generator,
) -> Probability:
    """Share of trainable networks among sampled ones; `closed` under gradient training or not."""
    data, note = None, ""
    if not isinstance(scheme_or_law, NeuronLaw):
        data, note = training_inputs(scheme_or_law, domain, rng)
    cost = max(n * m for n, m in zip(widths, (support_cost(domain), *widths[:-1]), strict=True))
    outcomes = []
    for n in chunks(n_samples, cost):
        trainable = np.ones(n, dtype=bool)
        alive: np.ndarray | None = None
        layers = network_layers(scheme_or_law, domain.d, widths, n, rng, data)
        for (w, b), need in zip(layers, needs, strict=True):
            if alive is None:
                alive = b + domain.support(w) > 0
            else:
                harmless = w <= 0 if not closed else (w <= 0) | ~alive[:, None]
                alive = (b > 0) | ~harmless.all(axis=2)
            trainable &= alive.sum(axis=1) >= need
        outcomes.append(trainable.astype(float))
    return estimate(np.concatenate(outcomes), 1 / n_samples, SAMPLING, note)
