"""The memory of a group of networks that train side by side, in the shapes that kernels want."""

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


class Group:
    """As many networks as there are lanes, and what a worker needs to train them.

    Args:
        plan: What the kernel is specialized for.
        kernel: The functions `train` and `evaluate`.
        problem: What the networks are trained on.
        tables: `tables_of(problem, plan)`.
    """

    def __init__(
        self,
        plan: Plan,
        kernel: dict[str, Function],
        problem: Problem,
        tables: dict[str, np.ndarray | int],
    ) -> None:
        self._plan = plan
        self._problem = problem
        n = plan.n_parameters
        self._state = aligned((1 + plan.n_moments, n, plan.lanes))
        self._losses = aligned((plan.lanes,))
        self._steps = aligned((plan.lanes,), np.int32)
        self._live = aligned((plan.lanes,), np.int32)
        self._keys = aligned((plan.lanes,), np.uint64)
        names = ("parameters", *plan.moments)
        arrays: dict[str, Any] = tables | dict(zip(names, self._state, strict=False))
        arrays |= {
            "outputs": aligned((plan.n_outputs, plan.lanes)),
            "losses": self._losses,
        }
        self._run_evaluate = kernel["evaluate"].bind(**arrays)
        if not plan.full_batch:
            arrays |= {
                "keys": self._keys,
                "order": aligned((2 * len(problem.x), plan.lanes), np.int32),
                "own": aligned((plan.n_own * plan.points, plan.lanes)),
            }
        self._run_train = kernel["train"].bind(
            gradients=aligned((n, plan.lanes)),
            settings=_filled(np.array([problem.numbers]), plan.n_numbers),
            tolerance=problem.tolerance,
            steps=self._steps,
            live=self._live,
            **arrays,
        )

    def train(
        self, state: np.ndarray, rows: np.ndarray, start: int, stop: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Train the networks `rows` of `state` from step `start` to `stop`, in place.

        Args:
            state: Parameters and moments, shape (1 + moments, R, parameters).
            rows: Indices of at most as many networks as there are lanes.
            start: The step that these networks are at.
            stop: The step to stop at.

        Returns:
            For each of the rows its step, whether it stopped and, if so, its loss.
        """
        lanes = slice(len(rows))
        self._load(state, rows)
        self._steps[:] = 0
        self._live[:] = 0
        self._live[lanes] = 1
        self._keys[lanes] = self._problem.order_keys[rows]
        self._run_train(
            schedule=_schedule(self._problem.optimizer, start, stop, self._plan.n_factors),
            first_step=start,
            n_steps=stop - start,
        )
        state[:, rows] = self._state[:, :, lanes].transpose(0, 2, 1)
        return start + self._steps[lanes], self._live[lanes] == 0, self._losses[lanes]

    def evaluate(self, state: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Losses of the networks `rows`."""
        self._load(state, rows)
        self._run_evaluate()
        return self._losses[: len(rows)]

    def _load(self, state: np.ndarray, rows: np.ndarray) -> None:
        self._state[:, :, : len(rows)] = state[:, rows].transpose(0, 2, 1)
        self._state[:, :, len(rows) :] = 0


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
