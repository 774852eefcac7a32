"""Vectors of 32 lanes on a CPU: what threads of a GPU do by themselves."""

from __future__ import annotations

from collections.abc import Sequence

from trainability.training.ops.gather import constants
from trainability.training.ops.simd import Code, Value


def permuted(code: Code, value: Value, lanes: Sequence[int]) -> Value:
    """In every lane the value of the lane that is named for it."""
    mask = constants(code, "i32", lanes)
    return code.emit(
        value.kind,
        f"shufflevector {value.kind} {value.text}, {value.kind} poison, {mask.kind} {mask.text}",
    )
