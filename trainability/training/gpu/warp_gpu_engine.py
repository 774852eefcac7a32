"""The warp engine: whole trainings in one kernel, each network on lanes of one warp of a GPU."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from trainability.networks import Ensemble
from trainability.training.contract import Engine, Problem, Training
from trainability.training.flat import flattened, unflattened
from trainability.training.gpu.block_plan import BlockPlan
from trainability.training.gpu.choice import plan_for
from trainability.training.gpu.launch import on_cpu, on_gpu
from trainability.training.gpu.orders import orders
from trainability.training.gpu.plan import WarpPlan

# The rounding that keeps NaN, `max.NaN`, came with it.
_LEAST_CAPABILITY = (8, 0)
# Numbers in a table of minibatch orders.
_LARGEST_ORDER = 2**28
# Steps of a call where a warp's networks wait for each other, and for minibatches: some twenty
# milliseconds of a GPU, since a call costs one.
_LEAST_STEPS, _MOST_STEPS = 256, 1024
_FLOPS_OF_CALL = 4e11


class WarpEngine(Engine):
    """Networks in the shared memory and the registers of warps, the loop over steps inside.

    Networks that outgrow a warp have a block each.

    Args:
        device: A GPU; or "cpu", where a warp is a vector of 32 lanes, for tests.
        threads: Not used.
        plan: How to train networks of given sizes, for tests and measurements.
    """

    name = "warp-gpu"
    on_gpu = True

    def __init__(
        self,
        device: str = "cuda",
        threads: int = 1,
        plan: Callable[[tuple[int, ...], Problem], WarpPlan | BlockPlan | None] = plan_for,
    ) -> None:
        self.device = torch.device(device)
        self._plan = plan

    def rank(self, sizes: tuple[int, ...]) -> int:
        return 3

    def machine_obstacle(self) -> str | None:
        if not torch.cuda.is_available() or torch.version.cuda is None:
            return f"torch sees no GPU of NVIDIA, got device {str(self.device)!r}"
        if torch.cuda.get_device_capability(self.device) < _LEAST_CAPABILITY:
            return f"it wants compute capability {_LEAST_CAPABILITY}, as of an A100, or later"
        return None

    def rules_obstacle(self, sizes: tuple[int, ...], problem: Problem) -> str | None:
        if len(sizes) < 3:
            return f"it wants at least one hidden layer, got sizes {sizes}"
        plan = self._plan(sizes, problem)
        if plan is None:
            what = " in minibatches" if problem.batch_size else ""
            return f"networks of sizes {sizes}{what} outgrow a multiprocessor's memory"
        if self.device.type == "cuda":
            shared = torch.cuda.get_device_properties(self.device).shared_memory_per_block_optin
            if plan.shared_bytes > shared:
                return f"it wants {plan.shared_bytes} bytes of shared memory, the GPU has {shared}"
        return None

    def begin(self, ensemble: Ensemble, problem: Problem) -> WarpTraining:
        plan = self._plan(ensemble.sizes, problem)
        assert plan is not None, "start what has no obstacle"
        return WarpTraining(ensemble, problem, self.device, plan)


class WarpTraining(Training):
    """Networks in training, as rows of parameters in the order of the plan, on the device."""

    def __init__(
        self, ensemble: Ensemble, problem: Problem, device: torch.device, plan: WarpPlan | BlockPlan
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
        self._indices: Tensor | None = None
        self._sizes = ensemble.sizes
        rows = flattened(ensemble)
        self._order = torch.from_numpy(plan.order)
        placed = torch.zeros(n, len(plan.order))
        placed[:, self._order >= 0] = rows[:, self._order[self._order >= 0]]
        shape = (1 + problem.optimizer.n_moments, n, len(plan.order))
        self._state = torch.zeros(shape, device=device)
        self._state[0] = placed.to(device)
        self._tables = {name: self._moved(table) for name, table in _tables(problem, plan).items()}
        self._numbers = self._moved(np.array(problem.numbers, dtype=np.float32))
        self._keys = self._moved(problem.order_keys.view(np.int64))
        self._chunk = _chunk(problem, plan, n, _room(device))
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
        if self._indices is None or len(self._indices) != n_rows:  # Rows only ever leave.
            self._indices = self._moved(rows)
        indices = self._indices
        results = torch.empty(3, n_rows, dtype=torch.int32, device=device)
        factors = self._moved(problem.optimizer.factors(start, max(stop, start + 1)))
        tensors = {
            "state": self._state,
            "rows": indices,
            "losses": results[0],
            "steps": results[1],
            "live": results[2],
            "numbers": self._numbers,
            "factors": factors,
            **self._tables,
        }
        numbers: dict[str, int | float] = {
            "state_stride": self._state[0].numel(),
            "n_rows": n_rows,
            "n_passes": self._plan.passes(len(problem.x)),
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
                "n_own_passes": self._plan.passes(problem.batch_size),
            }
        self._launch(n_rows, tensors, numbers)
        host = results.cpu().numpy()
        loss, stopped = host[0].view(np.float32), host[2] == 0
        self.steps[rows] = start + host[1]
        self.loss[rows] = loss
        self.diverged[rows] = stopped & ~np.isfinite(loss)
        self.succeeded[rows] = stopped & np.isfinite(loss)

    def _moved(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)


def _chunk(problem: Problem, plan: WarpPlan | BlockPlan, n_networks: int, room: int) -> int:
    """Steps of a call: in whole epochs, whose orders take `room` numbers at most."""
    if problem.batch_size is None and plan.networks == 1:
        return 2**30
    flops = 6 * plan.n_parameters * (problem.batch_size or len(problem.x)) * n_networks
    chunk = min(_MOST_STEPS, max(_LEAST_STEPS, int(_FLOPS_OF_CALL / flops)))
    if problem.batch_size is None:
        return chunk
    epoch = problem.steps_per_epoch
    return max(1, min(chunk // epoch, room // (len(problem.x) * n_networks) - 1)) * epoch


def _room(device: torch.device) -> int:
    """Numbers that minibatch orders may take: 1 GiB, or a sixteenth of the memory."""
    if device.type == "cpu":
        return _LARGEST_ORDER
    return min(_LARGEST_ORDER, torch.cuda.mem_get_info(device)[0] // 64)


def _tables(problem: Problem, plan: WarpPlan | BlockPlan) -> dict[str, np.ndarray]:
    """The points as the kernel wants them."""
    n_points = len(problem.x)
    # The last pass is filled up with a point that counts for nothing.
    size = plan.pass_size
    places = np.minimum(np.arange(plan.passes(n_points) * size), n_points - 1)

    def in_passes(table: np.ndarray) -> np.ndarray:
        return plan.in_passes(np.asarray(table, dtype=np.float32)[places])

    scales = np.zeros((len(places), 1), dtype=np.float32)
    scales[:n_points] = problem.loss.scale(n_points, problem.y.shape[1])
    tables = {
        "x": in_passes(problem.x),
        "y": in_passes(problem.y),
        "scales": plan.in_passes(scales),
    }
    if problem.batch_size is not None:
        tables |= {
            "table_x": np.asarray(problem.x, dtype=np.float32),
            "table_y": np.asarray(problem.y, dtype=np.float32),
        }
    return tables
