"""What the theory sees of a scheme: the law of a neuron or, without one, samples of its layers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from trainability.domains import Domain, Points
from trainability.errors import InputError
from trainability.theory.laws import NeuronLaw
from trainability.theory.layer import Layer
from trainability.theory.probability import Probability

_CHUNK_NUMBERS = 2**22
_N_DATA = 256
"""Points drawn from a ball or box for a scheme that looks at data."""


class HasLaw(Protocol):
    """An initialization scheme, as `trainability.schemes.Scheme` is one."""

    needs_data: ClassVar[bool]

    def law(self, fan_in: int, fan_out: int) -> NeuronLaw | None: ...

    def draw(self, layer: Any, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]: ...


def law_of(scheme_or_law: HasLaw | NeuronLaw, fan_in: int, width: int | None) -> NeuronLaw | None:
    """The law of a neuron with `fan_in` inputs in a layer of `width` neurons, None if unknown.

    A law that depends on the width takes it on: it is given for a layer of any shape.
    """
    if isinstance(scheme_or_law, NeuronLaw):
        return scheme_or_law if width is None else scheme_or_law.of_width(width)
    is_scheme = all(callable(getattr(scheme_or_law, name, None)) for name in ("law", "draw"))
    if isinstance(scheme_or_law, type) or not is_scheme:
        raise InputError(
            f"wanted a scheme, such as trainability.schemes.He(), or the law of a neuron, such as "
            f"trainability.theory.Gaussian(1.0, 1.0), got {scheme_or_law!r}"
        )
    if width is not None:
        return scheme_or_law.law(fan_in, width)
    law = scheme_or_law.law(fan_in, 1)
    if law is None or law != scheme_or_law.law(fan_in, 2 * fan_in + 1):
        reason = "states no law" if law is None else "has a law that depends on the layer's width"
        raise InputError(f"got no width, but {scheme_or_law} {reason}; pass width=")
    return law


def laws_of(
    scheme_or_law: HasLaw | NeuronLaw, d: int, widths: Sequence[int]
) -> list[NeuronLaw | None]:
    """The law of every hidden layer of a network with d inputs."""
    fan_ins = (d, *widths)
    return [law_of(scheme_or_law, fan_in, n) for fan_in, n in zip(fan_ins, widths, strict=False)]


def hidden_layers(
    scheme: HasLaw,
    d: int,
    widths: Sequence[int],
    n_networks: int,
    rng: np.random.Generator,
    data: np.ndarray | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Weights and biases of the hidden layers, first to last, of networks drawn from a scheme.

    Args:
        scheme: The scheme.
        d: Inputs of the first layer.
        widths: Neurons of every hidden layer.
        n_networks: R.
        rng: The stream.
        data: Training inputs, shape (N, d), for a scheme that looks at them.

    Yields:
        W of shape (R, fan_out, fan_in) and b of shape (R, fan_out).
    """
    inputs = living = None
    if data is not None:
        inputs, living = data[None], np.ones((1, len(data)), dtype=bool)
    fan_in = d
    for index, fan_out in enumerate(widths, 1):
        layer = Layer(
            n_networks=n_networks,
            index=index,
            depth=len(widths) + 1,
            fan_in=fan_in,
            fan_out=fan_out,
            inputs=inputs,
            living=living,
            training_inputs=data,
            target_mean_square=None if data is None else 1.0,
        )
        w, b = scheme.draw(layer, rng)
        yield w, b
        if inputs is not None and living is not None:
            inputs = np.maximum(inputs @ w.transpose(0, 2, 1) + b[:, None], 0)
            living = living & (inputs > 0).any(axis=2)
        fan_in = fan_out


def training_inputs(
    scheme: HasLaw, domain: Domain, rng: np.random.Generator
) -> tuple[np.ndarray | None, str]:
    """Training inputs for a scheme that looks at them, and a note for `Probability`."""
    if not getattr(scheme, "needs_data", False):
        return None, ""
    if isinstance(domain, Points):
        return domain.x, ""
    return domain.sample(rng, _N_DATA), f"with {_N_DATA} points of the domain as training data"


def chunks(n: int, numbers_each: int) -> Iterator[int]:
    """Sizes that add up to n, each small enough that its numbers fit into memory."""
    size = max(1, _CHUNK_NUMBERS // numbers_each)
    for start in range(0, n, size):
        yield min(size, n - start)


def support_cost(domain: Domain) -> int:
    """Numbers that a support function holds in memory per weight vector."""
    return domain.d + (len(domain.x) if isinstance(domain, Points) else 0)


def estimate(outcomes: np.ndarray, least_error: float, method: str, note: str = "") -> Probability:
    """Mean of independent outcomes in [0, 1] and its standard error.

    The error is at least `least_error`: an event that was never seen, or always, may still not be
    impossible, or certain.
    """
    error = float(outcomes.std(ddof=1)) / math.sqrt(len(outcomes))
    return Probability(float(outcomes.mean()), max(error, least_error), method, note)
