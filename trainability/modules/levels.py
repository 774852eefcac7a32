"""What the numbers that an operation gives out depend on."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from trainability.modules.flow import CONSTANT, UNKNOWN
from trainability.modules.memory import Memory
from trainability.modules.operations import (
    FACTORIES,
    GARBAGE,
    NORMALIZING,
    is_tensor,
    trains_on_batch,
)


def note_levels(
    memory: Memory, name: str, func: Any, args: Any, kwargs: Any, written: list[Tensor],
    result: Any, before: set[int], level: int, sign: bool,
) -> None:  # fmt: skip
    """Note what the numbers that an operation gives out depend on, and their signs."""
    chance = torch.Tag.nondeterministic_seeded in func.tags
    batch = name in NORMALIZING and trains_on_batch(func, args, kwargs)
    if name in FACTORIES:
        level = CONSTANT
    if chance or batch or name in GARBAGE or func.namespace != "aten":
        level = UNKNOWN
    for tensor in written:
        block = memory.block(tensor)
        block.n_writes += 1
        covers = tensor.numel() * tensor.element_size() == tensor.untyped_storage().nbytes()
        anew = covers and name in ("copy_", "fill_", "zero_")
        source = [memory.level(t) for t in tree_leaves((args[1:], kwargs)) if is_tensor(t)]
        block.level = max([CONSTANT, *source]) if anew else max(block.level, level)
        if name == "copy_":
            new_sign = is_tensor(args[1]) and memory.non_negative(args[1])
        elif name in ("fill_", "zero_"):
            new_sign = name == "zero_" or (not is_tensor(args[1]) and args[1] >= 0)
        else:
            new_sign = sign
        block.non_negative = new_sign and (covers or block.non_negative)
        block.gate = None
    for tensor in tree_leaves(result):
        if not isinstance(tensor, Tensor):
            continue
        block = memory.block(tensor)
        if id(block) not in before:
            block.level, block.non_negative = level, sign
