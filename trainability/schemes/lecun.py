"""LeCun initialization."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainability.lazy import numpy as np
from trainability.schemes.base import Layer, Scheme, settle
from trainability.theory import laws


@dataclass(frozen=True)
class LeCun(Scheme):
    """Weights of variance 1 / fan_in, which keeps the scale of linear activations over depth.

    Weights are i.i.d. N(0, 1 / fan_in), biases i.i.d. N(0, bias_std^2). Every layer is drawn so,
    the output layer too.

    Args:
        bias_std: Standard deviation of the biases, >= 0. The default 0 is that of PyTorch-like
            libraries; the source does not speak of biases.

    Source: LeCun, Bottou, Orr & Müller (1998), "Efficient BackProp", section 4.6, which asks for
    this variance and leaves the distribution open.
    """

    bias_std: float = 0.0

    def __post_init__(self) -> None:
        settle(self, at_least={"bias_std": 0})

    def draw(self, layer: Layer, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        shape = (layer.n_networks, layer.fan_out, layer.fan_in)
        weight = rng.normal(0.0, math.sqrt(1 / layer.fan_in), shape)
        return weight, rng.normal(0.0, self.bias_std, shape[:2])

    def law(self, fan_in: int, fan_out: int) -> laws.Gaussian:
        return laws.Gaussian(math.sqrt(1 / fan_in), self.bias_std)
