"""Passes through a user's module that leave no trace in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainability.errors import InputError, refuse

_NORMALIZATIONS = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.SyncBatchNorm,
    nn.InstanceNorm1d,
    nn.InstanceNorm2d,
    nn.InstanceNorm3d,
)


def plain_module(module: Any) -> nn.Module:
    """The module itself; behind `torch.compile`, the one that was compiled.

    Raises:
        InputError: If it is not a module.
    """
    if not isinstance(module, nn.Module):
        raise InputError(f"wanted a torch.nn.Module, got {module!r}")
    original = getattr(module, "_orig_mod", module)
    assert isinstance(original, nn.Module)
    return original


@contextmanager
def probing(module: nn.Module, *, batch_statistics: bool) -> Iterator[None]:
    """Within, passes record no gradients, drop nothing out, and are undone at the end.

    Buffers, training modes and the states of torch's default generators are restored.

    Args:
        module: The module.
        batch_statistics: Let normalizations that are in training mode use the statistics of the
            batch, as the first step of training will. Everything else is in evaluation mode.
    """
    parts = [(part, part.training) for part in module.modules()]
    buffers = [
        (part, name, buffer, buffer.clone())
        for part, _ in parts
        for name, buffer in part._buffers.items()
        if buffer is not None
    ]
    devices = {p.device for p in module.parameters() if p.device.type == "cuda"}
    try:
        for part, training in parts:
            # Not part.eval(), which a module may override and which goes into its parts.
            part.training = training and batch_statistics and isinstance(part, _NORMALIZATIONS)
        with (
            torch.inference_mode(False),
            torch.no_grad(),
            torch.random.fork_rng(devices=list(devices)),
        ):
            yield
    finally:
        for part, training in parts:
            part.training = training
        with torch.no_grad():
            for part, name, buffer, saved in buffers:
                buffer.copy_(saved)
                part._buffers[name] = buffer


def as_inputs(x: Any, module: nn.Module) -> Tensor:
    """A batch of inputs on the module's device, numbers with a fraction in the module's dtype.

    Raises:
        InputError: If it is not a tensor or array of shape (N, ...) with N >= 1, or not finite.
    """
    if not isinstance(x, Tensor | np.ndarray):
        raise InputError(
            f"inputs must be a tensor or an array of shape (N, ...), got {type(x).__name__}"
        )
    # A copy: a module may write into its input.
    batch = torch.as_tensor(x).detach().clone()
    problems = []
    if batch.ndim == 0 or not batch.numel():
        problems.append(f"inputs must have shape (N, ...) with N >= 1, got {tuple(batch.shape)}")
    elif not torch.isfinite(batch).all():
        problems.append("inputs must be finite, got NaN or infinity; drop those examples")
    refuse(problems)
    for parameter in module.parameters():
        batch = batch.to(parameter.device)
        if batch.is_floating_point() and parameter.is_floating_point():
            return batch.to(parameter.dtype)
    return batch
