"""Forward and backward passes of many networks as batched matrix products of torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainability.activations import Activation
from trainability.arithmetic.tensors import TENSORS
from trainability.losses import Loss
from trainability.optimizers import Optimizer
from trainability.penalties import Penalty

# Numbers that are updated at once: with what the update leaves behind they stay in a core's cache.
_PIECE = 2**15


@dataclass(frozen=True)
class Passes:
    """The rules of a problem, over tensors W1, b1, W2, b2, ... of shape (T, ...), padded by zeros.

    Args:
        sizes: d_in, the hidden widths, d_out, without padding.
        activation: Of the hidden neurons.
        loss: What is minimized.
    """

    sizes: tuple[int, ...]
    activation: Activation
    loss: Loss

    def loss_at(self, parameters: list[Tensor], x: Tensor, y: Tensor, scales: Tensor) -> Tensor:
        """The loss of every network, shape (T,).

        Args:
            parameters: The networks.
            x: Inputs, shape (T, N, d_in).
            y: Targets, shape (T, N, d_out).
            scales: Factor of every point in the loss, 0 where padded: shape (N, d_out) or (N, 1).
        """
        return self._losses(self._forward(parameters, x)[0][-1], y, scales)[1]

    def loss_and_gradients(
        self, parameters: list[Tensor], x: Tensor, y: Tensor, scales: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """The loss, and its gradient in the shapes of the parameters; arguments as `loss_at`."""
        outputs, kept = self._forward(parameters, x)
        delta, loss = self._losses(outputs.pop(), y, scales)
        gradients: list[Tensor] = []
        for weight in reversed(parameters[::2]):
            inputs = outputs.pop()
            gradients = [torch.bmm(delta.mT, inputs), delta.sum(1), *gradients]
            if outputs:
                delta = self.activation.backward(TENSORS, torch.bmm(delta, weight), kept.pop())
        return loss, gradients

    def _forward(self, parameters: list[Tensor], x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Inputs and every layer's outputs, (T, N, features); what the activation keeps."""
        layers = list(zip(parameters[::2], parameters[1::2], strict=True))
        outputs, kept = [x], []
        for index, (weight, bias) in enumerate(layers, 1):
            z = torch.baddbmm(bias.unsqueeze(1), outputs[-1], weight.mT)
            if index == len(layers):
                outputs.append(z)
                break
            h = self.activation.value(TENSORS, z)
            if self.activation.at_zero:
                # Neurons that only pad a layer must not act as a bias.
                h[..., self.sizes[index] :] = 0
            outputs.append(h)
            kept.append(h if self.activation.keeps == "output" else z)
        return outputs, kept

    def _losses(self, outputs: Tensor, y: Tensor, scales: Tensor) -> tuple[Tensor, Tensor]:
        """d loss / d output in the shape of the outputs, and the loss of every network."""
        if not self.loss.by_rows:
            [delta], total = self.loss.accumulate(TENSORS, [outputs], [y], scales, 0.0)
            return delta, total.sum((1, 2)) * self.loss.factor
        d_out = self.sizes[-1]
        rows, targets = (list(tensor[..., :d_out].unbind(-1)) for tensor in (outputs, y))
        deltas, total = self.loss.accumulate(TENSORS, rows, targets, scales[:, 0], 0.0)
        delta = torch.zeros_like(outputs)
        delta[..., :d_out] = torch.stack(deltas, dim=-1)
        return delta, total.sum(1) * self.loss.factor


def update(
    optimizer: Optimizer,
    penalty: Penalty | None,
    parameters: list[Tensor],
    moments: list[list[Tensor]],
    gradients: list[Tensor],
    numbers: Sequence[float],
    factors: Sequence[float],
) -> None:
    """Update the parameters W1, b1, W2, b2, ... and their moments in place.

    Args:
        optimizer: The update rule.
        penalty: Or None.
        parameters: Contiguous tensors.
        moments: For every moment of the optimizer tensors of the same shapes.
        gradients: Of the same shapes.
        numbers: Those of the optimizer, then those of the penalty.
        factors: Those of this step.
    """
    own = numbers[len(optimizer.numbers()) :]
    for index, (parameter, gradient, *kept) in enumerate(
        zip(parameters, gradients, *moments, strict=True)
    ):
        size = _PIECE if parameter.device.type == "cpu" else max(1, parameter.numel())
        pieces = zip(
            *(tensor.view(-1).split(size) for tensor in (parameter, gradient.contiguous(), *kept)),
            strict=True,
        )
        for p, g, *places in pieces:
            if penalty is not None:
                g = penalty.gradient(TENSORS, p, g, index % 2 == 0, own)
            new_moments = list(places)
            new = optimizer.update(TENSORS, p, g, new_moments, numbers, factors)
            p.copy_(new)
            for place, moment in zip(places, new_moments, strict=True):
                if moment is not place:
                    place.copy_(moment)
