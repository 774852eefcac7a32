"""Sampling neurons from a law, and death given what was sampled."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from trainability.domains import Domain
from trainability.theory.drawing import (
    HasLaw,
    chunks,
    estimate,
    hidden_layers,
    support_cost,
    training_inputs,
)
from trainability.theory.laws import (
    NeuronLaw,
)
from trainability.theory.probability import RAO_BLACKWELL, SAMPLING, Probability


def rao_blackwell(
    law: NeuronLaw, domain: Domain, n_samples: int, rng: np.random.Generator, log: bool
) -> Probability:
    """E over w of P(b <= -h(w)), the expectation sampled, the probability exact."""
    log_q = np.concatenate(
        [law.log_conditional(domain, n, rng) for n in chunks(n_samples, support_cost(domain))]
    )
    peak = float(log_q.max())
    if peak == -math.inf:
        # No death possible at any of the weights: still not a proof that there is none.
        return (
            Probability(-math.inf, math.inf, RAO_BLACKWELL)
            if log
            else Probability(0.0, 1 / n_samples, RAO_BLACKWELL)
        )
    scaled = estimate(np.exp(log_q - peak), 0.0, RAO_BLACKWELL)
    if log:
        relative = scaled.standard_error / scaled.value
        return Probability(peak + math.log(scaled.value), relative, RAO_BLACKWELL)
    unit = math.exp(peak)
    return Probability(unit * scaled.value, unit * scaled.standard_error, RAO_BLACKWELL)


def sampled_death(
    scheme: HasLaw, domain: Domain, width: int, n_samples: int, rng: np.random.Generator
) -> Probability:
    """Share of dead neurons in first layers drawn from a scheme.

    The neurons of a layer may depend on each other, so the error is that of the mean over
    networks.
    """
    n_networks = max(2, math.ceil(n_samples / width))
    data, note = training_inputs(scheme, domain, rng)
    share = []
    for n in chunks(n_networks, width * support_cost(domain)):
        w, b = next(hidden_layers(scheme, domain.d, [width], n, rng, data))
        share.append((b + domain.support(w) <= 0).mean(axis=1))
    return estimate(np.concatenate(share), 1 / (n_networks * width), SAMPLING, note)


def network_layers(
    scheme_or_law: HasLaw | NeuronLaw,
    d: int,
    widths: Sequence[int],
    n_networks: int,
    rng: np.random.Generator,
    data: np.ndarray | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Hidden layers of networks drawn from a scheme, as `drawing.hidden_layers`, or from a law."""
    if not isinstance(scheme_or_law, NeuronLaw):
        yield from hidden_layers(scheme_or_law, d, widths, n_networks, rng, data)
        return
    for fan_in, fan_out in zip((d, *widths), widths, strict=False):
        yield scheme_or_law.sample_layer(n_networks, fan_in, fan_out, rng)
