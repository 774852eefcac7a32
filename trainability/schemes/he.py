"""He initialization, also called Kaiming initialization."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from trainability.lazy import numpy as np
from trainability.schemes.base import Layer, Scheme, settle
from trainability.theory import laws


@dataclass(frozen=True)
class He(Scheme):
    """Weights of variance 2 / fan_in, which keeps the scale of ReLU activations over depth.

    Weights are i.i.d. N(0, 2 / fan_in), or uniform on +-sqrt(6 / fan_in); biases are i.i.d.
    N(0, bias_std^2). Every layer is drawn so, the output layer too.

    Args:
        distribution: "normal" or "uniform". The default is the paper's.
        bias_std: Standard deviation of the biases, >= 0. The default 0 is the paper's.

    Source: He, Zhang, Ren & Sun (2015), "Delving deep into rectifiers", section 2.2 (forward
    propagation), which leaves biases at 0.
    """

    distribution: Literal["normal", "uniform"] = "normal"
    bias_std: float = 0.0

    def __post_init__(self) -> None:
        settle(self, one_of={"distribution": ("normal", "uniform")}, at_least={"bias_std": 0})

    def draw(self, layer: Layer, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        shape = (layer.n_networks, layer.fan_out, layer.fan_in)
        if self.distribution == "normal":
            weight = rng.normal(0.0, math.sqrt(2 / layer.fan_in), shape)
        else:
            half_width = math.sqrt(6 / layer.fan_in)
            weight = rng.uniform(-half_width, half_width, shape)
        return weight, rng.normal(0.0, self.bias_std, shape[:2])

    def law(self, fan_in: int, fan_out: int) -> laws.NeuronLaw:
        if self.distribution == "normal":
            return laws.Gaussian(math.sqrt(2 / fan_in), self.bias_std)
        return laws.UniformWeights(math.sqrt(6 / fan_in), self.bias_std)
