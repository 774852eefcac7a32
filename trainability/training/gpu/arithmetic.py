"""The rules of the model on threads of a GPU."""

from __future__ import annotations

from trainability.training.simd import Value
from trainability.training.vectors import VectorArithmetic


class ThreadArithmetic(VectorArithmetic):
    """What has an instruction of its own there; NaN stays NaN in it."""

    def maximum(self, a: Value, b: Value) -> Value:
        return self._code.call("llvm.maximum", a.kind, a, b)

    def minimum(self, a: Value, b: Value) -> Value:
        return self._code.call("llvm.minimum", a.kind, a, b)
