"""NumPy as a target of rules: the reference, and what the census computes with."""

from __future__ import annotations

from trainability.arithmetic.protocol import Number
from trainability.lazy import numpy as np

_LEAST = 2.0**-125


class ArrayArithmetic:
    """Arrays of any shape and float type; masks are arrays of bool."""

    def constant(self, value: float) -> Number:
        return value

    def fma(self, a: Number, b: Number, c: Number) -> Number:
        return a * b + c

    def where(self, mask: Number, yes: Number, no: Number) -> Number:
        return np.where(mask, yes, no)

    def maximum(self, a: Number, b: Number) -> Number:
        return np.maximum(a, b)

    def minimum(self, a: Number, b: Number) -> Number:
        return np.minimum(a, b)

    def absolute(self, a: Number) -> Number:
        return np.abs(a)

    def sqrt(self, a: Number) -> Number:
        return np.sqrt(a)

    def without_denormals(self, a: Number) -> Number:
        return np.where(np.abs(a) < _LEAST, 0.0, a)

    def exp(self, a: Number) -> Number:
        with np.errstate(over="ignore", under="ignore"):
            return np.exp(a)

    def exp_of_nonpositive(self, a: Number) -> Number:
        return self.exp(a)

    def log(self, a: Number) -> Number:
        return np.log(a)

    def log1p(self, a: Number) -> Number:
        return np.log1p(a)

    def tanh(self, a: Number) -> Number:
        return np.tanh(a)

    def erf(self, a: Number) -> Number:
        # SciPy takes a while to import: only where an activation asks for it.
        from scipy.special import erf

        return erf(a)


ARRAYS = ArrayArithmetic()
