"""Sign flipping: at least half of the living training points survive every layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trainability.checks import shown
from trainability.errors import InputError
from trainability.lazy import numpy as np
from trainability.schemes.base import Layer, Scheme, draw_layer


@dataclass(frozen=True)
class SignFlipped(Scheme):
    """Another scheme, with a layer's W and b negated where that keeps more training points alive.

    A training point lives as long as every hidden layer so far has a neuron that is active at it.
    Layer by layer, in every network for itself: when fewer than half of the points that still
    live would survive the layer, W and b are negated. A point that dies both ways has W x + b = 0,
    which for continuous laws happens only at x = 0 without biases; without such points at least
    half survive, so at least 2^-k of the points live after k layers. The output layer is as the
    wrapped scheme draws it: no ReLU follows.

    Args:
        scheme: The scheme that draws the layers.

    Source: Rister & Rubin (2020), "Probabilistic bounds on neuron death in deep rectifier
    networks", the sign flipping scheme.
    """

    scheme: Scheme

    needs_data: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not isinstance(self.scheme, Scheme):
            raise InputError(
                f"SignFlipped scheme must be a scheme, such as SignFlipped(He()), "
                f"got {shown(self.scheme)}"
            )

    def draw(self, layer: Layer, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        weight, bias = draw_layer(self.scheme, layer, rng)
        if layer.is_output:
            return weight, bias
        assert layer.inputs is not None and layer.living is not None
        active = layer.inputs @ weight.transpose(0, 2, 1) + bias[:, None] > 0
        n_surviving = (active.any(axis=2) & layer.living).sum(axis=1)
        sign = np.where(2 * n_surviving < layer.living.sum(axis=1), -1.0, 1.0)
        return sign[:, None, None] * weight, sign[:, None] * bias
