"""The affine layers of a module as the matrices that schemes draw."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

_UNDEFINED = (
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
    nn.Bilinear,
    nn.RNNBase,
    nn.RNNCellBase,
    nn.MultiheadAttention,
)


@dataclass(frozen=True)
class AffineLayer:
    """A Linear, Conv1d or Conv2d layer: a matrix per group, each of shape (fan_out, fan_in).

    A neuron of a convolution is a channel; it sees patches of its group's input channels.
    """

    name: str
    module: nn.Linear | nn.Conv1d | nn.Conv2d

    @property
    def groups(self) -> int:
        """Groups of a convolution, else 1; a scheme draws them as networks of their own."""
        return 1 if isinstance(self.module, nn.Linear) else self.module.groups

    @property
    def fan_in(self) -> int:
        return self.module.weight[0].numel()

    @property
    def fan_out(self) -> int:
        """Neurons per group."""
        return self.module.weight.shape[0] // self.groups

    @property
    def has_patches(self) -> bool:
        """Whether a neuron sees more than one position at a time."""
        return not isinstance(self.module, nn.Linear) and math.prod(self.module.kernel_size) > 1

    def assign(self, weight: np.ndarray, bias: np.ndarray, written: set[int]) -> None:
        """Write weights of shape (groups, fan_out, fan_in) and biases of (groups, fan_out).

        Args:
            weight: The weights.
            bias: The biases; dropped where the layer has none.
            written: Ids of the parameters that are written already, which stay; extended.
        """
        for target, values in ((self.module.weight, weight), (self.module.bias, bias)):
            if target is not None and id(target) not in written:
                written.add(id(target))
                with torch.no_grad():
                    drawn = torch.from_numpy(np.ascontiguousarray(values))
                    target.copy_(drawn.reshape(target.shape))

    def numbers_per_example(self, inputs: Tensor) -> int:
        """Numbers that `rows` gives for one example of the inputs, about."""
        if isinstance(self.module, nn.Linear):
            return math.prod(inputs.shape[1:])
        positions = math.prod(inputs.shape[2:]) // math.prod(self.module.stride)
        return positions * self.fan_in * self.groups

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
        mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
        values = F.pad(values, module._reversed_padding_repeated_twice, mode=mode)
        kernel, dilation, stride = module.kernel_size, module.dilation, module.stride
        if isinstance(module, nn.Conv1d):
            values = values.unsqueeze(2)
            kernel, dilation, stride = (1, *kernel), (1, *dilation), (1, *stride)
        return F.unfold(values, kernel, dilation=dilation, stride=stride)


def affine_layers(module: nn.Module) -> tuple[list[AffineLayer], list[str]]:
    """The layers that can be drawn, in the order of registration, and what stands in the way."""
    layers, problems = [], []
    for name, part in module.named_modules():
        shown = f"{name or 'the module'} ({type(part).__name__})"
        if isinstance(part, _UNDEFINED):
            problems.append(
                f"schemes are defined for Linear, Conv1d and Conv2d layers, got {shown}; "
                f"apply the scheme to the submodules beside it"
            )
        elif isinstance(part, nn.Linear | nn.Conv1d | nn.Conv2d):
            layers.append(AffineLayer(name or type(part).__name__, part))
            problems += [f"{shown} {problem}" for problem in _parameter_problems(part)]
    if not layers and not problems:
        problems.append(
            f"wanted a module with a Linear, Conv1d or Conv2d layer, got {type(module).__name__} "
            f"without any"
        )
    return layers, problems


def _parameter_problems(part: nn.Module) -> list[str]:
    weight = part._parameters.get("weight")
    if weight is None:
        return [
            "has a weight that is computed from other parameters; initialize it before it is "
            "parametrized or pruned"
        ]
    if is_lazy(weight):
        return ["does not know its shape yet; run the module once on an example"]
    if weight.is_meta:
        return ["is on the meta device, without memory; move it with to_empty() first"]
    if not weight.is_floating_point():
        return [f"must have weights of a floating-point dtype, got {weight.dtype}"]
    return []
