"""Copies of a module at birth: what its function draws, and over that what a scheme draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from trainability.errors import InputError, refuse
from trainability.modules.affine import AffineLayer, affine_layers
from trainability.modules.blueprint import layers_in_flow, new_module
from trainability.modules.data import Batch
from trainability.modules.drawing import Shift, draw_with_data, order_of_flow
from trainability.modules.initialization import draws_jointly, scheme_problems
from trainability.networks.copies import Copies, Layout
from trainability.schemes.base import Layer, Scheme, draw_layer

if TYPE_CHECKING:
    from trainability.study.cell import Cell


def births_of(cell: Cell) -> Births:
    """What draws the networks of a cell that are copies of a module."""
    module = new_module(cell.build)
    stacked = not cell.blueprint.not_stacked
    layout = Layout(module, cell.task.input_shapes, stacked=stacked)
    return Births(cell.build, cell.scheme, layout, *cell.task.data())


@dataclass(frozen=True)
class Births:
    """Draws copies of a module.

    Args:
        build: Gives a new module.
        scheme: Draws its Linear and convolution layers, as `apply` does.
        layout: How copies are run.
        x: Training inputs, float32, shape (N, d_in).
        y: Training targets, float32, shape (N, d_out).
    """

    build: Callable[[], nn.Module]
    scheme: Scheme
    layout: Layout
    x: np.ndarray
    y: np.ndarray

    def problems(self) -> list[str]:
        """Where the scheme is not defined for the module."""
        if self.scheme.keeps_modules:
            return []
        module = new_module(self.build)
        try:
            layers, shifts = self._layers(module)
        except InputError as error:
            return [str(error)]
        if not layers:
            return affine_layers(module, None)[2]
        return scheme_problems(self.scheme, layers, shifts)

    @property
    def born_alike(self) -> bool:
        """Whether no chance makes one copy differ from another."""
        if not self.scheme.keeps_modules:
            return False
        one, other = (self.layout.state(new_module(self.build, seed)) for seed in (0, 1))
        return all(map(torch.equal, [*one[0], *one[1]], [*other[0], *other[1]]))

    def draw(
        self, seeds: Sequence[int], shared: np.random.Generator,
        own: Callable[[int], np.random.Generator], at_once: int,
    ) -> Copies:  # fmt: skip
        """One copy for each seed, all on the CPU.

        Args:
            seeds: What each copy's function draws from, from 0 to 2^63 - 1.
            shared: The stream that the scheme draws all of them from.
            own: Instead of it, for a scheme that looks at the data, the stream of each copy.
            at_once: Copies that are run together, at most.
        """
        modules = [new_module(self.build, seed) for seed in seeds]
        looks = self.scheme.needs_data and not self.scheme.keeps_modules
        if looks:
            for index, module in enumerate(modules):
                self._draw_by_data(module, own(index))
        states = [self.layout.state(module) for module in modules]
        trained, kept = (
            [torch.stack(tensors) for tensors in zip(*group, strict=True)]
            for group in zip(*states, strict=True)
        )
        if not looks and not self.scheme.keeps_modules:
            drawn = self._drawn(modules[0], len(modules), shared)
            trained = [
                drawn.get(name, value)
                for name, value in zip(self.layout.trained, trained, strict=True)
            ]
            kept = [
                drawn.get(name, value) for name, value in zip(self.layout.kept, kept, strict=True)
            ]
        return Copies(self.layout, tuple(trained), tuple(kept), at_once)

    def _drawn(
        self, module: nn.Module, n_copies: int, rng: np.random.Generator
    ) -> dict[str, Tensor]:
        """The parameters that the scheme draws, of all copies, by name."""
        layers, _ = self._layers(module)
        names = {id(value): name for name, value in module.named_parameters()}
        drawn: dict[str, Tensor] = {}
        for index, layer in enumerate(layers, 1):
            of_copies = Layer(
                n_copies * layer.groups, index, len(layers), layer.fan_in, layer.fan_out,
                kernel=layer.kernel, name=layer.name,
            )  # fmt: skip
            values = layer.shaped(*draw_layer(self.scheme, of_copies, rng))
            for parameter, value in zip(
                (layer.module.weight, layer.module.bias), values, strict=True
            ):
                if parameter is not None:
                    stacked = value.reshape(n_copies, *parameter.shape).to(parameter.dtype)
                    drawn.setdefault(names[id(parameter)], stacked)
        return drawn

    def _draw_by_data(self, module: nn.Module, rng: np.random.Generator) -> None:
        layers, shifts = self._layers(module)
        mean_square = float(np.mean(np.asarray(self.y, dtype=np.float64) ** 2))
        shifts = {name: shift for name, shift in shifts.items() if name != layers[-1].name}
        draw_with_data(self.scheme, module, layers, self._batch(), mean_square, rng, shifts)

    def _layers(self, module: nn.Module) -> tuple[list[AffineLayer], dict[str, Shift]]:
        if not self.scheme.needs_data:
            return layers_in_flow(module, self._batch(8)), {}
        layers, _, problems = affine_layers(module, None)
        refuse(problems)
        layers, shifts, _ = order_of_flow(module, layers, self._batch())
        return layers, shifts if draws_jointly(self.scheme) else {}

    def _batch(self, n: int | None = None) -> Batch:
        x = torch.from_numpy(self.x[:n])
        return Batch(self.layout.inputs(x), {}, len(x))
