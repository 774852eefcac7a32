"""The reference engine: stacked tensors on any device that torch knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from trainability.networks import Ensemble
from trainability.seeds import batch_order
from trainability.training.contract import EXTREMES, LEARNABLE, Engine, Problem
from trainability.training.cpu.tiles import TiledTraining
from trainability.training.passes import Passes, Updates, padded

# A batched matrix product rounds a network's numbers differently with the number of matrices
# in the batch and with their alignment in memory. So all tiles have the same size (short ones
# are filled up), points are padded to 16 and features to 4: every matrix is a multiple of 64
# bytes. Then, measured with torch 2.13 and MKL, neither the neighbors, nor the position in the
# tile, nor the number of threads changes a bit.
_POINT_PADDING = 16
_CHUNK = 256
_DEVICE_TILE = 1024


class TorchEngine(Engine):
    """Stacked tensors and batched matrix products; any shape.

    Args:
        device: A torch device.
        threads: On a CPU, tiles that train at the same time.
    """

    name = "torch"
    meets = frozenset({EXTREMES, LEARNABLE})

    def __init__(self, device: str = "cpu", threads: int = 1) -> None:
        self.device = torch.device(device)
        self.threads = threads

    @classmethod
    def networks_to_measure(cls, device: str) -> int:
        return 1024 if device == "cpu" else 8192

    def rank(self, sizes: tuple[int, ...]) -> int:
        return 1

    def rules_obstacle(self, sizes: tuple[int, ...], problem: Problem) -> str | None:
        return None

    def begin(self, ensemble: Ensemble, problem: Problem) -> TorchTraining:
        return TorchTraining(ensemble, problem, self.device, self.threads)


class TorchTraining(TiledTraining[Ensemble]):
    """Networks in training as stacked tensors, their `parameters`, padded with zeros."""

    def __init__(
        self, ensemble: Ensemble, problem: Problem, device: torch.device, threads: int
    ) -> None:
        on_cpu = device.type == "cpu"
        super().__init__(
            ensemble.n_networks,
            problem,
            tile=tile_size(ensemble.sizes, len(problem.x)) if on_cpu else _DEVICE_TILE,
            chunk=_CHUNK,
            threads=threads if on_cpu else 1,
        )
        self._device = device
        # Its parameters are not looked at any more: it makes others of its kind.
        self._first = ensemble
        self._parameters = [padded(tensor.to(device)) for tensor in ensemble.parameters]
        self._moments = [
            [torch.zeros_like(parameter) for parameter in self._parameters]
            for _ in range(problem.optimizer.n_moments)
        ]
        self._passes = Passes(ensemble.sizes, problem.activation, problem.loss, problem.penalty)
        self._update = Updates(problem.optimizer, problem.penalty, device)
        self._x = padded(torch.as_tensor(problem.x, dtype=torch.float32)[None])[0].to(device)
        self._y = padded(torch.as_tensor(problem.y, dtype=torch.float32)[None])[0].to(device)
        self._all_points = self._batch(np.arange(len(problem.x))[None])

    def advance(self, until: int) -> None:
        with float32_on_one_thread():
            super().advance(until)

    def ensemble(self) -> Ensemble:
        tensors = [
            parameter[tuple(slice(size) for size in first.shape)].to("cpu", copy=True)
            for parameter, first in zip(self._parameters, self._first.parameters, strict=True)
        ]
        return self._first.with_parameters(tensors)

    def _prepare_worker(self) -> None:
        # The number of OpenMP threads belongs to the thread that sets it.
        torch.set_num_threads(1)

    def _train(self, rows: np.ndarray, start: int, stop: int) -> None:
        # A network that stops is written back at once; its slot runs on, and counts no more.
        problem = self._problem
        factors = np.ascontiguousarray(problem.optimizer.factors(start, stop))
        filled, parameters = self._load(rows)
        indices = torch.from_numpy(filled).to(self._device)
        moments = [[moment[indices] for moment in group] for group in self._moments]
        live = np.arange(len(rows))
        order = np.empty((0, 0), dtype=np.int32)
        for step in range(start, stop):
            if problem.batch_size is None:
                loss, gradients = self._passes.loss_and_gradients(parameters, *self._all_points)
                live = self._retire(rows, live, parameters, loss, step)
            else:
                epoch, batch = divmod(step, problem.steps_per_epoch)
                if batch == 0:
                    loss = self._passes.loss_at(parameters, *self._all_points)
                    live = self._retire(rows, live, parameters, loss, step)
                if batch == 0 or step == start:
                    order = batch_order(problem.order_keys[filled], epoch, len(problem.x))
                first = batch * problem.batch_size
                points = self._batch(order[:, first : first + problem.batch_size])
                _, gradients = self._passes.loss_and_gradients(parameters, *points)
            if not len(live):
                return
            self._update(parameters, moments, gradients, factors[step - start])
        self.steps[rows[live]] = stop
        self._store(rows, live, self._parameters, parameters)
        for kept, new in zip(self._moments, moments, strict=True):
            self._store(rows, live, kept, new)

    def _evaluate(self, rows: np.ndarray) -> None:
        _, parameters = self._load(rows)
        loss = self._passes.loss_at(parameters, *self._all_points).cpu().numpy()
        self._note(rows, loss[: len(rows)], self._step)

    def _retire(
        self,
        rows: np.ndarray,
        live: np.ndarray,
        parameters: list[Tensor],
        loss: Tensor,
        step: int,
    ) -> np.ndarray:
        """Note the loss of the live slots and write back those that stop; returns the others."""
        stops = self._note(rows[live], loss.cpu().numpy()[live], step)
        if stops.any():
            self._store(rows, live[stops], self._parameters, parameters)
        return live[~stops]

    def _load(self, rows: np.ndarray) -> tuple[np.ndarray, list[Tensor]]:
        """The rows filled up to a whole tile, and the parameters of their networks."""
        filled = np.resize(rows, self._tile)
        indices = torch.from_numpy(filled).to(self._device)
        return filled, [parameter[indices] for parameter in self._parameters]

    def _store(
        self, rows: np.ndarray, slots: np.ndarray, kept: list[Tensor], new: list[Tensor]
    ) -> None:
        targets = torch.from_numpy(rows[slots]).to(self._device)
        sources = torch.from_numpy(slots).to(self._device)
        for target, source in zip(kept, new, strict=True):
            target[targets] = source[sources]

    def _batch(self, order: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs, targets and gradient scales of the points in `order`, shape (T or 1, N).

        Padding repeats a point, with scale 0: so it can't overflow where the others don't.
        """
        n_points = order.shape[1]
        indices = torch.from_numpy(padded_points(order)).to(self._device, torch.int64)
        d_out = self._problem.y.shape[1]
        scales = torch.zeros(indices.shape[1], self._y.shape[1], device=self._device)
        scales[:n_points, :d_out] = self._problem.loss.scale(n_points, d_out)
        shape = (self._tile, -1, -1)
        return self._x[indices].expand(shape), self._y[indices].expand(shape), scales


def tile_size(sizes: tuple[int, ...], n_points: int) -> int:
    """Networks whose widest layer takes about 1 MiB, as a power of two from 32 to 256.

    Small enough for the caches, large enough that the calls do not cost more than the work; the
    number of networks must not matter.
    """
    fitting = 2**18 // (n_points * max(sizes))
    return min(256, max(32, 2 ** (fitting.bit_length() - 1)))


def padded_points(order: np.ndarray) -> np.ndarray:
    """Indices of points, shape (T, N), filled up with the last one, which then counts nothing."""
    return np.pad(order, ((0, 0), (0, -order.shape[1] % _POINT_PADDING)), mode="edge")


@contextmanager
def float32_on_one_thread() -> Iterator[None]:
    """No TF32, and one thread per worker, while it lasts."""
    precision = torch.get_float32_matmul_precision()
    threads = torch.get_num_threads()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(precision)
        torch.set_num_threads(threads)
