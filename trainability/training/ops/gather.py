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
    return halves(code, gathered(code, base, index, INT))


def halves(code: Code, pairs: Value, kind: str = FLOAT) -> tuple[Value, Value]:
    """The lower and the upper 32 bits of every lane."""
    numbers = pairs.to(f"<{2 * code.lanes} x {kind}>", "bitcast")
    lower, upper = (_shuffled(code, numbers, range(half, 2 * code.lanes, 2)) for half in range(2))
    return lower, upper


def upper_product(code: Code, a: Value, factor: Value) -> Value:
    """The upper 32 bits of the products of 32-bit numbers with a 64-bit number below 2^32.

    Products of 64 bits are made of the even lanes, then of the odd ones: so no lane is moved but
    the results.
    """
    n = code.lanes // 2
    kind = f"<{n} x i64>"
    pairs = a.to(kind, "bitcast")
    factors = _shuffled(code, code.fill(factor), range(n))
    low = Value(code, kind, f"splat (i64 {0xFFFFFFFF})")
    up = Value(code, kind, "splat (i64 32)")
    even, odd = ((number * factors).to(a.kind, "bitcast") for number in (pairs & low, pairs >> up))
    places = [k + 1 if k % 2 == 0 else code.lanes + k for k in range(code.lanes)]
    return _shuffled(code, even, places, odd)


def _shuffled(code: Code, a: Value, places: Sequence[int], b: Value | None = None) -> Value:
    """The numbers at these places of a, which b follows."""
    mask = ", ".join(f"i32 {place}" for place in places)
    single = a.kind.strip("<>").split(" x ")[1]
    return code.emit(
        f"<{len(places)} x {single}>",
        f"shufflevector {a.kind} {a.text}, {a.kind} {b.text if b else 'poison'}, "
        f"<{len(places)} x i32> <{mask}>",
    )


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
