"""Data-dependent initialization: every neuron's kink lies beside a training point."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from trainability.lazy import numpy as np
from trainability.schemes.base import Layer, Scheme, settle
from trainability.theory import laws

_LEAST_MARGIN = 1e-6


@dataclass(frozen=True)
class DataDependent(Scheme):
    """No neuron is born dead: each is active at a training point of its own.

    Hidden layers: w ~ N(0, sigma_in^2 I), a training point x_j drawn uniformly for every neuron,
    b = -w.x_j + |eps|, eps ~ N(0, sigma_e^2), so that the pre-activation at x_j is |eps| > 0. In
    layers after the first, x_j is what the layer sees at a training point in the same network.
    |eps| is raised to 1e-6 of sum_i |w_i x_ji| where it is below, so that rounding to float32
    can't kill a neuron.

    Output layer: bias 0, weights N(0, sigma_out^2), with sigma_out such that the mean of |N(x)|^2
    over the training points equals the mean of |y|^2: in expectation, in closed form, for a
    shallow network; for a deep one given its hidden layers, as
    sigma_out^2 = mean |y|^2 / (n_out * mean |h|^2), h being what the output layer sees.

    Args:
        sigma_in: Standard deviation of the weights, > 0, or None for He's sqrt(2 / fan_in): so
            distances between inputs keep their scale over depth and for any d_in. Only the ratio
            to sigma_e changes the function that a shallow network starts from.
        sigma_e: Scale of the pre-activation at x_j, > 0. The default puts the kink at about a
            twentieth of the distance between two standardized inputs from x_j: close, yet far
            above the rounding of float32.

    Source: Shin & Karniadakis (2020), the section on data-dependent initialization. It treats
    shallow networks; the layers after the first are this package's extension, and the defaults
    are too.
    """

    sigma_in: float | None = None
    sigma_e: float = 0.1

    needs_data: ClassVar[bool] = True

    def __post_init__(self) -> None:
        given = {"sigma_e": 0.0} | ({} if self.sigma_in is None else {"sigma_in": 0.0})
        settle(self, above=given)

    def draw(self, layer: Layer, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        assert layer.inputs is not None
        shape = (layer.n_networks, layer.fan_out, layer.fan_in)
        if layer.is_output:
            scale = self._output_std(layer)
            return scale * rng.standard_normal(shape), np.zeros(shape[:2])
        chosen = rng.integers(layer.inputs.shape[1], size=shape[:2])
        network = np.arange(len(layer.inputs))[:, None]
        points = layer.inputs[network, chosen]
        weight = rng.normal(0.0, self._weight_std(layer.fan_in), shape)
        products = weight * points
        least = _LEAST_MARGIN * np.abs(products).sum(axis=2)
        margin = np.maximum(np.abs(rng.normal(0.0, self.sigma_e, shape[:2])), least)
        return weight, margin - products.sum(axis=2)

    def law(self, fan_in: int, fan_out: int) -> laws.KinkAtData:
        return laws.KinkAtData(self._weight_std(fan_in), self.sigma_e)

    def _weight_std(self, fan_in: int) -> float:
        return math.sqrt(2 / fan_in) if self.sigma_in is None else self.sigma_in

    def _output_std(self, layer: Layer) -> np.ndarray:
        """Standard deviation of the output weights, shape (R, 1, 1) or (1, 1, 1)."""
        assert layer.inputs is not None and layer.target_mean_square is not None
        x = layer.training_inputs
        if layer.depth == 2 and x is not None:
            from scipy.spatial.distance import cdist  # its import takes a while

            from trainability.theory import kink_moments

            moments = kink_moments(cdist(x, x), self._weight_std(x.shape[1]), self.sigma_e)
            hidden = layer.fan_in * moments.mean_square.mean(keepdims=True)
        else:
            hidden = np.square(layer.inputs).sum(axis=2).mean(axis=1)
        return np.sqrt(layer.target_mean_square / (layer.fan_out * hidden)).reshape(-1, 1, 1)
