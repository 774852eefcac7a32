"""An ensemble: equal-shaped networks as stacked tensors, forward pass only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trainability.activations import RELU, Activation
from trainability.arithmetic import ARRAYS
from trainability.arithmetic.tensors import TENSORS
from trainability.schemes.base import Layer, Scheme, draw_layer


@dataclass(frozen=True)
class Ensemble:
    """R fully connected networks of the same shape, float32, on one device.

    Args:
        weights: One tensor per affine layer, shape (R, fan_out, fan_in).
        biases: One tensor per affine layer, shape (R, fan_out).
        activation: Of the hidden neurons.
        learnable: The learnable numbers of the activation, one tensor per hidden layer, shape
            (R, numbers); by default their first values, and empty where it has none.
    """

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]
    activation: Activation = RELU
    learnable: tuple[Tensor, ...] = ()

    def __post_init__(self) -> None:
        first = self.activation.learnable
        if first and not self.learnable:
            values = torch.tensor(first, dtype=torch.float32, device=self.device)
            layers = tuple(values.repeat(self.n_networks, 1) for _ in self.widths)
            object.__setattr__(self, "learnable", layers)

    @property
    def parameters(self) -> list[Tensor]:
        """All that training moves: W1, b1, W2, b2, ..., then the activation's learnable numbers.

        Only weights have three axes.
        """
        pairs = zip(self.weights, self.biases, strict=True)
        return [*(tensor for pair in pairs for tensor in pair), *self.learnable]

    def with_parameters(self, parameters: Sequence[Tensor]) -> Ensemble:
        """The same with other `parameters`, also of another number of networks."""
        affine, learnable = parameters[: 2 * self.depth], parameters[2 * self.depth :]
        return Ensemble(tuple(affine[::2]), tuple(affine[1::2]), self.activation, tuple(learnable))

    @property
    def n_networks(self) -> int:
        return self.weights[0].shape[0]

    @property
    def depth(self) -> int:
        """L, the number of affine layers."""
        return len(self.weights)

    @property
    def widths(self) -> tuple[int, ...]:
        """Neurons of every hidden layer."""
        return tuple(weight.shape[1] for weight in self.weights[:-1])

    @property
    def d_in(self) -> int:
        return self.weights[0].shape[2]

    @property
    def d_out(self) -> int:
        return self.weights[-1].shape[1]

    @property
    def sizes(self) -> tuple[int, ...]:
        """d_in, the hidden widths, d_out."""
        return (self.d_in, *self.widths, self.d_out)

    @property
    def device(self) -> torch.device:
        return self.weights[0].device

    def __call__(self, x: Tensor) -> Tensor:
        """Outputs at the points x of shape (N, d_in): shape (R, N, d_out)."""
        h = x.expand(self.n_networks, *x.shape)
        for layer, (weight, bias) in enumerate(
            zip(self.weights[:-1], self.biases[:-1], strict=True)
        ):
            z = torch.baddbmm(bias.unsqueeze(1), h, weight.mT)
            numbers = numbers_of(self.learnable[layer]) if self.learnable else []
            h = self.activation.value_at(TENSORS, z, numbers)
        return torch.baddbmm(self.biases[-1].unsqueeze(1), h, self.weights[-1].mT)

    def __getitem__(self, index: Tensor | np.ndarray | slice | Sequence[int]) -> Ensemble:
        """The networks at `index`, as an ensemble."""
        chosen = index if isinstance(index, slice) else torch.as_tensor(index, device=self.device)
        return self.with_parameters([tensor[chosen] for tensor in self.parameters])

    def to(self, device: torch.device | str) -> Ensemble:
        """The same ensemble on another device."""
        return self.with_parameters([tensor.to(device) for tensor in self.parameters])


def numbers_of(learnable: Tensor) -> list[Tensor]:
    """Learnable numbers of a layer, shape (R, numbers), each to go with (R, N, features)."""
    return list(learnable[:, :, None, None].unbind(1))


def concatenate(ensembles: Sequence[Ensemble]) -> Ensemble:
    """All networks of ensembles of one shape, in order."""
    parts = zip(*(ensemble.parameters for ensemble in ensembles), strict=True)
    return ensembles[0].with_parameters([torch.cat(tensors) for tensors in parts])


def initialize(
    scheme: Scheme,
    sizes: Sequence[int],
    n_networks: int,
    rng: np.random.Generator,
    x: np.ndarray | None = None,
    y: np.ndarray | None = None,
    activation: Activation = RELU,
) -> Ensemble:
    """Draw an ensemble on the CPU, layer by layer from the input to the output.

    Args:
        scheme: The initialization scheme.
        sizes: d_in, the hidden widths, d_out.
        n_networks: R.
        rng: The stream; used in a fixed order.
        x: Training inputs, shape (N, d_in); needed where `scheme.needs_data`.
        y: Training targets, shape (N, d_out); likewise.
        activation: Of the hidden neurons; of the streams it changes nothing.
    """
    weights, biases = [], []
    depth = len(sizes) - 1
    points = inputs = living = mean_square = None
    if scheme.needs_data:
        if x is None or y is None:
            raise ValueError(f"{scheme} looks at the training data, got none; pass x and y")
        points = np.asarray(x, dtype=np.float64)
        inputs = points[None]
        living = np.ones((1, len(points)), dtype=bool)
        mean_square = float(np.mean(np.sum(np.asarray(y, dtype=np.float64) ** 2, axis=-1)))
    for index in range(1, depth + 1):
        layer = Layer(
            n_networks=n_networks,
            index=index,
            depth=depth,
            fan_in=sizes[index - 1],
            fan_out=sizes[index],
            inputs=inputs,
            living=living,
            training_inputs=points,
            target_mean_square=mean_square,
        )
        weight, bias = (array.astype(np.float32) for array in draw_layer(scheme, layer, rng))
        if inputs is not None and index < depth:
            # In float64, but of the networks that result: their weights are rounded to float32.
            pre = inputs @ weight.transpose(0, 2, 1).astype(np.float64) + bias[:, None]
            inputs = np.asarray(activation.value(ARRAYS, pre))
            assert living is not None
            living = living & (~_flat(activation, pre)).any(axis=-1)
        weights.append(torch.from_numpy(np.ascontiguousarray(weight)))
        biases.append(torch.from_numpy(np.ascontiguousarray(bias)))
    return Ensemble(tuple(weights), tuple(biases), activation)


def _flat(activation: Activation, pre: np.ndarray) -> np.ndarray:
    """Which pre-activations are on a flat piece."""
    flat = np.zeros(pre.shape, dtype=bool)
    for low, high in activation.flat:
        flat |= (pre >= low) & (pre <= high)
    return flat
