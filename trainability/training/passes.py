"""Forward and backward passes of many networks as batched matrix products of torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from trainability.activations import Activation
from trainability.arithmetic.tensors import TENSORS
from trainability.losses import Loss
from trainability.networks import numbers_of
from trainability.optimizers import Optimizer
from trainability.penalties import Penalty
from trainability.training.cpu.fused_cpu_engine import has_fma
from trainability.training.cpu.updates import CompiledUpdate

# Of features: see the torch engine.
_FEATURE_PADDING = 4


class _Forward(NamedTuple):
    """What a forward pass leaves, layer by layer, in shape (T, N, features).

    Args:
        outputs: The inputs, and the outputs of every layer.
        kept: What the activation keeps, of the hidden layers.
        pre: Their pre-activations, where the penalty asks for extremes.
    """

    outputs: list[Tensor]
    kept: list[Tensor]
    pre: list[Tensor]


@dataclass(frozen=True)
class Passes:
    """The rules of a problem, over the `parameters` of an ensemble, (T, ...), padded by zeros.

    Args:
        sizes: d_in, the hidden widths, d_out, without padding.
        activation: Of the hidden neurons.
        loss: What is minimized.
        penalty: What is descended beside it, or None; here only where it asks for extremes.
    """

    sizes: tuple[int, ...]
    activation: Activation
    loss: Loss
    penalty: Penalty | None = None

    def loss_at(self, parameters: list[Tensor], x: Tensor, y: Tensor, scales: Tensor) -> Tensor:
        """The loss of every network, shape (T,).

        Args:
            parameters: The networks.
            x: Inputs, shape (T, N, d_in).
            y: Targets, shape (T, N, d_out).
            scales: Factor of every point in the loss, 0 where padded: shape (N, d_out) or (N, 1).
        """
        return self.outputs_and_loss(parameters, x, y, scales)[1]

    def outputs_and_loss(
        self, parameters: list[Tensor], x: Tensor, y: Tensor, scales: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Outputs of every network, (T, N, d_out), and its loss; arguments as `loss_at`."""
        outputs = self._forward(parameters, x).outputs[-1]
        return outputs, self._losses(outputs, y, scales)[1]

    def loss_and_gradients(
        self, parameters: list[Tensor], x: Tensor, y: Tensor, scales: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """The loss, and its gradient in the shapes of the parameters; arguments as `loss_at`."""
        outputs, kept, pre = self._forward(parameters, x)
        delta, loss = self._losses(outputs.pop(), y, scales)
        affine, learnable = self._split(parameters)
        gradients: list[Tensor] = []
        ends: list[Tensor] = []
        for weight in reversed(affine[::2]):
            inputs = outputs.pop()
            gradients = [torch.bmm(delta.mT, inputs), delta.sum(1), *gradients]
            if outputs:
                numbers = learnable[len(outputs) - 1] if learnable else []
                delta, by_numbers = self.activation.backward_at(
                    TENSORS, torch.bmm(delta, weight), kept.pop(), numbers
                )
                if by_numbers:
                    shares = [share.sum((1, 2)) for share in by_numbers]
                    ends.insert(0, padded(torch.stack(shares, dim=1)))
                if pre:
                    delta = self._with_extremes(delta, pre.pop(), len(outputs), scales)
        return loss, [*gradients, *ends]

    def _split(self, parameters: list[Tensor]) -> tuple[list[Tensor], list[list[Tensor]]]:
        """W1, b1, W2, b2, ..., and the learnable numbers of every hidden layer, if any."""
        n_affine, n_numbers = 2 * (len(self.sizes) - 1), len(self.activation.learnable)
        rows = [numbers_of(tensor[:, :n_numbers]) for tensor in parameters[n_affine:]]
        return parameters[:n_affine], rows

    def _with_extremes(self, delta: Tensor, z: Tensor, layer: int, scales: Tensor) -> Tensor:
        """The delta of hidden layer `layer`, from 1, with the penalty's by its pre-activations z.

        Points and neurons that fill up are left out: those are the last ones.
        """
        assert self.penalty is not None
        n_points = int(torch.count_nonzero(scales[:, 0]))
        real = z[:, :n_points, : self.sizes[layer]]
        own = delta[:, :n_points, : self.sizes[layer]]
        add_by_extremes(self.penalty, own, real)
        return delta

    def _forward(self, parameters: list[Tensor], x: Tensor) -> _Forward:
        affine, learnable = self._split(parameters)
        layers = list(zip(affine[::2], affine[1::2], strict=True))
        outputs, kept, pre = [x], [], []
        for index, (weight, bias) in enumerate(layers, 1):
            z = torch.baddbmm(bias.unsqueeze(1), outputs[-1], weight.mT)
            if index == len(layers):
                outputs.append(z)
                break
            numbers = learnable[index - 1] if learnable else []
            h = self.activation.value_at(TENSORS, z, numbers)
            if self.activation.at_zero or learnable:
                # Neurons that only pad a layer must not act as a bias.
                h[..., self.sizes[index] :] = 0
            outputs.append(h)
            kept.append(h if self.activation.keeps == "output" else z)
            if self.penalty is not None and self.penalty.extremes:
                pre.append(z)
        return _Forward(outputs, kept, pre)

    def _losses(self, outputs: Tensor, y: Tensor, scales: Tensor) -> tuple[Tensor, Tensor]:
        """d loss / d output in the shape of the outputs, and the loss of every network."""
        return losses(self.loss, outputs, y, scales, self.sizes[-1])


def add_by_extremes(penalty: Penalty, delta: Tensor, z: Tensor) -> None:
    """Add to a gradient by pre-activations, in place, that of a penalty of their extremes.

    Args:
        penalty: That asks for extremes.
        delta: Shape (T, N, neurons).
        z: The pre-activations of a hidden layer, of the same shape.
    """
    numbers = [float(np.float32(number)) for number in penalty.numbers()]
    for over in penalty.extremes:
        axis = {"points": 1, "neurons": 2}[over]
        ends = z.amax(axis, keepdim=True), z.amin(axis, keepdim=True)
        for end, by_end in zip(ends, penalty.by_extremes(TENSORS, *ends, numbers), strict=True):
            extreme = (z == end).to(z.dtype)
            delta += extreme * (by_end / extreme.sum(axis, keepdim=True))


def losses(
    loss: Loss, outputs: Tensor, y: Tensor, scales: Tensor, d_out: int
) -> tuple[Tensor, Tensor]:
    """d loss / d output in the shape of the outputs, and the loss of every network, shape (T,).

    Args:
        loss: What is minimized.
        outputs: Shape (T, N, d_out) or, filled up, more.
        y: Targets, of the same shape, or (N, ...).
        scales: Factor of every point in the loss, 0 where padded: shape (N, d_out) or (N, 1).
        d_out: Outputs that count.
    """
    if not loss.by_rows:
        [delta], total = loss.accumulate(TENSORS, [outputs], [y], scales, 0.0)
        return delta, total.sum((1, 2)) * loss.factor
    rows, targets = (list(tensor[..., :d_out].unbind(-1)) for tensor in (outputs, y))
    deltas, total = loss.accumulate(TENSORS, rows, targets, scales[:, 0], 0.0)
    delta = torch.zeros_like(outputs)
    delta[..., :d_out] = torch.stack(deltas, dim=-1)
    return delta, total.sum(1) * loss.factor


def named_classes(outputs: Tensor, undecided_at: float) -> Tensor:
    """The class that every output, (T, N, d_out), names: shape (T, N).

    Args:
        outputs: Of networks.
        undecided_at: The single output of two classes that speaks for neither.
    """
    if outputs.shape[-1] == 1:
        return (outputs[..., 0] > undecided_at).long()
    return outputs.argmax(dim=-1)


class Updates:
    """The updates of the `parameters` of an ensemble and their moments, in place.

    Compiled where the device is a CPU that can, else by torch.

    Args:
        optimizer: The update rule.
        penalty: Or None.
        device: Where the tensors are.
    """

    def __init__(self, optimizer: Optimizer, penalty: Penalty | None, device: torch.device) -> None:
        self._optimizer = optimizer
        self._penalty = penalty
        rules = [optimizer, *([penalty] if penalty else [])]
        self._numbers = np.array([n for rule in rules for n in rule.numbers()], dtype=np.float32)
        compiled = device.type == "cpu" and has_fma()
        self._compiled = CompiledUpdate(optimizer, penalty) if compiled else None

    def __call__(
        self,
        parameters: list[Tensor],
        moments: list[list[Tensor]],
        gradients: list[Tensor],
        factors: np.ndarray,
    ) -> None:
        """One update.

        Args:
            parameters: Contiguous tensors.
            moments: For every moment of the optimizer tensors of the same shapes.
            gradients: Of the same shapes.
            factors: The optimizer's factors of this step.
        """
        for parameter, gradient, *kept in zip(parameters, gradients, *moments, strict=True):
            is_weight = parameter.ndim > 2
            gradient = gradient.contiguous()
            if self._compiled is not None:
                self._compiled(parameter, gradient, kept, is_weight, self._numbers, factors)
            else:
                self._by_torch(parameter, gradient, kept, is_weight, factors)

    def _by_torch(
        self,
        parameter: Tensor,
        gradient: Tensor,
        kept: list[Tensor],
        is_weight: bool,
        factors: np.ndarray,
    ) -> None:
        numbers = self._numbers.tolist()
        n_own = len(self._optimizer.numbers())
        if self._penalty is not None:
            of_penalty = numbers[n_own:]
            gradient = self._penalty.gradient(TENSORS, parameter, gradient, is_weight, of_penalty)
        moments = list(kept)
        new = self._optimizer.update(
            TENSORS, parameter, gradient, moments, numbers[:n_own], factors.tolist()
        )
        parameter.copy_(new)
        for place, moment in zip(kept, moments, strict=True):
            if moment is not place:
                place.copy_(moment)


def padded(tensor: Tensor) -> Tensor:
    """The tensor with its last one or two axes, the features, padded with zeros; a copy."""
    shape = [
        size + -size % _FEATURE_PADDING if axis else size for axis, size in enumerate(tensor.shape)
    ]
    padded = tensor.new_zeros(shape)
    padded[tuple(slice(size) for size in tensor.shape)] = tensor
    return padded
