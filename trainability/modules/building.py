"""What is wrong with a function that builds modules: each call must give a new one of its kind."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def build_problems(build: Callable[[int], nn.Module], module: nn.Module) -> list[str]:
    """At most one message: how the modules of several calls hang together, or differ.

    Args:
        build: Gives a new module, of what its function draws from a seed.
        module: That of seed 0.
    """
    again, other = build(0), build(1)
    tensors, same_seed, other_seed = map(_tensors, (module, again, other))
    if module is again:
        return ["the function returns the same module in every call; build a new one in it"]
    memory = {t.data_ptr(): name for name, t in tensors.items() if t.numel()}
    shared = [name for name, t in same_seed.items() if t.data_ptr() in memory]
    if shared:
        return [
            f"the function builds every module around the same {', '.join(shared)}; make that in "
            "the function, or put copy.deepcopy(...) of it there"
        ]
    for others in (same_seed, other_seed):
        changed = [
            f"{name} of shape {_shape(tensors.get(name))}, then {_shape(others.get(name))}"
            for name in dict.fromkeys([*tensors, *others])
            if _shape(tensors.get(name)) != _shape(others.get(name))
        ]
        if changed:
            return [
                f"the function builds modules of different shapes: {changed[0]}; what chance or "
                "earlier calls decide can't be the shape of copies"
            ]
    differing = [
        name
        for name, tensor in tensors.items()
        if not torch.equal(tensor, same_seed[name]) and not torch.isnan(tensor).any()
    ]
    if differing:
        return [
            f"the function builds different modules from one seed: {', '.join(differing)} differ; "
            "draw by torch, NumPy or random, whose own generators are seeded for every copy, and "
            "keep nothing from one call to the next"
        ]
    return []


def replacement_problems(module: nn.Module) -> list[str]:
    """Why other copies' numbers can't be put into the places of a module's."""
    for name, part in module.named_modules():
        shown = f"{name or 'the module'} ({type(part).__name__})"
        if isinstance(part, torch.jit.ScriptModule):
            return [
                f"{shown} is compiled by torch.jit, so that the numbers of copies can't be put "
                "into it; return the module that was compiled"
            ]
        computed = [
            own
            for own, value in vars(part).items()
            if isinstance(value, Tensor) and value.grad_fn is not None
        ]
        if computed:
            return [
                f"{shown} has a {computed[0]} that a hook computes from other parameters, as "
                "torch.nn.utils.weight_norm and pruning do; use torch.nn.utils.parametrizations "
                "with the scheme TorchOwn(), or leave it out"
            ]
    return []


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    values = dict(module.named_parameters()) | dict(module.named_buffers())
    return {name: tensor.detach() for name, tensor in values.items()}


def _shape(tensor: Tensor | None) -> str:
    return "none" if tensor is None else str(tuple(tensor.shape))
