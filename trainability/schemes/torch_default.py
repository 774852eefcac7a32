"""What PyTorch does when nobody says otherwise."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainability.lazy import numpy as np
from trainability.schemes.base import Layer, Scheme
from trainability.theory import laws


@dataclass(frozen=True)
class TorchDefault(Scheme):
    """Weights and biases i.i.d. uniform on +-1/sqrt(fan_in), in every layer.

    Source: `torch.nn.Linear.reset_parameters`, whose `kaiming_uniform_(a=sqrt(5))` is this law.
    """

    def draw(self, layer: Layer, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        shape = (layer.n_networks, layer.fan_out, layer.fan_in)
        bound = 1 / math.sqrt(layer.fan_in)
        weight = rng.uniform(-bound, bound, shape)
        return weight, rng.uniform(-bound, bound, shape[:2])

    def law(self, fan_in: int, fan_out: int) -> laws.Uniform:
        return laws.Uniform(1 / math.sqrt(fan_in))
