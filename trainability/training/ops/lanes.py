"""The rules of the model on threads of a GPU."""

from __future__ import annotations

from trainability.training.ops.simd import Code, Lazy, Value
from trainability.training.ops.vectors import VectorArithmetic


class Masked(Lazy):
    """A number where a mask is set, else 0, which is chosen only if somebody wants the number.

    A sum of such numbers need not choose: a GPU adds under a condition at no cost.
    """

    def __init__(self, code: Code, mask: Value, number: Value, zero: Value) -> None:
        super().__init__(code, number.kind, lambda: mask.choose(number, zero))
        self.mask = mask
        self.number = number


class ThreadArithmetic(VectorArithmetic):
    """What has an instruction of its own there; NaN stays NaN in it."""

    def where(self, mask: Value, yes: Value, no: Value) -> Value:
        if no.text == self.constant(0.0).text:
            return Masked(self._code, mask, yes, no)
        return super().where(mask, yes, no)

    def maximum(self, a: Value, b: Value) -> Value:
        return self._code.call("llvm.maximum", a.kind, a, b)

    def minimum(self, a: Value, b: Value) -> Value:
        return self._code.call("llvm.minimum", a.kind, a, b)


def plus(total: Value, value: Value) -> Value:
    """total + value."""
    if isinstance(value, Masked):
        return value.mask.choose(total + value.number, total)
    return total + value


def plus_product(total: Value, factor: Value, other: Value) -> Value:
    """factor * other + total, rounded once."""
    if isinstance(factor, Masked):
        return factor.mask.choose(factor.number.fma(other, total), total)
    return factor.fma(other, total)
