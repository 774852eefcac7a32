"""Which plan trains networks of a shape: a pure function, since it is part of the arithmetic."""

from __future__ import annotations

from itertools import pairwise

from trainability.training.base import Problem
from trainability.training.gpu.plan import WarpPlan

_WRITTEN_OUT = 700


def plan_for(sizes: tuple[int, ...], problem: Problem, **fixed: object) -> WarpPlan:
    """The plan for networks of these sizes; fields in `fixed` are taken as they are."""
    n_points = problem.batch_size or len(problem.x)
    n_parameters = sum(fan_in * out + out for fan_in, out in pairwise(sizes))
    shallow = len(sizes) == 3
    lanes = int(fixed.get("lanes", 8 if n_parameters <= 16 or n_points <= 16 else 32))  # type: ignore[arg-type]
    points = int(fixed.get("points", 4 if n_points > 2 * lanes else 2 if n_points > lanes else 1))  # type: ignore[arg-type]
    same = len(set(sizes[1:-1])) == 1
    looped = n_parameters > (128 if shallow else _WRITTEN_OUT) and (shallow or same)
    hidden = sum(sizes[1:-1]) * points
    made = {
        "lanes": lanes,
        "points": points,
        "single_pass": n_points <= lanes * points,
        "looped": looped,
        "stored": not shallow and (looped or hidden > 64),
        "held": n_points > lanes * points and n_parameters <= 64 and not looped,
        "warps": 2,
    }
    return WarpPlan(
        sizes=sizes,
        activation=problem.activation,
        loss=problem.loss,
        optimizer=problem.optimizer,
        penalty=problem.penalty,
        full_batch=problem.batch_size is None,
        **{**made, **fixed},  # type: ignore[arg-type]
    )
