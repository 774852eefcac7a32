"""Instances of every rule that the catalogs find; a new rule needs no line here."""

from __future__ import annotations

import dataclasses
from typing import Any, get_type_hints

import numpy as np
import torch

from trainability.activations import Activation, activation_types
from trainability.arithmetic.tensors import TensorArithmetic
from trainability.losses import Loss, loss_types
from trainability.optimizers import Optimizer, optimizer_types
from trainability.optimizers.schedules import Schedule, schedule_types
from trainability.penalties import Penalty, penalty_types

_FILL = {float: 0.05, int: 7, str: "", bool: True}


def example(kind: type) -> Any:
    """With settings at their default; those that have none get a small number."""
    hints = get_type_hints(kind)
    return kind(
        **{
            field.name: _FILL[hints[field.name]]
            for field in dataclasses.fields(kind)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        }
    )


def examples(types: dict[str, type]) -> list[Any]:
    """One of every kind, and one more for each switch that is off by default."""
    ours = [example(kind) for kind in types.values() if kind.__module__.startswith("train")]
    return ours + [
        dataclasses.replace(rule, **{field.name: True})
        for rule in ours
        for field in dataclasses.fields(rule)
        if field.default is False
    ]


ACTIVATIONS: list[Activation] = examples(activation_types())
LOSSES: list[Loss] = examples(loss_types())
PENALTIES: list[Penalty | None] = [None, *examples(penalty_types())]
SCHEDULES: list[Schedule] = examples(schedule_types())
OPTIMIZERS: list[Optimizer] = examples(optimizer_types())


class Differentiable(TensorArithmetic):
    """Torch's own operations, through which its automatic differentiation sees."""

    def where(self, mask, yes, no):
        return torch.where(mask, yes, no)

    def without_denormals(self, a):
        return a


def targets_for(loss: Loss, n_points: int, d_out: int) -> np.ndarray:
    """Targets, float32, that the loss takes: any numbers, or else one class per point."""
    rng = np.random.default_rng(5)
    y = rng.standard_normal((n_points, d_out)).astype(np.float32)
    if loss.target_problem(y) is not None:
        y = np.eye(d_out, dtype=np.float32)[rng.integers(d_out, size=n_points)]
        assert loss.target_problem(y) is None
    return y
