"""Copies of a module in training: by the rules of every engine, with the module's own passes.

The *loss* is that of the module in evaluation mode: dropout off, running statistics. Gradients are
those of training mode: dropout on, statistics of the batch. Where the two modes are one, as in a
module without either, one pass gives both. What a pass leaves in buffers belongs to the copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from trainability.losses import Loss
from trainability.networks.copies import AFFINE_FUNCTIONS, Copies, Layout
from trainability.seeds import batch_order, mix64
from trainability.training.contract import Problem
from trainability.training.cpu.tiles import TiledTraining
from trainability.training.passes import Updates, add_by_extremes, losses, named_classes
from trainability.training.torch_engine import float32_on_one_thread

_CHUNK = 64
_MOST_NUMBERS = {"cpu": 2**23, "cuda": 2**30}
"""Numbers that a pass over a tile may make and keep: 32 MiB, which caches nearly hold, or 4 GiB."""
_MOST_COPIES = {"cpu": 256, "cuda": 1024}
_EVALUATED = 4096
"""Points that are passed forward together, at most, where no gradient is wanted."""
_CHANCE = np.uint64(0xD1B54A32D192ED03)


class CopiesTraining(TiledTraining[Copies]):
    """Copies in training.

    Args:
        copies: At birth.
        problem: What they are trained on.
        by_mode: Whether evaluation mode and training mode differ.
        numbers: That the module makes of one example.
        device: A torch device.
        threads: On a CPU, tiles that train at the same time.
    """

    def __init__(
        self, copies: Copies, problem: Problem, *, by_mode: bool, numbers: int,
        device: str = "cpu", threads: int = 1,
    ) -> None:  # fmt: skip
        kind = torch.device(device).type
        n_points = problem.batch_size or len(problem.x)
        super().__init__(
            copies.n_networks,
            problem,
            tile=tile_size(kind, numbers * n_points),
            chunk=_CHUNK,
            threads=threads if kind == "cpu" else 1,
        )
        self._device = torch.device(device)
        self._first = copies
        self._trained, self._kept = (
            [tensor.to(device, copy=True) for tensor in tensors]
            for tensors in (copies.trained, copies.kept)
        )
        self._moments = [
            [torch.zeros_like(parameter) for parameter in self._trained]
            for _ in range(problem.optimizer.n_moments)
        ]
        self._by_mode = by_mode
        penalty = problem.penalty
        self._by_extremes = penalty if penalty is not None and penalty.extremes else None
        self._update = Updates(problem.optimizer, problem.penalty, self._device)
        self._x, self._y = (
            torch.as_tensor(table, dtype=torch.float32).to(device)
            for table in (problem.x, problem.y)
        )
        self._loss = PointsLoss(copies.layout, problem.loss, self._x, self._y, self._tile, numbers)

    def advance(self, until: int) -> None:
        with reproducible():
            super().advance(until)

    def ensemble(self) -> Copies:
        trained, kept = (
            tuple(tensor.to("cpu", copy=True) for tensor in tensors)
            for tensors in (self._trained, self._kept)
        )
        return Copies(self._first.layout, trained, kept, self._first.at_once)

    def _prepare_worker(self) -> None:
        torch.set_num_threads(1)

    def _train(self, rows: np.ndarray, start: int, stop: int) -> None:
        # A copy that stops is written back at once; its slot runs on, and counts no more.
        problem = self._problem
        factors = np.ascontiguousarray(problem.optimizer.factors(start, stop))
        filled = np.resize(rows, self._tile)
        index = torch.from_numpy(filled).to(self._device)
        trained, kept = ([t[index] for t in group] for group in (self._trained, self._kept))
        moments = [[moment[index] for moment in group] for group in self._moments]
        live = np.arange(len(rows))
        order = np.empty((0, 0), dtype=np.int32)
        for step in range(start, stop):
            epoch, batch = divmod(step, problem.steps_per_epoch)
            x, y = self._x, self._y
            one_pass = problem.batch_size is None and not self._by_mode
            if batch == 0 and not one_pass:
                live = self._retire(rows, live, trained, kept, self._loss(trained, kept), step)
            if problem.batch_size is not None:
                if batch == 0 or step == start:
                    order = batch_order(problem.order_keys[filled], epoch, len(problem.x))
                first = batch * problem.batch_size
                points = order[:, first : first + problem.batch_size].astype(np.int64)
                x, y = (table[torch.from_numpy(points).to(self._device)] for table in (x, y))
            if not len(live):
                return
            loss, gradients, kept_after = self._gradients(
                trained, kept, x, y, self._keys(filled, step)
            )
            if one_pass:
                live = self._retire(rows, live, trained, kept, loss, step)
                if not len(live):
                    return
            kept = kept_after
            self._update(trained, moments, gradients, factors[step - start])
        self.steps[rows[live]] = stop
        self._store(rows, live, self._trained, trained)
        self._store(rows, live, self._kept, kept)
        for ours, new in zip(self._moments, moments, strict=True):
            self._store(rows, live, ours, new)

    def _gradients(
        self, trained: list[Tensor], kept: list[Tensor], x: Tensor, y: Tensor, keys: Tensor
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Loss and gradients in training mode, and what the pass leaves in the kept tensors."""
        leaves = [tensor.detach().requires_grad_() for tensor in trained]
        with torch.enable_grad():
            outputs, after, pre = self._first.layout.run(
                leaves, kept, x, training=True, keys=keys,
                watch=PreActivations if self._by_extremes else None,
            )  # fmt: skip
        n_points, d_out = y.shape[-2:]
        scale = self._problem.loss.scale(n_points, d_out)
        scales = torch.full((n_points, d_out), scale, device=self._device)
        delta, loss = losses(
            self._problem.loss, outputs.detach(), y.expand(outputs.shape), scales, d_out
        )
        wanted, by_wanted = [outputs], [delta]
        for z in pre[:-1]:  # the last layer is the output's
            assert self._by_extremes is not None
            units = z.detach().flatten(2)
            by_units = torch.zeros_like(units)
            add_by_extremes(self._by_extremes, by_units, units)
            wanted.append(z)
            by_wanted.append(by_units.reshape(z.shape))
        gradients = torch.autograd.grad(wanted, leaves, by_wanted, allow_unused=True)
        return (
            loss,
            [
                torch.zeros_like(leaf) if gradient is None else gradient
                for leaf, gradient in zip(leaves, gradients, strict=True)
            ],
            [tensor.detach() for tensor in after],
        )

    def _keys(self, rows: np.ndarray, step: int) -> Tensor:
        """What chance in a module comes from, for each copy at a step."""
        with np.errstate(over="ignore"):
            keys = mix64(self._problem.order_keys[rows] + _CHANCE) ^ mix64(np.uint64(step))
        return torch.from_numpy(keys.view(np.int64)).to(self._device)

    def _evaluate(self, rows: np.ndarray) -> None:
        index = torch.from_numpy(np.resize(rows, self._tile)).to(self._device)
        loss = self._loss([t[index] for t in self._trained], [t[index] for t in self._kept])
        self._note(rows, loss.cpu().numpy()[: len(rows)], self._step)

    def _retire(
        self, rows: np.ndarray, live: np.ndarray, trained: list[Tensor], kept: list[Tensor],
        loss: Tensor, step: int,
    ) -> np.ndarray:  # fmt: skip
        """Note the loss of the live slots and write back those that stop; returns the others."""
        stops = self._note(rows[live], loss.cpu().numpy()[live], step)
        if stops.any():
            self._store(rows, live[stops], self._trained, trained)
            self._store(rows, live[stops], self._kept, kept)
        return live[~stops]

    def _store(
        self, rows: np.ndarray, slots: np.ndarray, ours: list[Tensor], new: list[Tensor]
    ) -> None:
        targets = torch.from_numpy(rows[slots]).to(self._device)
        sources = torch.from_numpy(slots).to(self._device)
        for target, source in zip(ours, new, strict=True):
            target[targets] = source[sources]


class PreActivations(TorchFunctionMode):
    """The outputs of a module's Linear and convolution layers in one pass, in the order of use.

    For a penalty that asks for extremes: in a convolution every place of a channel is a neuron.
    """

    def __init__(self) -> None:
        super().__init__()
        self._outputs: list[Tensor] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        outputs = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") in AFFINE_FUNCTIONS:
            # A copy, for what follows may write over it.
            self._outputs.append(outputs.clone())
            return self._outputs[-1] * 1
        return outputs

    def results(self) -> list[Tensor]:
        return self._outputs


class PointsLoss:
    """The loss of copies in evaluation mode over all points, a part of them at a time.

    Args:
        layout: How copies are run.
        loss: What is minimized.
        x: Inputs, shape (N, d_in).
        y: Targets, shape (N, d_out).
        tile: Copies at once.
        numbers: That the module makes of one example.
    """

    def __init__(
        self, layout: Layout, loss: Loss, x: Tensor, y: Tensor, tile: int, numbers: int
    ) -> None:
        self._layout, self._rule = layout, loss
        most = max(1, _MOST_NUMBERS[x.device.type] // (tile * numbers))
        n_parts = -(-len(x) // most)
        self._parts = list(zip(x.tensor_split(n_parts), y.tensor_split(n_parts), strict=True))
        self._scale = loss.scale(*y.shape)

    def __call__(self, trained: list[Tensor], kept: list[Tensor]) -> Tensor:
        """The loss of every copy, shape (T,)."""
        total = torch.zeros(len(trained[0]), device=trained[0].device)
        for _, loss in self.outputs_and_losses(trained, kept):
            total = total + loss
        return total

    def outputs_and_losses(
        self, trained: list[Tensor], kept: list[Tensor]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Part by part the outputs, (T, n, d_out), and what they add to the loss, (T,)."""
        for x, y in self._parts:
            with torch.no_grad():
                outputs = self._layout.run(trained, kept, x)[0]
            scales = torch.full(y.shape, self._scale, device=x.device)
            yield (
                outputs,
                losses(self._rule, outputs, y.expand(outputs.shape), scales, y.shape[1])[1],
            )


def tile_size(kind: str, numbers: int) -> int:
    """Copies at once: as a power of two, so many that a pass makes about as much as memory suits.

    The same on every machine, for the rounding of a copy's numbers may depend on it.

    Args:
        kind: "cpu" or "cuda".
        numbers: That a pass makes of one copy.
    """
    fitting = max(1, _MOST_NUMBERS[kind] // numbers)
    return min(_MOST_COPIES[kind], 2 ** (fitting.bit_length() - 1))


@contextmanager
def reproducible() -> Iterator[None]:
    """No TF32, no choice of algorithms by a race, and one thread per worker, while it lasts."""
    cudnn = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    with float32_on_one_thread(), cudnn:
        yield


class CopiesEvaluation:
    """Loss and accuracy of copies on some points, in evaluation mode.

    Args:
        layout: How copies are run.
        loss: What is computed, and what tells which class an output means.
        x: Inputs, shape (N, d_in).
        y: Targets, shape (N, d_out).
        classes: The class of every point, shape (N,), or None where targets are no classes.
        numbers: That the module makes of one example.
        device: A torch device.
    """

    def __init__(
        self, layout: Layout, loss: Loss, x: np.ndarray, y: np.ndarray,
        classes: np.ndarray | None, numbers: int, device: str,
    ) -> None:  # fmt: skip
        self._device = torch.device(device)
        points, targets = (
            torch.as_tensor(table, dtype=torch.float32).to(device) for table in (x, y)
        )
        tile = tile_size(self._device.type, numbers * min(len(x), _EVALUATED))
        self._loss = PointsLoss(layout, loss, points, targets, tile, numbers)
        self._tile = tile
        self._undecided_at = loss.undecided_at
        self._classes = None if classes is None else torch.from_numpy(classes).to(device)

    def __call__(self, copies: Copies) -> tuple[np.ndarray, np.ndarray]:
        """The loss of every copy, float32, and its accuracy, float64, NaN without classes."""
        losses = np.empty(copies.n_networks, dtype=np.float32)
        accuracies = np.full(copies.n_networks, np.nan)
        tiled = replace(copies.to(self._device), at_once=self._tile)
        with reproducible():
            torch.set_num_threads(1)
            for rows, trained, kept in tiled.tiles():
                total, named = torch.zeros(self._tile, device=self._device), []
                for outputs, loss in self._loss.outputs_and_losses(trained, kept):
                    total = total + loss
                    named.append(named_classes(outputs, self._undecided_at))
                losses[rows] = total[: len(rows)].cpu().numpy()
                if self._classes is not None:
                    right = torch.cat(named, dim=1) == self._classes
                    share = right[: len(rows)].sum(dim=1).cpu().numpy() / len(self._classes)
                    accuracies[rows] = share
        return losses, accuracies
