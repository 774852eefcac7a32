"""Signs: masks of what is positive, ReLUs written with them, and what can't be negative."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from trainability.modules.flow import CONSTANT
from trainability.modules.memory import Memory
from trainability.modules.operations import INDICES, KEEPS_SIGN, MOVING, NON_NEGATIVE, is_tensor


def rectifies_by_mask(
    memory: Memory, base: str, args: tuple[Any, ...], first: Tensor | None
) -> tuple[str | None, Tensor | None]:
    """ReLU as maximum(x, 0), where(x > 0, x, 0) and x * (x > 0)."""

    def is_zero(value: Any) -> bool:
        if not isinstance(value, Tensor):
            return isinstance(value, int | float) and value == 0
        return memory.level(value) == CONSTANT and not bool(value.any())

    if base in ("maximum", "fmax") and len(args) == 2:
        for one, other in (args, args[::-1]):
            if is_zero(other) and not is_zero(one):
                return "strict", one
    if base == "where" and len(args) == 3 and is_zero(args[2]) and is_tensor(args[1]):
        mask, values = memory.block(args[0]).gate, args[1]
    elif base == "mul" and len(args) == 2 and all(map(is_tensor, args)):
        for values, mask in (args, args[::-1]):
            gate = memory.block(mask).gate
            if gate is not None and gate[0] == memory.place(values):
                return ("strict" if gate[1] else "plain"), values
        return None, first
    else:
        return None, first
    if mask is not None and mask[0] == memory.place(values):
        return ("strict" if mask[1] else "plain"), values
    return None, first


def gate_of(
    memory: Memory, name: str, args: tuple[Any, ...], tensors: list[Tensor]
) -> tuple[object, bool] | None:
    """Which numbers a mask says to be positive."""
    against: Any = args[1] if len(args) == 2 else None
    if name in ("gt", "ge") and isinstance(against, int | float):
        if against == 0:
            return memory.place(args[0]), name == "ge"
    elif name in ("_to_copy", "clone") and tensors:
        return memory.block(tensors[0]).gate
    return None


def keeps_sign(
    memory: Memory, name: str, args: tuple[Any, ...], kwargs: Any, tensors: list[Tensor]
) -> bool:
    """Whether no number that the operation gives out can be negative."""
    base = name.removesuffix("_")
    if base in NON_NEGATIVE or name in ("zeros", "ones", "zeros_like", "ones_like"):
        return True
    if base in KEEPS_SIGN and tensors:
        fill = args[2] if base == "constant_pad_nd" and len(args) > 2 else 0
        factor = args[1] if base == "mul" and not is_tensor(args[1]) else 0  # pyright: ignore[reportGeneralTypeIssues]
        valued = [t for t in tensors if base not in MOVING or t.dtype not in INDICES]
        signs = fill >= 0 and factor >= 0
        return bool(signs and valued and all(memory.non_negative(t) for t in valued))
    if base in ("add", "div") and len(args) == 2:
        numbers = [*args, kwargs.get("alpha", 1)]
        return not kwargs.get("rounding_mode") and all(
            memory.non_negative(v) if is_tensor(v) else v >= 0 for v in numbers
        )
    return False
