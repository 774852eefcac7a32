"""Copies of one module: their parameters and buffers as stacked tensors."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from trainability.networks.chance import Dropout, seeded

AFFINE_FUNCTIONS = frozenset(
    {"linear", *(f"conv{d}d" for d in (1, 2, 3)), *(f"conv_transpose{d}d" for d in (1, 2, 3))}
)
"""Names of torch's functions behind Linear and convolution layers."""
NORMALIZATIONS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
)
"""Layers that keep statistics of what they see in training mode."""


class Layout:
    """How to run any number of copies of a module at once.

    Args:
        module: One of them; its own numbers don't matter.
        input_shapes: Of an example: one shape for each input of the module.
        stacked: Whether copies are run by `torch.vmap`, or one after the other.
    """

    def __init__(
        self, module: nn.Module, input_shapes: Sequence[tuple[int, ...]], stacked: bool = True
    ) -> None:
        self.input_shapes = tuple(input_shapes)
        self.stacked = stacked
        parameters = dict(module.named_parameters())
        self.trained = tuple(name for name, value in parameters.items() if value.requires_grad)
        frozen = [name for name in parameters if name not in self.trained]
        self.kept = (*frozen, *(name for name, _ in module.named_buffers()))
        """Names of what training does not move by gradients: frozen parameters, and buffers."""
        self._module = module
        self._own = threading.local()

    def state(self, module: nn.Module) -> tuple[list[Tensor], list[Tensor]]:
        """The trained and the kept tensors of a copy; not of their own memory."""
        values = dict(module.named_parameters()) | dict(module.named_buffers())
        return [values[name].detach() for name in self.trained], [
            values[name].detach() for name in self.kept
        ]

    def run(
        self,
        trained: Sequence[Tensor],
        kept: Sequence[Tensor],
        x: Tensor,
        *,
        training: bool = False,
        batch_statistics: bool = False,
        keys: Tensor | None = None,
        watch: Callable[[], Any] | None = None,
    ) -> tuple[Tensor, list[Tensor], Any]:
        """Outputs of T copies.

        Args:
            trained: Their trained tensors, (T, ...) each.
            kept: Their other tensors, likewise; not written into.
            x: Inputs, shape (N, d_in), the same for all, or (T, N, d_in).
            training: Whether the module is in training mode.
            batch_statistics: Whether normalizations are, whatever the rest is in.
            keys: What chance in the module comes from, int64, shape (T,).
            watch: Makes a context for each run, which may look at what happens in it; its
                `results()`, a list of tensors, is given out too, stacked.

        Returns:
            Outputs, shape (T, N, d_out); the kept tensors afterwards; and what was watched.
        """
        module = self._mine(training, batch_statistics)
        if keys is None:
            keys = torch.zeros(len((*trained, *kept)[0]), dtype=torch.int64, device=x.device)
        own_points = x.ndim == 3

        def one(trained: list[Tensor], kept: list[Tensor], key: Tensor, x: Tensor) -> Any:
            state = dict(zip(self.trained, trained, strict=True))
            # In memory of its own, for normalizations write into it.
            state |= {name: t.clone() for name, t in zip(self.kept, kept, strict=True)}
            watcher = watch() if watch is not None else None
            inputs = self.inputs(x)
            with Dropout(key):
                if watcher is None:
                    outputs = functional_call(module, state, inputs)
                else:
                    with watcher:
                        outputs = functional_call(module, state, inputs)
            # A module may also put new tensors into the places of its buffers.
            after = [state[name] for name in self.kept]
            return outputs.flatten(1), after, watcher.results() if watcher is not None else []

        if self.stacked:
            axes = (0, 0, 0, 0 if own_points else None)
            return vmap(one, in_dims=axes)(list(trained), list(kept), keys, x)
        results = []
        for index, key in enumerate(keys.tolist()):
            mine, rest = ([tensor[index] for tensor in group] for group in (trained, kept))
            with seeded(key & (2**63 - 1)):
                results.append(one(mine, rest, keys[index], x[index] if own_points else x))
        outputs, after, watched = zip(*results, strict=True)
        return torch.stack(outputs), _stacked(after), _stacked(watched)

    def inputs(self, x: Tensor) -> tuple[Tensor, ...]:
        """Points of shape (N, d_in) as the module takes them."""
        sizes = [int(np.prod(shape)) for shape in self.input_shapes]
        parts = x.split(sizes, dim=1)
        return tuple(
            part.reshape(len(x), *shape)
            for part, shape in zip(parts, self.input_shapes, strict=True)
        )

    @property
    def running(self) -> nn.Module:
        """The module that this thread runs, with what runs leave in its attributes."""
        return self._mine(training=False, batch_statistics=False)

    def parts(self) -> Iterator[nn.Module]:
        """The module and all its parts."""
        return self._module.modules()

    def _mine(self, training: bool, batch_statistics: bool) -> nn.Module:
        """A module of this thread's own: while it runs, others' numbers stand in its places."""
        if getattr(self._own, "module", None) is None:
            self._own.module = copy.deepcopy(self._module)
        for part in self._own.module.modules():
            # Not .train(), which a module may override.
            part.training = training or (batch_statistics and isinstance(part, NORMALIZATIONS))
        return self._own.module


@dataclass(frozen=True)
class Copies:
    """R copies of one module, on one device.

    Args:
        layout: How to run them.
        trained: What training moves, in the order of `layout.trained`, (R, ...) each.
        kept: What else each has, in the order of `layout.kept`, likewise.
        at_once: Copies that are run together, at most.
    """

    layout: Layout
    trained: tuple[Tensor, ...]
    kept: tuple[Tensor, ...]
    at_once: int

    @property
    def n_networks(self) -> int:
        return len(self.trained[0])

    def __call__(self, x: Tensor) -> Tensor:
        """Outputs in evaluation mode at points of shape (N, d_in): shape (R, N, d_out)."""
        with torch.no_grad():
            parts = [
                self.layout.run(trained, kept, x)[0][: len(rows)]
                for rows, trained, kept in self.tiles()
            ]
        return torch.cat(parts)

    def tiles(self) -> Iterator[tuple[np.ndarray, list[Tensor], list[Tensor]]]:
        """Some copies at a time: their indices, and their trained and kept tensors.

        The last tile is filled up with copies that come again: all tiles have one size, so that how
        a copy's numbers are rounded does not depend on how many others there are.
        """
        for first in range(0, self.n_networks, self.at_once):
            rows = np.arange(first, min(first + self.at_once, self.n_networks))
            index = torch.from_numpy(np.resize(rows, self.at_once))
            trained, kept = ([t[index] for t in group] for group in (self.trained, self.kept))
            yield rows, trained, kept

    def __getitem__(self, index: Tensor | np.ndarray | slice | Sequence[int]) -> Copies:
        """The copies at `index`."""
        chosen = index if isinstance(index, slice) else torch.as_tensor(index)
        return self._with(lambda tensor: tensor[chosen])

    def to(self, device: torch.device | str) -> Copies:
        """The same on another device."""
        return self._with(lambda tensor: tensor.to(device))

    def _with(self, change: Callable[[Tensor], Tensor]) -> Copies:
        return Copies(
            self.layout,
            tuple(map(change, self.trained)),
            tuple(map(change, self.kept)),
            self.at_once,
        )


def _stacked(groups: Sequence[list[Tensor]]) -> list[Tensor]:
    """The tensors of each place of lists of one length, stacked."""
    return [torch.stack(tensors) for tensors in zip(*groups, strict=True)]
