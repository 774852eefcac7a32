"""Permanent death after the first layer.

A neuron of layer t > 1 sees non-negative inputs, so no change of the layers before it can revive
it iff all its weights and its bias are <= 0 (Shin & Karniadakis 2020, permanent and tentative
death).
"""

from __future__ import annotations

import math

from trainability import seeds
from trainability.errors import InputError, refuse
from trainability.theory.checks import count_problem
from trainability.theory.drawing import HasLaw, estimate, law_of
from trainability.theory.laws import (
    NeuronLaw,
)
from trainability.theory.layer import Layer
from trainability.theory.probability import CLOSED_FORM, SAMPLING, Probability, from_log, log_of


def permanent_probability(
    scheme_or_law: HasLaw | NeuronLaw,
    fan_in: int,
    width: int | None = None,
    *,
    log: bool = False,
    n_samples: int = 2**16,
    seed: int = 0,
) -> Probability:
    """Probability that a neuron after the first layer is permanently dead at initialization.

    2^-(fan_in + 1) for weights and bias with symmetric signs, 2^-fan_in without a bias; 0 for
    RAI, where one of them is positive, and for kinks at data, where a neuron with weights <= 0
    has a bias > 0. An orthogonal row has symmetric signs too, so the same holds for each of its
    neurons; but they are not independent: with fan_out <= fan_in at most one of a layer is
    permanently dead, since orthogonal rows can't both be negative.

    Args:
        scheme_or_law: An initialization scheme, or the law of its neurons.
        fan_in: Neurons of the layer before, >= 1.
        width: Neurons of the layer, >= 1; needed where the scheme states no law.
        log: Return the natural logarithm, which does not underflow.
        n_samples: Neurons to draw from a scheme that states no law, >= 2.
        seed: Seed of those draws, >= 0.

    >>> from trainability.theory.laws import Gaussian
    >>> float(permanent_probability(Gaussian(1.0, 1.0), 3))
    0.0625
    """
    owner = "permanent_probability"
    problems = count_problem(owner, "fan_in", fan_in)
    problems += [] if width is None else count_problem(owner, "width", width)
    problems += count_problem(owner, "n_samples", n_samples, 2)
    refuse(problems + count_problem(owner, "seed", seed, 0))
    # A law's scales have no say in the signs, so without a width any will do.
    law = law_of(scheme_or_law, fan_in, width or 1)
    if law is not None:
        return from_log(law.log_permanent(fan_in, fan_in), CLOSED_FORM, log)
    if width is None:
        raise InputError(f"got no width, but {scheme_or_law} states no law; pass width=")
    assert not isinstance(scheme_or_law, NeuronLaw)
    sampled = _sampled(scheme_or_law, fan_in, width, n_samples, seed)
    return log_of(sampled) if log else sampled


def _sampled(scheme: HasLaw, fan_in: int, width: int, n_samples: int, seed: int) -> Probability:
    """Share of neurons with weights and bias <= 0 in second layers drawn from a scheme."""
    if getattr(scheme, "needs_data", False):
        raise InputError(
            f"{scheme} draws layers for training data, so its layers have no law of their own; "
            f"use trainability_probability, which draws whole networks"
        )
    rng = seeds.stream(seed, f"{scheme!r} permanent {fan_in} {width}", "sampling")
    n_networks = max(2, math.ceil(n_samples / width))
    w, b = scheme.draw(Layer(n_networks, 2, 3, fan_in, width), rng)
    dead = ((w <= 0).all(axis=2) & (b <= 0)).mean(axis=1)
    return estimate(dead, 1 / (n_networks * width), SAMPLING)
