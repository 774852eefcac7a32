"""The memory of groups of networks that train side by side, in the shapes that kernels want."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from trainability.losses import Loss
from trainability.optimizers import Optimizer
from trainability.training.contract import Problem
from trainability.training.cpu.compiled import Function
from trainability.training.cpu.plan import Plan

_CACHE_LINE = 64


class Groups:
    """Groups of as many networks as there are lanes, and what a worker needs to train them.

    Args:
        n: Groups, that are loaded and stored together and train one after the other.
        plan: What the kernel is specialized for.
        kernel: The functions `train` and `evaluate`.
        problem: What the networks are trained on.
        tables: `tables_of(problem, plan)`.
    """

    def __init__(
        self,
        n: int,
        plan: Plan,
        kernel: dict[str, Function],
        problem: Problem,
        tables: dict[str, np.ndarray | int],
    ) -> None:
        self._plan = plan
        self._problem = problem
        n_parameters, lanes = plan.n_parameters, plan.lanes
        self._state = aligned((n, 1 + plan.n_moments, n_parameters, lanes))
        self._losses = aligned((n, lanes))
        self._steps = aligned((n, lanes), np.int32)
        self._live = aligned((n, lanes), np.int32)
        self._keys = aligned((n, lanes), np.uint64)
        shared: dict[str, Any] = tables | {"outputs": aligned((plan.n_outputs, lanes))}
        own = [self._own(group) for group in range(n)]
        self._evaluate = [kernel["evaluate"].bind(**shared, **arrays) for arrays in own]
        shared |= {
            "gradients": aligned((n_parameters, lanes)),
            "settings": _filled(np.array([problem.numbers]), plan.n_numbers),
            "tolerance": problem.tolerance,
        }
        if not plan.full_batch:
            shared |= {
                "order": aligned((2 * len(problem.x), lanes), np.int32),
                "own": aligned((plan.n_own * plan.points, lanes)),
            }
        self._train = [kernel["train"].bind(**shared, **arrays) for arrays in own]

    def _own(self, group: int) -> dict[str, np.ndarray]:
        """The arguments of the kernel that are arrays of one group."""
        names = ("parameters", *self._plan.moments)
        arrays = dict(zip(names, self._state[group], strict=False))
        arrays |= {"losses": self._losses[group], "steps": self._steps[group]}
        arrays |= {"live": self._live[group]}
        return arrays if self._plan.full_batch else arrays | {"keys": self._keys[group]}

    def train(
        self, state: np.ndarray, rows: np.ndarray, start: int, stop: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Train the networks `rows` of `state` from step `start` to `stop`, in place.

        Args:
            state: Parameters and moments, shape (1 + moments, R, parameters).
            rows: Indices of at most as many networks as the groups have lanes.
            start: The step that these networks are at.
            stop: The step to stop at.

        Returns:
            For each of the rows its step, whether it stopped and, if so, its loss.
        """
        n = len(rows)
        n_groups = self._load(state, rows)
        self._steps[:] = 0
        self._live[:] = 0
        self._live.reshape(-1)[:n] = 1
        self._keys.reshape(-1)[:n] = self._problem.order_keys[rows]
        schedule = _schedule(self._problem.optimizer, start, stop, self._plan.n_factors)
        for run in self._train[:n_groups]:
            run(schedule=schedule, first_step=start, n_steps=stop - start)
        self._store(state, rows)
        steps, live, losses = (a.reshape(-1)[:n] for a in (self._steps, self._live, self._losses))
        return start + steps, live == 0, losses

    def evaluate(self, state: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Losses of the networks `rows`."""
        for run in self._evaluate[: self._load(state, rows)]:
            run()
        return self._losses.reshape(-1)[: len(rows)]

    def _store(self, state: np.ndarray, rows: np.ndarray) -> None:
        """Put the networks back, without a copy in between."""
        whole, rest = divmod(len(rows), self._plan.lanes)
        of_whole, of_rest = np.split(rows, [len(rows) - rest])
        by_group = of_whole.reshape(whole, self._plan.lanes)
        state[:, by_group] = self._state[:whole].transpose(1, 0, 3, 2)
        if rest:
            state[:, of_rest] = self._state[whole, :, :, :rest].transpose(0, 2, 1)

    def _load(self, state: np.ndarray, rows: np.ndarray) -> int:
        """Fill the lanes of the groups, those left over with zeros; returns how many groups."""
        lanes = self._plan.lanes
        n_groups = -(-len(rows) // lanes)
        by_network = state[:, rows]
        if len(rows) < n_groups * lanes:
            left_over = n_groups * lanes - len(rows)
            by_network = np.pad(by_network, ((0, 0), (0, left_over), (0, 0)))
        by_group = by_network.reshape(len(state), n_groups, lanes, -1)
        self._state[:n_groups] = by_group.transpose(1, 0, 3, 2)
        return n_groups


def tables_of(problem: Problem, plan: Plan) -> dict[str, np.ndarray | int]:
    """The arguments of a kernel that hold the points."""
    x, y = (np.ascontiguousarray(table, dtype=np.float32) for table in (problem.x, problem.y))
    n_points, size = len(x), problem.batch_size
    n_passes = -(-n_points // plan.points)
    # The last pass is filled up with a point that counts for nothing.
    index = np.minimum(np.arange(n_passes * plan.points), n_points - 1)
    passes = {
        name: np.ascontiguousarray(
            table[index].reshape(n_passes, plan.points, -1).transpose(0, 2, 1)
        )
        for name, table in (("x", x), ("y", y))
    }
    tables = passes | {"scales": _scales(problem.loss, n_points, plan), "n_passes": n_passes}
    if size is None:
        return tables
    return tables | {
        "table": _filled(np.concatenate([x, y], axis=1), plan.n_own),
        "n_points": n_points,
        "batch_size": size,
        "steps_per_epoch": problem.steps_per_epoch,
        "own_scales": _scales(problem.loss, size, plan),
        "n_own_passes": -(-size // plan.points),
    }


@lru_cache(maxsize=8)
def _schedule(optimizer: Optimizer, start: int, stop: int, n_factors: int) -> np.ndarray:
    """The factors of some steps, float32, shape (stop - start, n_factors)."""
    return _filled(optimizer.factors(start, stop), n_factors)


def _filled(rows: np.ndarray, length: int) -> np.ndarray:
    """Rows of numbers that no rule of this kernel reads at their end, float32."""
    missing = length - rows.shape[1]
    return np.ascontiguousarray(np.pad(rows, ((0, 0), (0, missing))), dtype=np.float32)


def _scales(loss: Loss, n_points: int, plan: Plan) -> np.ndarray:
    """The factor of every point in the loss; 0 for points that fill up a pass."""
    scales = np.zeros(n_points + -n_points % plan.points, dtype=np.float32)
    scales[:n_points] = loss.scale(n_points, plan.sizes[-1])
    return scales


def aligned(shape: tuple[int, ...], dtype: type = np.float32) -> np.ndarray:
    """Zeros that begin with a cache line."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + _CACHE_LINE, dtype=np.uint8)
    first = -memory.ctypes.data % _CACHE_LINE
    return memory[first : first + size].view(dtype).reshape(shape)
