"""Vectors of numbers that lie apart: every lane has a place of its own."""

from __future__ import annotations

from collections.abc import Sequence

from trainability.training.ops.simd import FLOAT, INT, POINTER, Code, Value

_PAIRED_LANES = 16
"""From so many lanes on pairs are loaded at once; measured, with 8 they take longer."""
_BYTES = {FLOAT: 4, "i32": 4, INT: 8}


def constants(code: Code, single: str, numbers: Sequence[int]) -> Value:
    """A vector of these integers."""
    text = ", ".join(f"{single} {number}" for number in numbers)
    return Value(code, code.vector(single), f"<{text}>")


def gathered(code: Code, base: Value, index: Value, kind: str = FLOAT) -> Value:
    """Every lane's own element of an array of single numbers."""
    places = _places(code, base, index, kind)
    result, masks = code.vector(kind), code.vector("i1")
    name = f"llvm.masked.gather.v{code.lanes}{_short(kind)}.v{code.lanes}p0"
    code.declare(f"declare {result} @{name}({places.kind}, i32, {masks}, {result})")
    return code.emit(
        result,
        f"call {result} @{name}({places.kind} {places.text}, i32 {_BYTES[kind]}, "
        f"{masks} splat (i1 true), {result} poison)",
    )


def gathered_pairs(code: Code, base: Value, index: Value) -> tuple[Value, Value]:
    """Every lane's own two floats that lie side by side.

    Args:
        code: Is writing a function.
        base: Where the pairs lie.
        index: Every lane's pair, counted in pairs.

    Returns:
        The first float of every lane's pair, and the second.
    """
    if code.lanes < _PAIRED_LANES:
        first = index * 2
        return gathered(code, base, first), gathered(code, base, first + 1)
    pairs = gathered(code, base, index, INT)
    both = f"<{2 * code.lanes} x float>"
    floats = pairs.to(both, "bitcast")
    halves = []
    for half in range(2):
        mask = ", ".join(f"i32 {place}" for place in range(half, 2 * code.lanes, 2))
        halves.append(
            code.emit(
                code.vector(),
                f"shufflevector {both} {floats.text}, {both} poison, <{code.lanes} x i32> <{mask}>",
            )
        )
    return halves[0], halves[1]


def scattered(code: Code, value: Value, base: Value, index: Value, mask: Value | None) -> None:
    """Store every lane's value where its mask is set; of equal places the last lane's stays."""
    kind = value.kind.strip("<>").split(" x ")[1]
    places = _places(code, base, index, kind)
    masks = code.vector("i1")
    chosen = mask.text if mask is not None else "splat (i1 true)"
    name = f"llvm.masked.scatter.v{code.lanes}{_short(kind)}.v{code.lanes}p0"
    code.declare(f"declare void @{name}({value.kind}, {places.kind}, i32, {masks})")
    code.write(
        f"call void @{name}({value.kind} {value.text}, {places.kind} {places.text}, "
        f"i32 {_BYTES[kind]}, {masks} {chosen})"
    )


def _places(code: Code, base: Value, index: Value, kind: str) -> Value:
    return code.emit(
        code.vector(POINTER),
        f"getelementptr inbounds {kind}, ptr {base.text}, {index.kind} {index.text}",
    )


def _short(kind: str) -> str:
    return "f32" if kind == FLOAT else kind
