"""Randomized asymmetric initialization (RAI)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainability.lazy import numpy as np
from trainability.schemes.base import Layer, Scheme, settle
from trainability.theory import laws


@dataclass(frozen=True)
class RandomizedAsymmetric(Scheme):
    """One entry of every neuron's (w, b) is positive, so that deep networks are born dead rarely.

    The fan_in + 1 entries of (w, b) are i.i.d. N(0, sigma^2 / fan_in), bias included; then one of
    them, chosen uniformly, is replaced by a Beta(2, 1) draw, which lies in (0, 1). In a layer
    after the first a neuron therefore never has only negative weights and bias: none is
    permanently dead by its own signs.

    Every layer is drawn so, the output layer too: the paper's listing draws a layer from fan_in
    and fan_out alone and makes no exception. No ReLU follows the output layer, so its asymmetry
    changes the scale of the first outputs, not who is dead.

    Args:
        sigma: Scale of the Gaussian entries, > 0. The default is the paper's rounding of
            sqrt(1 + 8/(9 pi)) - 2 sqrt(2)/(3 sqrt(pi)) = 0.60074731, which keeps the second
            moment of the activations over depth.

    Source: Lu, Shin, Su & Karniadakis (2020), "Dying ReLU and initialization", the section that
    proposes RAI, and its listing in the appendix.
    """

    sigma: float = 0.6007

    def __post_init__(self) -> None:
        settle(self, above={"sigma": 0})

    def draw(self, layer: Layer, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        rows = (layer.n_networks, layer.fan_out)
        row = rng.normal(0.0, self.sigma / math.sqrt(layer.fan_in), (*rows, layer.fan_in + 1))
        chosen = rng.integers(layer.fan_in + 1, size=(*rows, 1))
        np.put_along_axis(row, chosen, rng.beta(2, 1, size=(*rows, 1)), axis=2)
        return row[:, :, :-1], row[:, :, -1]

    def law(self, fan_in: int, fan_out: int) -> laws.Asymmetric:
        return laws.Asymmetric(self.sigma)
