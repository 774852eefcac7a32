"""The fused GPU engine: whole trainings of narrow networks in one Triton kernel.

No GPU was at hand when this was written. Its logic was run in Triton's interpreter on a CPU, and
its kernels were compiled for compute capability 9.0, whose registers and spills are stated below;
nothing of it was run, and no speed was measured, on a real GPU.
"""

from __future__ import annotations

import importlib.util
import os
from contextlib import nullcontext
from functools import cache
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainability.networks import Ensemble
from trainability.training import gpu_kernel
from trainability.training.base import Engine, Problem
from trainability.training.flat import flattened, unflattened
from trainability.training.rules import N_MOMENTS, Rule, rule_of, rules_obstacle, schedule, settings
from trainability.training.tiles import TiledTraining

# Parameters, gradients and moments that a thread may hold. Compiled for compute capability 9.0,
# 196 numbers fill its 255 registers without a spill; of 316 some go to local memory in every
# step, and the first compilation takes a minute, which grows with the square.
_LARGEST = 320

# Threads that share the points of a network; more keep more of a GPU busy, but all of them do
# the same update. Part of the arithmetic: it must not depend on the number of networks.
_LANES = 8
_WARP = 32
_CHUNK = 256
# Numbers in a table of minibatch orders: 256 MiB.
_LARGEST_ORDER = 2**26


class FusedGpuEngine(Engine):
    """One network on a few threads, its numbers in registers, the loop over steps inside.

    Args:
        device: A GPU; or "cpu" where the environment has TRITON_INTERPRET=1, for tests.
        warps: Warps of 32 threads that run as one program; changes no bit.
    """

    name = "fused-gpu"

    def __init__(self, device: str = "cuda", warps: int = 1) -> None:
        self.device = torch.device(device)
        self.warps = warps

    def obstacle(self, sizes: tuple[int, ...], problem: Problem) -> str | None:
        interpreted = self.device.type == "cpu" and os.environ.get("TRITON_INTERPRET") == "1"
        refused = rules_obstacle(problem)
        if refused:
            return refused
        if self.device.type != "cuda" and not interpreted:
            return f"it runs on a GPU, got device {str(self.device)!r}"
        if importlib.util.find_spec("triton") is None:
            return "triton is not installed; pip install triton"
        if not interpreted and not torch.cuda.is_available():
            return f"torch sees no GPU, got device {str(self.device)!r}"
        per_parameter = 2 + N_MOMENTS[rule_of(problem.optimizer)]
        n_parameters = sum(into * out + out for into, out in pairwise(sizes))
        if n_parameters * per_parameter > _LARGEST:
            return (
                "a network with its gradients and moments must fit into the registers of a "
                f"thread, at most {_LARGEST // per_parameter} parameters, got {n_parameters}"
            )
        return None

    def start(self, ensemble: Ensemble, problem: Problem) -> FusedGpuTraining:
        return FusedGpuTraining(ensemble, problem, self.device, self.warps)


class FusedGpuTraining(TiledTraining):
    """Networks in training as rows of W1, b1, W2, b2, ... on the device.

    A call of the kernel is given the rows that still train, so that no thread holds another.
    """

    def __init__(
        self, ensemble: Ensemble, problem: Problem, device: torch.device, warps: int
    ) -> None:
        n_points = len(problem.x)
        epochs = max(1, min(_CHUNK, _LARGEST_ORDER // (n_points * ensemble.n_networks)))
        super().__init__(
            ensemble.n_networks,
            problem,
            tile=max(1, _LARGEST_ORDER // n_points),
            chunk=min(_CHUNK, epochs * problem.steps_per_epoch),
            threads=1,
        )
        rule = rule_of(problem.optimizer)
        self._sizes = (ensemble.d_in, *ensemble.widths, ensemble.d_out)
        self._kernel = _kernel(self._sizes, rule, problem.batch_size is None)
        self._device = device
        self._lanes = _point_lanes(problem.batch_size or n_points)
        self._networks = _WARP * warps // self._lanes
        self._warps = warps
        parameters = flattened(ensemble).to(device)
        self._state = [parameters, *(torch.zeros_like(parameters) for _ in range(N_MOMENTS[rule]))]
        self._points = [
            self._moved(np.ascontiguousarray(table, dtype=np.float32))
            for table in (problem.x, problem.y)
        ]
        self._settings = self._moved(settings(problem.optimizer))
        self._keys = self._moved(problem.order_keys.view(np.int64))

    def ensemble(self) -> Ensemble:
        return unflattened(self._state[0].cpu(), self._sizes)

    def _train(self, rows: np.ndarray, start: int, stop: int) -> None:
        problem = self._problem
        indices = self._moved(rows)
        losses = torch.empty(len(rows), device=self._device)
        steps, live = (torch.empty_like(losses, dtype=torch.int32) for _ in range(2))
        self._launch(
            self._kernel.train,
            len(rows),
            *self._state,
            indices,
            losses,
            steps,
            live,
            *self._points,
            len(problem.x),
            start,
            stop - start,
            problem.tolerance,
            self._settings,
            self._moved(schedule(problem.optimizer, start, stop)),
            self._order(indices, start, stop),
            problem.batch_size or 0,
            problem.steps_per_epoch,
        )
        found = start + steps.cpu().numpy()
        stopped = live.cpu().numpy() == 0
        self.steps[rows] = found
        self._note(rows[stopped], losses.cpu().numpy()[stopped], found[stopped])

    def _evaluate(self, rows: np.ndarray) -> None:
        losses = torch.empty(len(rows), device=self._device)
        self._launch(
            self._kernel.evaluate,
            len(rows),
            self._state[0],
            self._moved(rows),
            losses,
            *self._points,
            len(self._problem.x),
        )
        self._note(rows, losses.cpu().numpy(), self._step)

    def _order(self, indices: Tensor, start: int, stop: int) -> Tensor:
        """Orders of the epochs that these steps touch, int32, shape (epochs, points, rows)."""
        problem = self._problem
        if problem.batch_size is None:
            return indices.to(torch.int32)
        # Imported here, as Triton is there only where a GPU is.
        from trainability.training.gpu_shuffle import shuffle

        first, last = start // problem.steps_per_epoch, (stop - 1) // problem.steps_per_epoch
        shape = (last - first + 1, len(problem.x), len(indices))
        order = torch.empty(shape, dtype=torch.int32, device=self._device)
        grid = (-(-len(indices) // _WARP), len(order))
        arguments = (self._keys, indices, len(indices), order, len(problem.x), first)
        _run(shuffle, self._device, grid, 1, *arguments, NETWORKS=_WARP)
        return order

    def _launch(self, function: Any, n_rows: int, *arguments: Any) -> None:
        grid = (-(-n_rows // self._networks),)
        sizes = {"NETWORKS": self._networks, "LANES": self._lanes}
        _run(function, self._device, grid, self._warps, n_rows, *arguments, **sizes)

    def _moved(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self._device)


def _run(
    function: Any,
    device: torch.device,
    grid: tuple[int, ...],
    warps: int,
    *arguments: Any,
    **sizes: int,
) -> None:
    """Start a Triton function; the result is there when torch looks at it."""
    # Triton starts programs on torch's current device.
    with nullcontext() if device.type == "cpu" else torch.cuda.device(device):
        function[grid](*arguments, **sizes, num_warps=warps, num_stages=1, enable_fp_fusion=True)


def _point_lanes(n_points: int) -> int:
    """Threads per network for steps of so many points: a power of two."""
    return min(_LANES, 2 ** (n_points.bit_length() - 1))


@cache
def _kernel(sizes: tuple[int, ...], rule: Rule, full_batch: bool) -> ModuleType:
    """The compiled functions; Triton compiles at the first call and keeps the code on disk."""
    text = gpu_kernel.source(sizes, rule, full_batch)
    name = "-".join(["networks", *map(str, sizes), rule, "full" if full_batch else "mini"])
    return gpu_kernel.module(text, name)
