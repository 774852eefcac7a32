"""Which plan trains networks of a shape: a pure function, since it is part of the arithmetic."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from trainability.training.contract import Problem
from trainability.training.gpu.block_plan import POINTS, BlockPlan
from trainability.training.gpu.plan import WarpPlan

SHARED_BYTES = 227 * 1024
"""What a block can have of a multiprocessor's shared memory (compute capability 9.0)."""

# Hidden values of a layer, its deltas and those of the layer below: a lane has them in registers
# for four points.
_WIDEST_DEEP = 12
# Moments of a chunk are two registers of a lane.
_MOST_CHUNKS = 64
# Gradients and two moments each are registers of a thread.
_MOST_OWN = 40
# Above, straight-line code takes the assembler long and outgrows the instruction cache.
_WRITTEN_OUT_SHALLOW, _WRITTEN_OUT_DEEP = 128, 400
# Layers of different widths are no rounds of a loop and always written out: of 1,040 parameters in
# 21,600 lines of PTX, which took half a minute to compile, of 1,901 in 39,400 and two minutes.
_WRITTEN_OUT_UNEQUAL = 1000


def plan_for(sizes: tuple[int, ...], problem: Problem) -> WarpPlan | BlockPlan | None:
    """The plan for networks of these sizes, or None where they outgrow a block."""
    shallow = len(sizes) == 3
    widths = sizes[1:-1]
    n_parameters = sum(fan_in * out + out for fan_in, out in pairwise(sizes))
    fits = len(set(widths)) == 1 or n_parameters <= _WRITTEN_OUT_UNEQUAL
    if shallow or (max(widths) <= _WIDEST_DEEP and fits):
        plan = warp_plan(sizes, problem)
        if plan.shared_bytes <= SHARED_BYTES and plan.chunks <= _MOST_CHUNKS:
            return plan
    if not shallow and problem.batch_size is None:
        block = block_plan(sizes, problem)
        if block.shared_bytes <= SHARED_BYTES and block.n_gradients <= _MOST_OWN:
            return block
    return None


def warp_plan(sizes: tuple[int, ...], problem: Problem, **fixed: Any) -> WarpPlan:
    """The plan for a warp; fields in `fixed` are taken as they are."""
    n_points = problem.batch_size or len(problem.x)
    n_parameters = sum(fan_in * out + out for fan_in, out in pairwise(sizes))
    shallow, widest = len(sizes) == 3, max(sizes[1:-1])
    same = len(set(sizes[1:-1])) == 1
    limit = _WRITTEN_OUT_SHALLOW if shallow else _WRITTEN_OUT_DEEP
    looped = fixed.get("looped", n_parameters > limit and (shallow or same))
    # Measured on an H200: the update is shared by few lanes where there is little to update, and
    # the exchanges between them where there is much to exchange.
    fewest = 4 if n_parameters <= 8 else 8 if n_parameters <= 16 or n_points <= 16 else 32
    lanes = fixed.get("lanes", 16 if shallow and looped else fewest)
    most = 2 if looped and not shallow and widest >= 8 else 4
    points = fixed.get("points", min(most, 4 if n_points > 2 * lanes else -(-n_points // lanes)))
    single_pass = n_points <= lanes * points
    made = {
        "lanes": lanes,
        "points": points,
        "single_pass": single_pass,
        "looped": looped,
        "stored": not shallow and (looped or sum(sizes[1:-1]) * points > 80),
        "held": not single_pass and n_parameters <= 64 and not looped,
        "warps": 1 if looped and not shallow else 2,
        "registers": None,
    }
    if shallow and single_pass and not looped and lanes == 32:
        # The assembler takes what it can get; more warps at a time are worth some spills.
        most = 80 if widest <= 8 else 128 if widest <= 20 else 168
        made["registers"] = min(168, most + 16 * (sizes[0] + sizes[-1] - 2))
    return WarpPlan(
        sizes=sizes,
        activation=problem.activation,
        loss=problem.loss,
        optimizer=problem.optimizer,
        penalty=problem.penalty,
        full_batch=problem.batch_size is None,
        **(made | fixed),
    )


def block_plan(sizes: tuple[int, ...], problem: Problem) -> BlockPlan:
    """The plan for a block per network."""
    return BlockPlan(
        sizes=sizes,
        activation=problem.activation,
        loss=problem.loss,
        optimizer=problem.optimizer,
        penalty=problem.penalty,
        full_batch=problem.batch_size is None,
        single_pass=len(problem.x) <= POINTS,
        threads=128 if max(sizes[1:-1]) <= 32 else 256,
    )
