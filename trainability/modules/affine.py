"""The affine layers of a module as the matrices that schemes draw."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

_LEFT = (nn.Bilinear, nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention)
"""Layers with weights for which schemes are not defined; they stay as they are."""
_CONVOLUTION = nn.modules.conv._ConvNd
_TRANSPOSED = nn.modules.conv._ConvTransposeNd


@dataclass(frozen=True)
class AffineLayer:
    """A Linear or convolution layer: a matrix per group, each of shape (fan_out, fan_in).

    A neuron of a convolution is a channel; it sees patches of its group's input channels. One of a
    transposed convolution sees patches of the inputs with zeros put between them.
    """

    name: str
    module: nn.Linear | nn.modules.conv._ConvNd

    @property
    def groups(self) -> int:
        """Groups of a convolution, else 1; a scheme draws them as networks of their own."""
        return 1 if isinstance(self.module, nn.Linear) else self.module.groups

    @property
    def kernel(self) -> tuple[int, ...]:
        """Shape of the kernel; () for a Linear layer."""
        return () if isinstance(self.module, nn.Linear) else tuple(self.module.kernel_size)

    @property
    def is_transposed(self) -> bool:
        return isinstance(self.module, _TRANSPOSED)

    @property
    def fan_in(self) -> int:
        """Weights of a neuron, without its bias."""
        if isinstance(self.module, nn.Linear):
            return self.module.in_features
        return self.module.in_channels // self.groups * math.prod(self.kernel)

    @property
    def fan_out(self) -> int:
        """Neurons per group."""
        if isinstance(self.module, nn.Linear):
            return self.module.out_features
        return self.module.out_channels // self.groups

    @property
    def has_patches(self) -> bool:
        """Whether a neuron sees more than one position at a time."""
        return math.prod(self.kernel) > 1

    def assign(self, weight: np.ndarray, bias: np.ndarray, written: set[int]) -> None:
        """Write weights of shape (groups, fan_out, fan_in) and biases of (groups, fan_out).

        Args:
            weight: The weights.
            bias: The biases; dropped where the layer has none.
            written: Ids of the parameters that are written already, which stay; extended.
        """
        targets = self.module.weight, self.module.bias
        for target, drawn in zip(targets, self.shaped(weight, bias), strict=True):
            if target is not None and id(target) not in written:
                written.add(id(target))
                with torch.no_grad():
                    target.copy_(drawn.reshape(target.shape))

    def shaped(self, weight: np.ndarray, bias: np.ndarray) -> tuple[Tensor, Tensor]:
        """Weights and biases in the order of the layer's own, of one copy of it or of several.

        Args:
            weight: Shape (copies * groups, fan_out, fan_in).
            bias: Shape (copies * groups, fan_out).
        """
        if self.is_transposed:
            shape = (len(weight), self.fan_out, -1, *self.kernel)
            weight = np.swapaxes(weight.reshape(shape), 1, 2)
        drawn = np.ascontiguousarray(weight), np.ascontiguousarray(bias)
        return torch.from_numpy(drawn[0]), torch.from_numpy(drawn[1])

    def numbers_per_example(self, inputs: Tensor) -> int:
        """Numbers that `rows` gives for one example of the inputs, about."""
        if isinstance(self.module, nn.Linear):
            return math.prod(inputs.shape[1:])
        positions: float = math.prod(inputs.shape[2:])
        stride = math.prod(self.module.stride)
        positions = positions * stride if self.is_transposed else positions // stride
        return int(positions) * self.fan_in * self.groups

    def rows(self, inputs: Tensor) -> np.ndarray:
        """What the neurons see, by example, then by position: (groups, rows, fan_in), float64."""
        values = inputs.detach().to("cpu", torch.float64)
        if isinstance(self.module, nn.Linear):
            return values.reshape(1, -1, self.fan_in).numpy()
        patches = self._patches(values)
        n, _, positions = patches.shape
        grouped = patches.reshape(n, self.groups, self.fan_in, positions).permute(1, 0, 3, 2)
        return grouped.reshape(self.groups, n * positions, self.fan_in).numpy()

    def fires(self, outputs: Tensor) -> np.ndarray:
        """Whether a neuron of the layer is positive, by example and position; bool, (rows,)."""
        neurons = -1 if isinstance(self.module, nn.Linear) else 1
        return (outputs > 0).any(dim=neurons).flatten().cpu().numpy()

    def _patches(self, values: Tensor) -> Tensor:
        """Shape (N, in_channels * kernel, positions), in the order of the weight's entries."""
        module = self.module
        assert not isinstance(module, nn.Linear)
        kernel, dilation, stride = module.kernel_size, module.dilation, module.stride
        if isinstance(module, _TRANSPOSED):
            values = _spread(module, values)
            stride = (1,) * len(kernel)
        else:
            mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
            values = F.pad(values, module._reversed_padding_repeated_twice, mode=mode)
        for axis, (size, gap, step) in enumerate(zip(kernel, dilation, stride, strict=True), 2):
            values = values.unfold(axis, gap * (size - 1) + 1, step)[..., ::gap]
        d = len(kernel)
        if isinstance(module, _TRANSPOSED):
            values = values.flip(tuple(range(-d, 0)))
        axes = (0, 1, *range(2 + d, 2 + 2 * d), *range(2, 2 + d))
        return values.permute(axes).flatten(1, 1 + d).flatten(2)


def _spread(module: nn.modules.conv._ConvTransposeNd, values: Tensor) -> Tensor:
    """Inputs with zeros between and around them: what a convolution of stride 1 would see."""
    sizes = [(n - 1) * step + 1 for n, step in zip(values.shape[2:], module.stride, strict=True)]
    spread = values.new_zeros((*values.shape[:2], *sizes))
    spread[(..., *(slice(None, None, step) for step in module.stride))] = values
    around: list[int] = []
    for size, gap, cut, more in zip(
        module.kernel_size, module.dilation, module.padding, module.output_padding, strict=True
    ):
        assert not isinstance(cut, str)
        around = [gap * (size - 1) - cut, gap * (size - 1) - cut + more, *around]
    return F.pad(spread, around)


def affine_layers(
    module: nn.Module, left: set[str] | None
) -> tuple[list[AffineLayer], dict[str, str], list[str]]:
    """The layers that can be drawn, in the order of registration.

    Args:
        module: The module.
        left: Names of parts that the user wants left alone; None where only all can be, as
            `TorchOwn` leaves them.

    Returns:
        The layers; by name, what stays as it is and why; and what stands in the way.
    """
    layers, rest, problems = [], {}, []
    way_out = "name it in skip"
    if left is None:
        left, way_out = set(), "leave it as built, with the scheme TorchOwn()"
    within: list[str] = []
    for name, part in module.named_modules():
        shown = f"{name or 'the module'} ({type(part).__name__})"
        if any(name.startswith(f"{outer}.") if outer else name for outer in within):
            continue
        if name in left:
            if part._parameters:
                rest[name] = "skipped"
        elif isinstance(part, _LEFT):
            rest[name] = f"schemes are not defined for {type(part).__name__}"
            within.append(name)
        elif isinstance(part, nn.Linear | _CONVOLUTION):
            layers.append(AffineLayer(name or type(part).__name__, part))
            problems += [f"{shown} {problem}" for problem in _parameter_problems(part, way_out)]
    if not layers and not problems:
        problems.append(
            f"wanted a module with a Linear or convolution layer, got {type(module).__name__} "
            f"without any" + (" but those left as they are" if rest else "")
        )
    return layers, rest, problems


def _parameter_problems(part: nn.Module, way_out: str) -> list[str]:
    weight = part._parameters.get("weight")
    if weight is None:
        return [
            "has a weight that is computed from other parameters; initialize it before it is "
            f"parametrized or pruned, or {way_out}"
        ]
    if not weight.is_floating_point():
        return [f"must have weights of a floating-point dtype, got {weight.dtype}"]
    return []
