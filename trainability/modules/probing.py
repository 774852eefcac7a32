"""Passes through a user's module that leave no trace in it, and say where they fail."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from trainability.errors import InputError, refuse
from trainability.networks.copies import NORMALIZATIONS


def plain_module(module: Any) -> nn.Module:
    """The module itself; behind `torch.compile` and wrappers that spread it, the one inside.

    Raises:
        InputError: If it is not a module, or has parameters without a shape or without memory.
    """
    if not isinstance(module, nn.Module):
        raise InputError(f"wanted a torch.nn.Module, got {module!r}")
    while True:
        inner = getattr(module, "_orig_mod", None)
        if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner = module.module
        if inner is None:
            break
        module = inner
    problems = []
    for name, part in module.named_modules():
        own = [p for p in (*part._parameters.values(), *part._buffers.values()) if p is not None]
        shown = f"{name or 'the module'} ({type(part).__name__})"
        if any(is_lazy(p) for p in own):
            problems.append(
                f"{shown} does not know its shape yet; run the module once on an example"
            )
        elif any(p.is_meta for p in own):
            problems.append(
                f"{shown} is on the meta device, without memory; move it with to_empty() first"
            )
    refuse(problems)
    return module


def untouched_statistics(module: nn.Module) -> list[str]:
    """Names of normalizations whose running statistics are still those of a new module."""
    names = []
    for name, part in module.named_modules():
        if isinstance(part, NORMALIZATIONS) and part.running_mean is not None:
            counted = part.num_batches_tracked
            fresh = part.running_var is not None and bool((part.running_var == 1).all())
            fresh = fresh and not bool(part.running_mean.any())
            if fresh and (counted is None or int(counted) == 0):
                names.append(name or type(part).__name__)
    return names


@contextmanager
def probing(
    module: nn.Module,
    *,
    batch_statistics: bool | None,
    training: bool = False,
    gradients: bool = False,
) -> Iterator[None]:
    """Within, passes are undone at the end.

    Buffers, attributes, training modes and the states of torch's default generators are restored.

    Args:
        module: The module.
        batch_statistics: Whether normalizations use the statistics of the batch, as the first
            step of training will; None for those that are in training mode.
        training: Put everything into training mode; else all but normalizations is in evaluation
            mode, and nothing is dropped out.
        gradients: Record gradients.
    """
    parts = [(part, part.training) for part in module.modules()]
    attributes = [
        (part, dict(vars(part)))
        for part, _ in parts
        if not isinstance(part, torch.jit.ScriptModule)
    ]
    buffers = [
        (part, name, buffer, buffer.clone())
        for part, _ in parts
        for name, buffer in part._buffers.items()
        if buffer is not None
    ]
    devices = {p.device for p in module.parameters() if p.device.type == "cuda"}
    try:
        for part, was_training in parts:
            # Not part.eval(), which a module may override and which goes into its parts.
            by_batch = was_training if batch_statistics is None else batch_statistics
            part.training = training or (by_batch and isinstance(part, NORMALIZATIONS))
        with (
            torch.inference_mode(False),
            torch.set_grad_enabled(gradients),
            torch.random.fork_rng(devices=list(devices)),
        ):
            yield
    finally:
        for part, before in attributes:
            own = vars(part)
            for name in set(own) - set(before):
                del own[name]
            own.update(before)
        for part, was_training in parts:
            part.training = was_training
        with torch.no_grad():
            for part, name, buffer, saved in buffers:
                buffer.copy_(saved)
                part._buffers[name] = buffer


def guarded(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The module's outputs.

    Raises:
        InputError: If the module raises; says in which part, on what inputs.
    """
    inside: list[tuple[str, nn.Module, str]] = []
    hooks = []
    for name, part in module.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            continue

        def enter(part: nn.Module, args: Any, kwargs: Any, name: str = name) -> None:
            given = [*args, *kwargs.values()]
            shapes = [str(tuple(t.shape)) for t in given if isinstance(t, Tensor)]
            inside.append((name, part, " and ".join(shapes)))

        hooks.append(part.register_forward_pre_hook(enter, with_kwargs=True, prepend=True))
        hooks.append(part.register_forward_hook(lambda *_: (inside.pop(), None)[1]))
    try:
        with warnings.catch_warnings():
            # Such as that nothing requires a gradient: these passes are ours, not the user's.
            warnings.simplefilter("ignore")
            return module(*args, **kwargs)
    except InputError:
        raise
    except Exception as problem:
        name, part, shapes = inside[-1] if inside else ("", module, "")
        lines = str(problem).strip().splitlines() or [""]
        width = f", which takes {part.in_features} features," if isinstance(part, nn.Linear) else ""
        channels = getattr(part, "in_channels", None)
        width = width or (f", which takes {channels} channels," if channels else "")
        raise InputError(
            f"the module can't be run on the data: {name or 'the module'} "
            f"({type(part).__name__}){width} got inputs of shape {shapes or 'unknown'} and raised "
            f"{type(problem).__name__}: {lines[0]}"
        ) from problem
    finally:
        for hook in hooks:
            hook.remove()
