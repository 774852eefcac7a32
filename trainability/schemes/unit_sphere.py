"""Every hidden neuron's weights and bias, together, on the unit sphere."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainability.lazy import numpy as np
from trainability.schemes.base import Layer, Scheme
from trainability.theory import laws


@dataclass(frozen=True)
class UnitSphere(Scheme):
    """(w, b) of every hidden neuron is uniform on the unit sphere of R^(fan_in + 1).

    Whether a neuron is born dead depends only on the direction of (w, b), so the law of its death
    is that of standard Gaussian weights and bias. The output layer has no neurons to place: its
    weights are He's, N(0, 2 / fan_in), and its bias is 0.

    Source: Shin & Karniadakis (2020), one of the laws for which they state the probability that
    a neuron is born dead. The law of the output layer is this package's choice.
    """

    def draw(self, layer: Layer, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        if layer.is_output:
            shape = (layer.n_networks, layer.fan_out, layer.fan_in)
            return rng.normal(0.0, math.sqrt(2 / layer.fan_in), shape), np.zeros(shape[:2])
        row = rng.standard_normal((layer.n_networks, layer.fan_out, layer.fan_in + 1))
        row /= np.linalg.norm(row, axis=2, keepdims=True)
        return row[:, :, :-1], row[:, :, -1]

    def law(self, fan_in: int, fan_out: int) -> laws.Gaussian:
        return laws.Gaussian(1.0, 1.0)
