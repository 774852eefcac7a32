"""Glorot initialization, also called Xavier initialization."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from trainability.lazy import numpy as np
from trainability.schemes.base import Layer, Scheme, settle
from trainability.theory import laws


@dataclass(frozen=True)
class Glorot(Scheme):
    """Weights of variance 2 / (fan_in + fan_out), between the forward and the backward optimum.

    Weights are i.i.d. uniform on +-sqrt(6 / (fan_in + fan_out)), or normal with that variance;
    biases are i.i.d. N(0, bias_std^2). Every layer is drawn so, the output layer too.

    Args:
        distribution: "normal" or "uniform". The default is the paper's.
        bias_std: Standard deviation of the biases, >= 0. The default 0 is the paper's.

    Source: Glorot & Bengio (2010), "Understanding the difficulty of training deep feedforward
    neural networks", the normalized initialization of section 4.2, written for tanh.
    """

    distribution: Literal["normal", "uniform"] = "uniform"
    bias_std: float = 0.0

    def __post_init__(self) -> None:
        settle(self, one_of={"distribution": ("normal", "uniform")}, at_least={"bias_std": 0})

    def draw(self, layer: Layer, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        shape = (layer.n_networks, layer.fan_out, layer.fan_in)
        fans = layer.fan_in + layer.fan_out
        if self.distribution == "normal":
            weight = rng.normal(0.0, math.sqrt(2 / fans), shape)
        else:
            weight = rng.uniform(-math.sqrt(6 / fans), math.sqrt(6 / fans), shape)
        return weight, rng.normal(0.0, self.bias_std, shape[:2])

    def law(self, fan_in: int, fan_out: int) -> laws.NeuronLaw:
        fans = fan_in + fan_out
        if self.distribution == "normal":
            return laws.Gaussian(math.sqrt(2 / fans), self.bias_std)
        return laws.UniformWeights(math.sqrt(6 / fans), self.bias_std)
