"""The graph engine: a training step of wide networks as one CUDA graph.

A step looks at nothing on the host, so that a GPU goes from step to step without waiting for it.
On a CPU, for tests, the steps are called one by one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from trainability.networks import Ensemble
from trainability.optimizers import Adam
from trainability.seeds import batch_order
from trainability.training.contract import Engine, Problem
from trainability.training.cpu.tiles import TiledTraining
from trainability.training.graph_rules import N_MOMENTS, rule_of, rules_obstacle, schedule
from trainability.training.passes import Passes, padded
from trainability.training.torch_engine import float32_on_one_thread, padded_points

_POINT_PADDING = 16
_CHUNK = 64
# Steps between two looks of the host at who is still training.
_PATIENCE = 16
_WARM_UPS = 3


class GraphEngine(Engine):
    """Batched matrix products, captured once and replayed; any shape.

    Args:
        device: A GPU; or "cpu", where nothing is captured, for tests.
        threads: Not used.
        tile: Networks that train together; 1,024 on a GPU, few for tests.
    """

    name = "graph-gpu"
    on_gpu = True

    def __init__(self, device: str = "cuda", threads: int = 1, tile: int | None = None) -> None:
        self.device = torch.device(device)
        self.tile = tile or (1024 if self.device.type == "cuda" else 32)

    @classmethod
    def networks_to_measure(cls, device: str) -> int:
        return 8192

    def rank(self, sizes: tuple[int, ...]) -> int:
        return 2

    def machine_obstacle(self) -> str | None:
        if not torch.cuda.is_available():
            return f"torch sees no GPU, got device {str(self.device)!r}"
        return None

    def rules_obstacle(self, sizes: tuple[int, ...], problem: Problem) -> str | None:
        return rules_obstacle(problem)

    def begin(self, ensemble: Ensemble, problem: Problem) -> GraphTraining:
        with float32_on_one_thread():
            return GraphTraining(ensemble, problem, self.device, self.tile)


class GraphTraining(TiledTraining):
    """Networks in training as stacked tensors; a tile of them lies where the graph reads it."""

    def __init__(
        self, ensemble: Ensemble, problem: Problem, device: torch.device, tile: int
    ) -> None:
        super().__init__(ensemble.n_networks, problem, tile=tile, chunk=_CHUNK, threads=1)
        self._device = device
        tensors = ensemble.parameters
        self._passes = Passes(ensemble.sizes, problem.activation, problem.loss)
        self._shapes = [tensor.shape for tensor in tensors]
        n_moments = N_MOMENTS[rule_of(problem.optimizer)]
        first = [padded(tensor.to(device)) for tensor in tensors]
        self._kept = [first, *([torch.zeros_like(t) for t in first] for _ in range(n_moments))]
        self._state = [[t.new_zeros((tile, *t.shape[1:])) for t in group] for group in self._kept]
        self._training = torch.zeros(tile, dtype=torch.bool, device=device)
        self._last_loss = torch.zeros(tile, device=device)
        self._count = torch.zeros(tile, dtype=torch.int64, device=device)
        # Of a call: the step, and for every step the factors of the update and the points.
        longest = _CHUNK + problem.steps_per_epoch
        self._done = torch.zeros(1, dtype=torch.int64, device=device)
        self._schedule = torch.zeros(longest, 2, device=device)
        self._x, self._y = (
            padded(torch.as_tensor(table, dtype=torch.float32)[None])[0].to(device)
            for table in (problem.x, problem.y)
        )
        self._all_points = self._gathered(padded_points(np.arange(len(problem.x))[None]))
        self._scales = self._scales_of(len(problem.x))
        if problem.batch_size is None:
            self._step_on_device = self._captured(self._full_step)
            return
        self._batch_scales = self._scales_of(problem.batch_size)
        shape = (longest, tile, len(self._batch_scales))
        self._batches = torch.zeros(shape, dtype=torch.int32, device=device)
        self._look_on_device = self._captured(self._look_at_all)
        self._step_on_device = self._captured(self._mini_step)

    def advance(self, until: int) -> None:
        with float32_on_one_thread():
            super().advance(until)

    def ensemble(self) -> Ensemble:
        tensors = [
            parameter[tuple(slice(size) for size in shape)].to("cpu", copy=True)
            for parameter, shape in zip(self._kept[0], self._shapes, strict=True)
        ]
        return Ensemble(tuple(tensors[::2]), tuple(tensors[1::2]), self._problem.activation)

    def _train(self, rows: np.ndarray, start: int, stop: int) -> None:
        problem = self._problem
        indices = self._load(rows)
        self._training[: len(rows)] = True
        self._training[len(rows) :] = False
        self._count.zero_()
        self._done.zero_()
        factors = schedule(problem.optimizer, start, stop)
        self._schedule[: len(factors)] = torch.from_numpy(factors).to(self._device)
        if problem.batch_size is not None:
            self._deal(rows, start, stop)
        for step in range(start, stop):
            if problem.batch_size is not None and step % problem.steps_per_epoch == 0:
                self._look_on_device()
            self._step_on_device()
            if step % _PATIENCE == 0 and not self._training.any():
                break
        for kept, state in zip(self._kept, self._state, strict=True):
            for target, source in zip(kept, state, strict=True):
                target[indices] = source[: len(rows)]
        steps, live, losses = (
            tensor[: len(rows)].cpu().numpy()
            for tensor in (self._count, self._training, self._last_loss)
        )
        self.steps[rows] = start + steps
        self._note(rows[~live], losses[~live], start + steps[~live])

    def _evaluate(self, rows: np.ndarray) -> None:
        self._load(rows)
        loss = self._passes.loss_at(self._state[0], *self._all_points, self._scales).cpu().numpy()
        self._note(rows, loss[: len(rows)], self._step)

    def _load(self, rows: np.ndarray) -> Tensor:
        """Fill the tile with these networks and zeros; returns their indices."""
        indices = torch.from_numpy(rows).to(self._device)
        for kept, state in zip(self._kept, self._state, strict=True):
            for source, target in zip(kept, state, strict=True):
                target[: len(rows)] = source[indices]
                target[len(rows) :] = 0
        return indices

    def _deal(self, rows: np.ndarray, start: int, stop: int) -> None:
        """Look up the points of every step of a call."""
        problem = self._problem
        assert problem.batch_size is not None
        order = np.empty((0, 0), dtype=np.int32)
        for step in range(start, stop):
            epoch, batch = divmod(step, problem.steps_per_epoch)
            if batch == 0 or step == start:
                order = batch_order(problem.order_keys[rows], epoch, len(problem.x))
            first = batch * problem.batch_size
            points = padded_points(order[:, first : first + problem.batch_size])
            self._batches[step - start, : len(rows)] = torch.from_numpy(points).to(self._device)

    def _full_step(self) -> None:
        loss, gradients = self._passes.loss_and_gradients(
            self._state[0], *self._all_points, self._scales
        )
        self._look(loss)
        self._update(gradients)

    def _mini_step(self) -> None:
        points = self._gathered(self._batches.index_select(0, self._done)[0])
        _, gradients = self._passes.loss_and_gradients(self._state[0], *points, self._batch_scales)
        self._update(gradients)

    def _look_at_all(self) -> None:
        self._look(self._passes.loss_at(self._state[0], *self._all_points, self._scales))

    def _look(self, loss: Tensor) -> None:
        self._last_loss.copy_(torch.where(self._training, loss, self._last_loss))
        self._training.logical_and_(
            loss.isfinite() & (loss > float(np.float32(self._problem.tolerance)))
        )

    def _update(self, gradients: list[Tensor]) -> None:
        """Update the live networks. The moments of the others are not needed any more."""
        optimizer = self._problem.optimizer
        step_size, correction = self._schedule.index_select(0, self._done)[0]
        for parameter, gradient, *moments in zip(
            self._state[0], gradients, *self._state[1:], strict=True
        ):
            direction = gradient
            if isinstance(optimizer, Adam):
                m, v = moments
                m.mul_(optimizer.beta1).add_(gradient, alpha=1 - optimizer.beta1)
                v.mul_(optimizer.beta2).addcmul_(gradient, gradient, value=1 - optimizer.beta2)
                direction = m / (v.sqrt() * correction + optimizer.epsilon)
            elif moments:
                direction = moments[0].mul_(optimizer.numbers()[0]).add_(gradient)
            live = self._training.view(-1, *[1] * (parameter.ndim - 1))
            parameter.copy_(torch.where(live, parameter + step_size * direction, parameter))
        self._count.add_(self._training)
        self._done.add_(1)

    def _gathered(self, points: Tensor | np.ndarray) -> tuple[Tensor, Tensor]:
        """Inputs and targets of the points, shape (T, N, features)."""
        indices = torch.as_tensor(points, device=self._device).long()
        shape = (self._tile, -1, -1)
        return self._x[indices].expand(shape), self._y[indices].expand(shape)

    def _scales_of(self, n_points: int) -> Tensor:
        """Derivative of the loss by an output, per difference; 0 for points that fill up."""
        scales = torch.zeros(n_points + -n_points % _POINT_PADDING, 1, device=self._device)
        scales[:n_points] = 2 / (n_points * self._problem.y.shape[1])
        return scales

    def _captured(self, work: Callable[[], None]) -> Callable[[], None]:
        """The same work as one graph, on a GPU. A tile without live networks warms it up."""
        if self._device.type != "cuda":
            return work
        with torch.cuda.device(self._device):
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(_WARM_UPS):
                    work()
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                work()
        return graph.replay
