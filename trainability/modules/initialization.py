"""Initialize the layers of an ordinary module by any scheme."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainability import seeds
from trainability.errors import InputError, refuse
from trainability.modules.affine import AffineLayer, affine_layers
from trainability.modules.drawing import draw_with_data, order_of_flow
from trainability.modules.probing import as_inputs, plain_module
from trainability.schemes import (
    Glorot,
    Layer,
    RandomizedAsymmetric,
    Scheme,
    SignFlipped,
    UnitSphere,
)


def apply(
    scheme: Scheme,
    module: nn.Module,
    data: Any = None,
    generator: torch.Generator | np.random.Generator | int | None = None,
) -> None:
    """Initialize in place the Linear, Conv1d and Conv2d layers of a module by a scheme.

    Layers are drawn in the order in which data flows through them, seen in a pass over `data`,
    or without data in the order of registration. The last one counts as the output layer. Where
    the scheme is data-dependent, each layer is drawn when the data reaches it, from what it then
    sees, whatever lies between the layers; normalizations in training mode use the batch's
    statistics, dropout is off. Everything else stays as it was: other parameters, buffers,
    training modes, gradients, dtypes and devices.

    A convolution is a layer whose neurons are its channels and whose points are its patches; its
    groups are drawn as networks of their own. A layer without bias drops its bias. A layer or
    parameter that is used more than once is drawn once, where it is used first. In dtypes below
    float32, rounding may kill a data-dependent neuron at its point.

    Args:
        scheme: The scheme, such as `He()` or `DataDependent(sigma_e=0.05)`.
        module: The module; its forward pass takes one tensor where data is given.
        data: Inputs x of shape (N, ...), or (x, y) with targets, as tensors or arrays. They run
            through the module in one pass. Needed by data-dependent schemes; `DataDependent`
            scales the output layer to the mean square of y, or to 1 per output without y.
        generator: Where randomness comes from: a seed >= 0, a generator of torch or NumPy, or
            None for torch's default generator, which `torch.manual_seed` seeds.

    Raises:
        InputError: If the scheme is not defined for a layer, or the data can't be used.
    """
    if not isinstance(scheme, Scheme):
        raise InputError(f"apply wants a scheme first, such as He(), got {scheme!r}")
    root = plain_module(module)
    layers, problems = affine_layers(root)
    if scheme.needs_data and data is None:
        problems.append(f"{scheme} looks at data, got none; pass data=x or data=(x, y)")
    refuse(problems)
    x, y = (None, None) if data is None else _split(data, root)
    outputs = None
    if x is not None:
        layers, outputs = order_of_flow(root, layers, x)
    refuse(_scheme_problems(scheme, layers))
    if x is not None and scheme.needs_data:
        target = _mean_square(y, outputs)
        draw_with_data(scheme, root, layers, x, target, _stream(generator))
        return
    rng = _stream(generator)
    written: set[int] = set()
    for index, layer in enumerate(layers, 1):
        shape = Layer(layer.groups, index, len(layers), layer.fan_in, layer.fan_out)
        layer.assign(*scheme.draw(shape, rng), written)


def _scheme_problems(scheme: Scheme, layers: list[AffineLayer]) -> list[str]:
    """Where the scheme is not defined for a layer, given the layers in order."""
    problems = []
    joint = _draws_jointly(scheme)
    core = scheme.scheme if isinstance(scheme, SignFlipped) else scheme
    first_use: dict[int, str] = {}
    for layer in layers:
        hidden = layer is not layers[-1]
        if isinstance(core, Glorot) and layer.has_patches:
            problems.append(
                f"{scheme} depends on how many neurons an input feeds, which in the convolution "
                f"{layer.name} is not its number of channels; use He, LeCun or Orthogonal"
            )
        if joint and hidden and layer.module.bias is None:
            problems.append(
                f"{scheme} draws a neuron's weights and bias together, but {layer.name} has no "
                f"bias; build it with bias=True, or use a scheme such as He()"
            )
        other = first_use.setdefault(id(layer.module.weight), layer.name)
        if other != layer.name and (joint or scheme.needs_data):
            problems.append(
                f"{scheme} can't draw {layer.name}, which shares its weight with {other}; untie "
                f"them, or use a scheme that draws weights by themselves, such as He()"
            )
    return problems


def _draws_jointly(scheme: Scheme) -> bool:
    """Whether a hidden neuron's weights lose their meaning without its bias."""
    if isinstance(scheme, SignFlipped):
        no_bias = getattr(scheme.scheme, "bias_std", None) == 0
        return _draws_jointly(scheme.scheme) or not no_bias
    return scheme.needs_data or isinstance(scheme, RandomizedAsymmetric | UnitSphere)


def _split(data: Any, root: nn.Module) -> tuple[Tensor, Tensor | None]:
    if not isinstance(data, tuple | list):
        return as_inputs(data, root), None
    if len(data) != 2 or not isinstance(data[1], Tensor | np.ndarray):
        raise InputError(f"data must be x or (x, y), got a {type(data).__name__} of {len(data)}")
    x, y = as_inputs(data[0], root), torch.as_tensor(data[1]).detach()
    if y.ndim == 0 or len(x) != len(y):
        raise InputError(
            f"data=(x, y) must have as many targets as inputs, got x of shape {tuple(x.shape)} "
            f"and y of {tuple(y.shape)}"
        )
    return x, y


def _mean_square(y: Tensor | None, outputs: Any) -> float:
    """Mean of the squared targets, per output."""
    if y is None:
        return 1.0
    problems = []
    if not y.is_floating_point():
        problems.append(
            f"targets must be floating-point numbers, got {y.dtype}; for class labels pass x "
            f"alone: outputs then start with a mean square of 1"
        )
    elif not torch.isfinite(y).all():
        problems.append("targets must be finite, got NaN or infinity; drop those examples")
    if isinstance(outputs, Tensor) and outputs.numel() != y.numel():
        problems.append(
            f"targets must fit the module's outputs of shape {tuple(outputs.shape)}, "
            f"got shape {tuple(y.shape)}"
        )
    refuse(problems)
    return float(y.double().square().mean())


def _stream(
    generator: torch.Generator | np.random.Generator | int | None,
) -> np.random.Generator:
    if isinstance(generator, np.random.Generator):
        return generator
    if generator is None:
        generator = torch.default_generator
    if isinstance(generator, torch.Generator):
        device = generator.device
        seed = int(torch.randint(2**63 - 1, (), generator=generator, device=device))
    elif isinstance(generator, int) and not isinstance(generator, bool) and generator >= 0:
        seed = generator
    else:
        raise InputError(
            f"generator must be an int >= 0, a torch.Generator, a numpy.random.Generator or None, "
            f"got {generator!r}"
        )
    return seeds.stream(seed, "apply", "initialization")
