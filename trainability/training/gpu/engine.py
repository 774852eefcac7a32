"""The warp engine: whole trainings in one kernel, each network on lanes of one warp of a GPU."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from trainability.networks import Ensemble
from trainability.training.base import Engine, Problem, Training
from trainability.training.flat import flattened, unflattened
from trainability.training.gpu.choice import plan_for
from trainability.training.gpu.launch import on_cpu, on_gpu
from trainability.training.gpu.orders import orders
from trainability.training.gpu.plan import WarpPlan

_SHARED_LIMIT = 227 * 1024
_MOST_CHUNKS = 64
# Numbers in a table of minibatch orders: 256 MiB.
_LARGEST_ORDER = 2**26
# Steps of a call where a warp's networks wait for each other, and for minibatches.
_CHUNK = 512


class WarpEngine(Engine):
    """Networks in the shared memory and the registers of warps, the loop over steps inside.

    Args:
        device: A GPU; or "cpu", where a warp is a vector of 32 lanes, for tests.
        plans: Fields of the plan to set by hand, for tests and measurements.
    """

    name = "warp-gpu"

    def __init__(self, device: str = "cuda", **plans: object) -> None:
        self.device = torch.device(device)
        self._plans = plans

    def obstacle(self, sizes: tuple[int, ...], problem: Problem) -> str | None:
        if self.device.type != "cuda":
            return f"it runs on a GPU, got device {str(self.device)!r}"
        if not torch.cuda.is_available():
            return f"torch sees no GPU, got device {str(self.device)!r}"
        return shape_obstacle(sizes, problem)

    def start(self, ensemble: Ensemble, problem: Problem) -> WarpTraining:
        plan = plan_for(ensemble.sizes, problem, **self._plans)
        return WarpTraining(ensemble, problem, self.device, plan)


def shape_obstacle(sizes: tuple[int, ...], problem: Problem) -> str | None:
    """Why no kernel is written for these networks, or None."""
    if len(sizes) < 3:
        return f"it wants at least one hidden layer, got sizes {sizes}"
    plan = plan_for(sizes, problem)
    if plan is None or plan.shared_bytes > _SHARED_LIMIT or plan.chunks > _MOST_CHUNKS:
        return f"networks of sizes {sizes} outgrow a warp"
    return None


class WarpTraining(Training):
    """Networks in training, as rows of parameters in the order of the plan, on the device."""

    def __init__(
        self, ensemble: Ensemble, problem: Problem, device: torch.device, plan: WarpPlan
    ) -> None:
        n = ensemble.n_networks
        self.loss = np.full(n, np.nan, dtype=np.float32)
        self.steps = np.zeros(n, dtype=np.int64)
        self.succeeded = np.zeros(n, dtype=bool)
        self.diverged = np.zeros(n, dtype=bool)
        self._problem = problem
        self._plan = plan
        self._device = device
        self._step = 0
        self._sizes = ensemble.sizes
        rows = flattened(ensemble)
        self._order = torch.from_numpy(plan.order)
        placed = torch.zeros(n, len(plan.order))
        placed[:, self._order >= 0] = rows[:, self._order[self._order >= 0]]
        shape = (1 + problem.optimizer.n_moments, n, len(plan.order))
        self._state = torch.zeros(shape, device=device)
        self._state[0] = placed.to(device)
        self._tables = {
            name: self._moved(table) for name, table in _tables(problem, plan).items()
        }
        self._numbers = self._moved(np.array(problem.numbers, dtype=np.float32))
        self._keys = self._moved(problem.order_keys.view(np.int64))
        self._chunk = _chunk(problem, plan, n)
        self._launch = (on_gpu if device.type == "cuda" else on_cpu)(plan, device)

    def ensemble(self) -> Ensemble:
        state = self._state[0].cpu()
        rows = torch.zeros(len(state), self._plan.n_parameters)
        rows[:, self._order[self._order >= 0]] = state[:, self._order >= 0]
        return unflattened(rows, self._sizes, self._problem.activation)

    def advance(self, until: int) -> None:
        while True:
            rows = np.flatnonzero(~(self.succeeded | self.diverged))
            if not len(rows):
                self._step = max(self._step, until)
                return
            stop = min(until, self._end_of_chunk(len(rows)))
            self._train(rows, self._step, max(stop, self._step))
            self._step = max(stop, self._step)
            if self._step >= until:
                return

    def _end_of_chunk(self, n_rows: int) -> int:
        """Chunks end where epochs do: there the loss is looked at in any case."""
        epoch = self._problem.steps_per_epoch
        return (self._step + self._chunk) // epoch * epoch

    def _train(self, rows: np.ndarray, start: int, stop: int) -> None:
        problem, device = self._problem, self._device
        n_rows = len(rows)
        indices = self._moved(rows)
        losses = torch.empty(n_rows, device=device)
        steps, live = (torch.empty(n_rows, dtype=torch.int32, device=device) for _ in range(2))
        factors = self._moved(problem.optimizer.factors(start, max(stop, start + 1)))
        tensors = {
            "state": self._state,
            "rows": indices,
            "losses": losses,
            "steps": steps,
            "live": live,
            "numbers": self._numbers,
            "factors": factors,
            **self._tables,
        }
        numbers: dict[str, int | float] = {
            "state_stride": self._state[0].numel(),
            "n_rows": n_rows,
            "n_passes": _passes(len(problem.x), self._plan),
            "first_step": start,
            "n_steps": stop - start,
            "tolerance": float(np.float32(problem.tolerance)),
            "steps_per_epoch": problem.steps_per_epoch,
        }
        if problem.batch_size is not None:
            first = start // problem.steps_per_epoch
            last = max(start, stop - 1) // problem.steps_per_epoch
            tensors["order"] = orders(self._keys[indices], first, last + 1, len(problem.x))
            numbers |= {
                "n_points": len(problem.x),
                "batch_size": problem.batch_size,
                "batch_scale": problem.loss.scale(problem.batch_size, problem.y.shape[1]),
                "n_own_passes": _passes(problem.batch_size, self._plan),
            }
        self._launch(n_rows, tensors, numbers)
        self.steps[rows] = start + steps.cpu().numpy()
        loss, stopped = losses.cpu().numpy(), live.cpu().numpy() == 0
        self.loss[rows] = loss
        self.diverged[rows] = stopped & ~np.isfinite(loss)
        self.succeeded[rows] = stopped & np.isfinite(loss)

    def _moved(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)


def _chunk(problem: Problem, plan: WarpPlan, n_networks: int) -> int:
    """Steps of a call."""
    if problem.batch_size is None:
        return _CHUNK if plan.networks > 1 else 2**30
    n_points, epoch = len(problem.x), problem.steps_per_epoch
    epochs = max(1, _LARGEST_ORDER // (n_points * n_networks) - 1)
    return max(1, min(_CHUNK // epoch, epochs)) * epoch


def _passes(n_points: int, plan: WarpPlan) -> int:
    return -(-n_points // (plan.points * plan.lanes))


@cache
def _places(n_points: int, plan_points: int, lanes: int) -> np.ndarray:
    """Which point lies where in the passes: the last one fills up."""
    n_passes = -(-n_points // (plan_points * lanes))
    return np.minimum(np.arange(n_passes * plan_points * lanes), n_points - 1)


def _tables(problem: Problem, plan: WarpPlan) -> dict[str, np.ndarray]:
    """The points as the kernel wants them."""
    n_points = len(problem.x)
    places = _places(n_points, plan.points, plan.lanes)
    shape = (-1, plan.points, plan.lanes)

    def in_passes(table: np.ndarray) -> np.ndarray:
        table = np.asarray(table, dtype=np.float32)[places]
        return table.reshape(*shape, table.shape[1]).transpose(0, 3, 1, 2)

    scales = np.zeros(len(places), dtype=np.float32)
    scales[:n_points] = problem.loss.scale(n_points, problem.y.shape[1])
    tables = {
        "x": in_passes(problem.x),
        "y": in_passes(problem.y),
        "scales": scales.reshape(shape),
    }
    if problem.batch_size is not None:
        tables |= {
            "table_x": np.asarray(problem.x, dtype=np.float32),
            "table_y": np.asarray(problem.y, dtype=np.float32),
        }
    return tables
