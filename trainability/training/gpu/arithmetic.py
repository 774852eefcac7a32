"""The rules of the model on lanes of a warp."""

from __future__ import annotations

from trainability.arithmetic import Number
from trainability.training.simd import Code, Value


class LaneArithmetic:
    """Numbers of the function that a `Code` is writing: of a thread, or of 32 lanes of a vector."""

    def __init__(self, code: Code) -> None:
        self._code = code

    def constant(self, value: float) -> Number:
        return self._code.constant(value)

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        return a.fma(b, c)

    def where(self, mask: Value, yes: Value, no: Value) -> Value:
        return mask.choose(yes, no)

    def maximum(self, a: Value, b: Value) -> Value:
        return self._code.call("llvm.maximum", a.kind, a, b)

    def minimum(self, a: Value, b: Value) -> Value:
        return self._code.call("llvm.minimum", a.kind, a, b)

    def absolute(self, a: Value) -> Value:
        return self._code.call("llvm.fabs", a.kind, a)

    def sqrt(self, a: Value) -> Value:
        return a.sqrt()

    def without_denormals(self, a: Value) -> Value:
        return a.without_denormals()
