"""Sampling neurons from a law, and death given what was sampled."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import special

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
    Asymmetric,
    Gaussian,
    NeuronLaw,
    OrthogonalRows,
    Uniform,
    UniformWeights,
)
from trainability.theory.probability import RAO_BLACKWELL, SAMPLING, Probability


def rao_blackwell(
    law: NeuronLaw, domain: Domain, n_samples: int, rng: np.random.Generator, log: bool
) -> Probability:
    """E over w of P(b <= -h(w)), the expectation sampled, the probability exact.

    For Gaussian weights and bias only the direction of w is sampled; its length and the bias are
    integrated together: P(T_d >= sqrt(d) kappa h(direction)), Student t with d degrees of freedom.
    """
    log_q = np.concatenate(
        [_log_conditional(law, domain, n, rng) for n in chunks(n_samples, support_cost(domain))]
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


def _log_conditional(
    law: NeuronLaw, domain: Domain, n: int, rng: np.random.Generator
) -> np.ndarray:
    """log P(dead | what was sampled), shape (n,)."""
    d = domain.d
    with np.errstate(divide="ignore"):
        if isinstance(law, Gaussian) and law.bias_std > 0:
            direction = rng.standard_normal((n, d))
            direction /= np.linalg.norm(direction, axis=1, keepdims=True)
            kappa = law.weight_std / law.bias_std
            return np.log(special.stdtr(d, -math.sqrt(d) * kappa * domain.support(direction)))
        if isinstance(law, Asymmetric):
            std = law.sigma / math.sqrt(d)
            w = std * rng.standard_normal((n, d))
            with_bias = np.clip(-domain.support(w), 0, 1) ** 2
            w[np.arange(n), rng.integers(d, size=n)] = rng.beta(2, 1, n)
            with_weight = special.log_ndtr(-domain.support(w) / std)
            return np.logaddexp(with_weight + math.log(d), np.log(with_bias)) - math.log(d + 1)
        w = sample_rows(law, n, d, rng)
        return log_bias_below(law, -domain.support(w))


def sample_rows(law: NeuronLaw, n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """Weights of n independent neurons, shape (n, d); for symmetric laws."""
    if isinstance(law, UniformWeights):
        return rng.uniform(-law.half_width, law.half_width, (n, d))
    if isinstance(law, Uniform):
        return rng.uniform(-law.bound, law.bound, (n, d))
    w = rng.standard_normal((n, d))
    if isinstance(law, OrthogonalRows):
        length = np.full((n, 1), float(law.gain))
        if law.fan_out > d:
            length *= np.sqrt(rng.beta(d / 2, (law.fan_out - d) / 2, (n, 1)))
        return w * (length / np.linalg.norm(w, axis=1, keepdims=True))
    assert isinstance(law, Gaussian)
    return law.weight_std * w


def log_bias_below(law: NeuronLaw, limit: np.ndarray) -> np.ndarray:
    """log P(b <= limit), elementwise, for laws whose bias is independent of the weights."""
    if isinstance(law, Uniform):
        with np.errstate(divide="ignore"):
            return np.log(np.clip((1 + limit / law.bound) / 2, 0, 1))
    assert isinstance(law, Gaussian | UniformWeights | OrthogonalRows)
    if law.bias_std == 0:
        return np.where(limit >= 0, 0.0, -np.inf)
    return special.log_ndtr(limit / law.bias_std)


def orthogonal_layers(
    law: OrthogonalRows, n_networks: int, fan_in: int, fan_out: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (R, fan_out, fan_in) and biases (R, fan_out) of orthogonal layers.

    QR with the signs of R's diagonal multiplied in, without which it is not Haar (Mezzadri 2007).
    """
    tall = (max(fan_in, fan_out), min(fan_in, fan_out))
    q, r = np.linalg.qr(rng.standard_normal((n_networks, *tall)))
    q *= np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]
    w = q if fan_out >= fan_in else q.transpose(0, 2, 1)
    return law.gain * w, law.bias_std * rng.standard_normal((n_networks, fan_out))


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
        yield sample_layer(scheme_or_law, n_networks, fan_in, fan_out, rng)


def sample_layer(
    law: NeuronLaw, n_networks: int, fan_in: int, fan_out: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (R, fan_out, fan_in) and biases (R, fan_out) of layers with this law.

    An orthogonal layer takes its shape from the arguments, whatever the law's fan_out.
    """
    if isinstance(law, OrthogonalRows):
        return orthogonal_layers(law, n_networks, fan_in, fan_out, rng)
    if isinstance(law, Asymmetric):
        return sample_asymmetric(law, n_networks, fan_in, fan_out, rng)[:2]
    shape = (n_networks, fan_out)
    w = sample_rows(law, n_networks * fan_out, fan_in, rng).reshape(*shape, fan_in)
    if isinstance(law, Uniform):
        return w, rng.uniform(-law.bound, law.bound, shape)
    assert isinstance(law, Gaussian | UniformWeights)
    return w, law.bias_std * rng.standard_normal(shape)


def sample_asymmetric(
    law: Asymmetric, n_networks: int, fan_in: int, fan_out: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights and biases of RAI, and whether the bias is the entry that is Beta, (R, fan_out)."""
    shape = (n_networks, fan_out)
    both = law.sigma / math.sqrt(fan_in) * rng.standard_normal((*shape, fan_in + 1))
    chosen = rng.integers(fan_in + 1, size=shape)
    np.put_along_axis(both, chosen[..., None], rng.beta(2, 1, shape)[..., None], axis=2)
    return both[..., :-1], both[..., -1], chosen == fan_in
