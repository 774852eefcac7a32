"""Laws of the number of neurons of one layer that are active, or permanently dead.

The neurons of a layer are independent for every law but the orthogonal one, so that the count is
binomial. Orthogonal rows depend on each other: given the rows the neurons are independent, since
their biases are, so the count is Poisson-binomial, averaged over sampled rows (Rao-Blackwell).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from trainability import seeds
from trainability.domains import Domain
from trainability.errors import InputError, refuse
from trainability.theory.checks import count_problem, domain_problem
from trainability.theory.drawing import (
    HasLaw,
    chunks,
    hidden_layers,
    law_of,
    support_cost,
    training_inputs,
)
from trainability.theory.laws import NeuronLaw
from trainability.theory.layer import Layer
from trainability.theory.probability import CLOSED_FORM, RAO_BLACKWELL, SAMPLING, Probability
from trainability.theory.questions.born_dead import born_dead_probability
from trainability.theory.questions.permanent import permanent_probability


@dataclass(frozen=True)
class CountLaw:
    """Probabilities of the counts 0, 1, ..., width; `numpy.asarray` of it gives `pmf`.

    Args:
        pmf: Probability of every count, shape (width + 1,).
        standard_error: Of every probability, same shape; 0 where nothing was sampled.
        tail_error: Standard error of P(count >= k) for every k, same shape.
        method: As in `Probability`; of the probability that a binomial law is built on.
        note: As in `Probability`.
    """

    pmf: np.ndarray
    standard_error: np.ndarray
    tail_error: np.ndarray
    method: str
    note: str = ""

    def at_least(self, k: int) -> Probability:
        """P(count >= k), 0 <= k <= width."""
        p, error = float(self.pmf[k:].sum()), float(self.tail_error[k])
        return Probability(p, error, self.method, self.note)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.pmf, dtype=dtype, copy=copy)


def active_count_pmf(
    scheme_or_law: HasLaw | NeuronLaw,
    domain: Domain,
    width: int,
    *,
    n_samples: int = 2**14,
    seed: int = 0,
) -> CountLaw:
    """Law of the number of neurons of the first layer that are not dead on the domain.

    Binomial(width, 1 - p) with p from `born_dead_probability`; for orthogonal rows exactly so on
    a ball with width <= d, where a neuron's death depends on its bias alone, else an average over
    sampled rows; for a scheme without a law, the counts of sampled layers.

    Args:
        scheme_or_law: An initialization scheme, or the law of its neurons.
        domain: Where inputs live.
        width: Neurons of the layer, >= 1.
        n_samples: Layers to sample where nothing is known in closed form, >= 2.
        seed: Seed of that sampling, >= 0.

    >>> from trainability.theory.laws import Gaussian
    >>> from trainability.domains import Ball
    >>> active_count_pmf(Gaussian(1.0, 1.0), Ball(1, 1.0), 2).pmf.round(12).tolist()
    [0.0625, 0.375, 0.5625]
    """
    owner = "active_count_pmf"
    refuse(
        domain_problem(owner, domain)
        + count_problem(owner, "width", width)
        + count_problem(owner, "n_samples", n_samples, 2)
        + count_problem(owner, "seed", seed, 0)
    )
    law = law_of(scheme_or_law, domain.d, width)
    rng = seeds.stream(seed, f"{law or scheme_or_law!r} on {domain!r}, {width}", "sampling")
    if law is None:
        assert not isinstance(scheme_or_law, NeuronLaw)
        return _sampled_counts(scheme_or_law, domain, width, n_samples, rng)
    if not law.dies_independently(domain, width):
        return _dependent_counts(law, domain, width, n_samples, rng)
    p = born_dead_probability(law, domain, width, n_samples=max(n_samples, 2**16), seed=seed)
    return binomial_survivors(p, width)


def permanent_count_pmf(
    scheme_or_law: HasLaw | NeuronLaw,
    fan_in: int,
    width: int,
    *,
    n_samples: int = 2**14,
    seed: int = 0,
) -> CountLaw:
    """Law of the number of permanently dead neurons of a layer after the first, at initialization.

    Binomial; for orthogonal rows with width <= fan_in at most one neuron, since two orthogonal
    rows can't both be negative, so P(one) = width 2^-fan_in, half of that with a bias; for
    width > fan_in, and for a scheme without a law, counts of sampled layers.

    Args:
        scheme_or_law: An initialization scheme, or the law of its neurons.
        fan_in: Neurons of the layer before, >= 1.
        width: Neurons of the layer, >= 1.
        n_samples: Layers to sample where nothing is known in closed form, >= 2.
        seed: Seed of that sampling, >= 0.
    """
    owner = "permanent_count_pmf"
    refuse(
        count_problem(owner, "fan_in", fan_in)
        + count_problem(owner, "width", width)
        + count_problem(owner, "n_samples", n_samples, 2)
        + count_problem(owner, "seed", seed, 0)
    )
    law = law_of(scheme_or_law, fan_in, width)
    if law is not None and width > 1 and law.has_at_most_one_permanent(fan_in, width):
        one = width * float(permanent_probability(law, fan_in))
        pmf = np.zeros(width + 1)
        pmf[:2] = 1 - one, one
        return CountLaw(pmf, np.zeros(width + 1), np.zeros(width + 1), CLOSED_FORM)
    if law is not None and (law.has_independent_rows or width == 1):
        pmf = binomial_pmf(np.array([float(permanent_probability(law, fan_in))]), width)[0]
        return CountLaw(pmf, np.zeros(width + 1), np.zeros(width + 1), CLOSED_FORM)
    rng = seeds.stream(seed, f"{law or scheme_or_law!r} permanent {fan_in} {width}", "sampling")
    counts = []
    for n in chunks(n_samples, fan_in * width):
        if law is not None:
            w, b = law.sample_layer(n, fan_in, width, rng)
        else:
            assert not isinstance(scheme_or_law, NeuronLaw)
            if getattr(scheme_or_law, "needs_data", False):
                raise InputError(
                    f"{scheme_or_law} draws layers for training data, so its layers have no law "
                    f"of their own; use trainability_probability, which draws whole networks"
                )
            w, b = scheme_or_law.draw(Layer(n, 2, 3, fan_in, width), rng)
        counts.append(((w <= 0).all(axis=2) & (b <= 0)).sum(axis=1))
    return _observed(np.concatenate(counts), width)


def binomial_survivors(p: Probability, n: int) -> CountLaw:
    """Law of n - D, D ~ Binomial(n, p)."""
    pmf = binomial_pmf(np.array([p.value]), n)[0][::-1]
    # d/dp P(n - D >= k) = -n P(n - 1 - D' = k - 1), D' ~ Binomial(n - 1, p)
    fewer = binomial_pmf(np.array([p.value]), n - 1)[0][::-1]
    tail_slope = n * np.concatenate([[0.0], fewer, [0.0]])
    error = np.abs(np.diff(tail_slope)) * p.standard_error
    return CountLaw(pmf, error, tail_slope[:-1] * p.standard_error, p.method, p.note)


def binomial_pmf(p: np.ndarray, n: int) -> np.ndarray:
    """P(D = 0), ..., P(D = n) for D ~ Binomial(n, p), p of shape (K,): shape (K, n + 1)."""
    k = np.arange(n + 1)
    choose = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    column = p[:, None]
    return np.exp(choose + special.xlogy(k, column) + special.xlog1py(n - k, -column))


def _sampled_counts(
    scheme: HasLaw, domain: Domain, width: int, n_samples: int, rng: np.random.Generator
) -> CountLaw:
    data, note = training_inputs(scheme, domain, rng)
    counts = []
    for n in chunks(n_samples, width * support_cost(domain)):
        w, b = next(hidden_layers(scheme, domain.d, [width], n, rng, data))
        counts.append((b + domain.support(w) > 0).sum(axis=1))
    return _observed(np.concatenate(counts), width, note)


def _observed(counts: np.ndarray, width: int, note: str = "") -> CountLaw:
    n = len(counts)
    pmf = np.bincount(counts, minlength=width + 1) / n
    tail = np.cumsum(pmf[::-1])[::-1]
    error, tail_error = (
        np.maximum(np.sqrt(np.maximum(share * (1 - share), 0) / (n - 1)), 1 / n)
        for share in (pmf, tail)
    )
    tail_error[0] = 0.0
    return CountLaw(pmf, error, tail_error, SAMPLING, note)


def _dependent_counts(
    law: NeuronLaw, domain: Domain, width: int, n_samples: int, rng: np.random.Generator
) -> CountLaw:
    moments = np.zeros((4, width + 1))
    for n in chunks(n_samples, width * (width + support_cost(domain))):
        w, _, log_below = law.sample_given(n, domain.d, width, rng)
        dead = np.exp(log_below(-domain.support(w)))
        pmf = np.zeros((n, width + 1))
        pmf[:, 0] = 1.0
        for neuron in range(width):
            q = dead[:, neuron, None]
            moved = pmf[:, :-1] * (1 - q)
            pmf *= q
            pmf[:, 1:] += moved
        tail = np.cumsum(pmf[:, ::-1], axis=1)[:, ::-1]
        moments += np.stack([pmf, pmf**2, tail, tail**2]).sum(axis=1)
    mean, square, tail_mean, tail_square = moments / n_samples
    error, tail_error = (
        np.maximum(np.sqrt(np.maximum(second - first**2, 0) / (n_samples - 1)), 1 / n_samples)
        for first, second in ((mean, square), (tail_mean, tail_square))
    )
    tail_error[0] = 0.0
    return CountLaw(mean, error, tail_error, RAO_BLACKWELL)
