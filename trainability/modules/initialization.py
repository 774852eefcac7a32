"""Initialize the layers of an ordinary module by any scheme."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from rich.console import Console
from rich.table import Table
from rich.text import Text
from torch import Tensor, nn

from trainability import seeds
from trainability.errors import InputError, refuse
from trainability.modules.affine import AffineLayer, affine_layers
from trainability.modules.data import gathered
from trainability.modules.drawing import MAX_NUMBERS, Shift, draw_with_data, order_of_flow
from trainability.modules.probing import plain_module
from trainability.modules.skipping import Skip, skipped
from trainability.schemes import (
    Glorot,
    Layer,
    RandomizedAsymmetric,
    Scheme,
    SignFlipped,
    UnitSphere,
    draw_layer,
)


@dataclass(frozen=True, repr=False)
class Initialization:
    """What was drawn where.

    Args:
        table: A row per layer in the order of drawing, then one per layer that stays as it was:
            `layer`, `type`, `drawn` ("weight and bias", "weight" or "nothing"), `shape` of the
            weight, `groups`, `fan_in`, `fan_out` (neurons per group), `weight_std`, the root mean
            square of the weights, and `note`.
        scheme: The scheme as one writes it.
        notes: What else a reader should know.
    """

    table: pd.DataFrame
    scheme: str
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        table = Table(title=f"Drawn by {self.scheme}", title_justify="left")
        for column in self.table.columns:
            left = column in ("layer", "type", "drawn", "note")
            table.add_column(str(column).replace("_", " "), justify="left" if left else "right")
        for row in self.table.itertuples(index=False):
            table.add_row(*(Text(_cell(value)) for value in row))
        console = Console(file=io.StringIO(), width=140, color_system=None)
        console.print(table)
        for note in self.notes:
            console.print(f"{note}.", markup=False)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue().rstrip()

    __repr__ = __str__


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.4g}"
    if isinstance(value, tuple):
        return "x".join(str(size) for size in value)
    return "" if value is None or value is pd.NA else str(value)


def apply(
    scheme: Scheme,
    module: nn.Module,
    data: Any = None,
    generator: torch.Generator | np.random.Generator | int | None = None,
    *,
    skip: Skip = (),
) -> Initialization:
    """Initialize in place the Linear and convolution layers of a module by a scheme.

    Layers are drawn in the order in which data flows through them, seen in a pass over `data`,
    or without data in the order of registration. The last one counts as the output layer. Where
    the scheme is data-dependent, each layer is drawn when the data reaches it, from what it then
    sees, whatever lies between the layers; normalizations in training mode use the batch's
    statistics, dropout is off. Everything else stays as it was: other parameters, buffers,
    training modes, gradients, dtypes and devices. Layers for which schemes are not defined
    (recurrent ones, attention, Bilinear) stay too, and the table that is returned says so.

    A convolution, transposed or not, is a layer whose neurons are its channels and whose points
    are its patches; its groups are drawn as networks of their own. A layer without bias drops its
    bias, which the table notes, with a warning if the scheme was set to draw one. Where a
    data-dependent scheme draws a neuron's weights and bias together, a batch normalization right
    behind such a layer takes the bias: it is shifted so that each of its outputs has the sign of
    the layer's output plus the bias. A layer or parameter that is used more than once is drawn
    once, where it is used first. In dtypes below float32, rounding may kill a data-dependent
    neuron at its point.

    Args:
        scheme: The scheme, such as `He()` or `DataDependent(sigma_e=0.05)`.
        module: The module.
        data: Inputs x of shape (N, ...), or (x, y) with targets, or any other form that
            `inspect` takes: see `trainability.modules.data.batches`. They run through the module
            in one pass; of several batches as many as hold 2^24 numbers. Needed by data-dependent
            schemes; `DataDependent` scales the output layer to the mean square of y, or to 1 per
            output without y.
        generator: Where randomness comes from: a seed >= 0, a generator of torch or NumPy, or
            None for torch's default generator, which `torch.manual_seed` seeds.
        skip: Layers to leave as they are: names, patterns such as "head.*", or types.

    Returns:
        What was drawn where; it prints as a table.

    Raises:
        InputError: If the scheme is not defined for a layer, or the data can't be used.

    Warns:
        UserWarning: If a setting of the scheme has no effect on a layer.
    """
    if not isinstance(scheme, Scheme):
        raise InputError(f"apply wants a scheme first, such as He(), got {scheme!r}")
    root = plain_module(module)
    layers, rest, problems = affine_layers(root, skipped(root, skip))
    if scheme.keeps_modules:
        as_drawn = {layer.name: "as its own function drew it" for layer in layers}
        return _drawn(scheme, [], rest | as_drawn, {}, {}, root, [])
    if scheme.needs_data and data is None:
        problems.append(f"{scheme} looks at data, got none; pass data=x or data=(x, y)")
    refuse(problems)
    outputs, shifts, notes = None, {}, []
    batch = None
    if data is not None:
        batch, note = gathered(data, root, MAX_NUMBERS)
        notes += [note] if note else []
        layers, shifts, outputs = order_of_flow(root, layers, batch)
    if not draws_jointly(scheme) or not scheme.needs_data:
        shifts = {}
    refuse(scheme_problems(scheme, layers, shifts))
    if batch is not None and scheme.needs_data:
        target = _mean_square(batch.targets, outputs)
        shifts = {name: shift for name, shift in shifts.items() if name != layers[-1].name}
        biases = draw_with_data(scheme, root, layers, batch, target, _stream(generator), shifts)
    else:
        biases = _draw(scheme, layers, _stream(generator))
    return _drawn(scheme, layers, rest, biases, shifts, root, notes)


def _draw(
    scheme: Scheme, layers: list[AffineLayer], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draw the layers in order; returns their biases."""
    written: set[int] = set()
    biases, drawn = {}, []
    for index, layer in enumerate(layers, 1):
        shape = Layer(
            layer.groups, index, len(layers), layer.fan_in, layer.fan_out, kernel=layer.kernel,
            name=layer.name,
        )  # fmt: skip
        drawn.append((layer, *draw_layer(scheme, shape, rng)))
    # All is drawn, and looked at, before anything is written.
    for layer, weight, bias in drawn:
        layer.assign(weight, bias, written)
        biases[layer.name] = bias
    return biases


def _drawn(
    scheme: Scheme, layers: list[AffineLayer], rest: dict[str, str],
    biases: dict[str, np.ndarray], shifts: dict[str, Shift], root: nn.Module, notes: list[str],
) -> Initialization:  # fmt: skip
    """The table of what was drawn, with warnings where a setting had no effect."""
    rows, without = [], []
    core = scheme.scheme if isinstance(scheme, SignFlipped) else scheme
    first_use: dict[int, str] = {}
    for layer in layers:
        weight = layer.module.weight
        note = []
        if layer.module.bias is None and biases[layer.name].any():
            if layer.name in shifts:
                note.append(f"its bias shifts {shifts[layer.name].name}")
            else:
                note.append("has no bias; the one drawn was dropped")
                without.append(layer.name)
        other = first_use.setdefault(id(weight), layer.name)
        if other != layer.name:
            note.append(f"shares its weight with {other}, which was drawn")
        rows.append(
            {
                "layer": layer.name,
                "type": type(layer.module).__name__,
                "drawn": "weight" if layer.module.bias is None else "weight and bias",
                "shape": tuple(weight.shape),
                "groups": layer.groups,
                "fan_in": layer.fan_in,
                "fan_out": layer.fan_out,
                "weight_std": float(weight.detach().double().square().mean().sqrt()),
                "note": "; ".join(note),
            }
        )
    parts = dict(root.named_modules())
    for name, reason in rest.items():
        rows.append(
            {
                "layer": name or type(root).__name__,
                "type": type(parts[name]).__name__,
                "drawn": "nothing",
                "shape": None,
                "groups": pd.NA,
                "fan_in": pd.NA,
                "fan_out": pd.NA,
                "weight_std": float("nan"),
                "note": f"left as it was: {reason}",
            }
        )
    if without and getattr(core, "bias_std", 0):
        warnings.warn(
            f"bias_std of {scheme} has no effect on {', '.join(without)}, which "
            f"{'has' if len(without) == 1 else 'have'} no bias",
            stacklevel=3,
        )
    return Initialization(pd.DataFrame(rows), str(scheme), tuple(notes))


def scheme_problems(
    scheme: Scheme, layers: list[AffineLayer], shifts: dict[str, Shift]
) -> list[str]:
    """Where the scheme is not defined for a layer, given the layers in order."""
    problems = []
    joint = draws_jointly(scheme)
    core = scheme.scheme if isinstance(scheme, SignFlipped) else scheme
    first_use: dict[int, str] = {}
    for layer in layers:
        hidden = layer is not layers[-1]
        if isinstance(core, Glorot) and layer.has_patches:
            problems.append(
                f"{scheme} depends on how many neurons an input feeds, which in the convolution "
                f"{layer.name} is not its number of channels; use He, LeCun or Orthogonal"
            )
        if joint and hidden and layer.name in shifts:
            problems += shifts[layer.name].problems()
        elif joint and hidden and layer.module.bias is None:
            problems.append(
                f"{scheme} draws a neuron's weights and bias together, but {layer.name} has no "
                f"bias, nor a batch normalization right behind it that could take it; build it "
                f"with bias=True, or use a scheme such as He()"
            )
        other = first_use.setdefault(id(layer.module.weight), layer.name)
        if other != layer.name and (joint or scheme.needs_data):
            problems.append(
                f"{scheme} can't draw {layer.name}, which shares its weight with {other}; untie "
                f"them, or use a scheme that draws weights by themselves, such as He()"
            )
    return problems


def draws_jointly(scheme: Scheme) -> bool:
    """Whether a hidden neuron's weights lose their meaning without its bias."""
    if isinstance(scheme, SignFlipped):
        no_bias = getattr(scheme.scheme, "bias_std", None) == 0
        return draws_jointly(scheme.scheme) or not no_bias
    return scheme.needs_data or isinstance(scheme, RandomizedAsymmetric | UnitSphere)


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
