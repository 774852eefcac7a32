"""The layer that a scheme is asked to draw."""

from __future__ import annotations

from dataclasses import dataclass

from trainability.lazy import numpy as np


@dataclass(frozen=True)
class Layer:
    """The layer to draw, for R networks at once.

    Args:
        n_networks: R, how many networks to draw.
        index: 1 for the first hidden layer, `depth` for the output layer.
        depth: L, the number of affine layers.
        fan_in: Inputs of the layer.
        fan_out: Its neurons.
        inputs: What the layer sees at the training points, shape (R, N, fan_in), or (1, N,
            fan_in) where it is the same for all networks. This and what follows is None unless
            `Scheme.needs_data`.
        living: Whether each training point has had an active neuron in every hidden layer so
            far; bool, shape (R, N), or (1, N) where it is the same for all networks.
        training_inputs: The training points themselves, shape (N, d_in). None, too, where more
            than affine layers and ReLU lies between them and this layer, as may be in a module
            of the user's, or where they are too many to look at all pairs of them.
        target_mean_square: Mean over the training points of |y|^2, the sum over the outputs.
        kernel: Shape of a convolution's kernel, such as (3, 3); () for a fully connected layer.
            The fan_in weights of a neuron are then of shape (fan_in // prod(kernel), *kernel) in
            row-major order, by input channel of the group, and an input feeds about
            fan_out * prod(kernel) neurons where the stride is 1.
        name: The layer's name in a module of the user's, such as "features.0"; else "".
    """

    n_networks: int
    index: int
    depth: int
    fan_in: int
    fan_out: int
    inputs: np.ndarray | None = None
    living: np.ndarray | None = None
    training_inputs: np.ndarray | None = None
    target_mean_square: float | None = None
    kernel: tuple[int, ...] = ()
    name: str = ""

    @property
    def is_output(self) -> bool:
        return self.index == self.depth
