"""LLVM vectors as a target of rules: what `simd` lacks as an instruction is written out here.

Every function is made of operations that IEEE 754 fixes, so that it gives the same bits on all
CPUs. The errors that are stated are measured in the tests, over all binades.
"""

from __future__ import annotations

import math

from trainability.arithmetic import Number
from trainability.training.ops.simd import Code, Value

_LEAST = 2.0**-125
_LOG2_E = 1.4426950408889634
# ln 2 in two parts, the first short enough that its products with small integers are exact.
_LN2_HIGH, _LN2_LOW = 0.693359375, -2.12194440e-4
# Adding it rounds a float to an integer and leaves that in the low bits.
_SHIFT = 12582912.0
_EXP_LEAST, _EXP_MOST = -86.6, 89.0
_EXP = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2)
_EXP += (1.6666665459e-1, 5.0000001201e-1)
_LOG = (7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1)
_LOG += (1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)
_TANH_MOST = 7.90531110763549805
_TANH_ABOVE = (-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11)
_TANH_ABOVE += (5.12229709037114e-08, 1.48572235717979e-05, 6.37261928875436e-04)
_TANH_ABOVE += (4.89352455891786e-03,)
_TANH_BELOW = (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03)
_TANH_BELOW += (4.89352518554385e-03,)
_ERF_MOST = 4.0
_ERF_ABOVE = (-2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06)
_ERF_ABOVE += (-5.69250639462346e-05, -7.34990630326855e-04, -2.95459980854025e-03)
_ERF_ABOVE += (-1.60960333262415e-02,)
_ERF_BELOW = (-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03)
_ERF_BELOW += (-7.37332916720468e-03, -1.42647390514189e-02)


class VectorArithmetic:
    """Vectors of the function that a `Code` is writing.

    Source: exp and log after Moshier's Cephes library (expf, logf); the rational functions of
    tanh and erf are those of the Eigen library.
    """

    def __init__(self, code: Code) -> None:
        self._code = code

    def constant(self, value: float) -> Number:
        return self._code.constant(value)

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        return a.fma(b, c)

    def where(self, mask: Value, yes: Value, no: Value) -> Value:
        return mask.choose(yes, no)

    def maximum(self, a: Value, b: Value) -> Value:
        return (a < b).choose(b, a)

    def minimum(self, a: Value, b: Value) -> Value:
        return (a > b).choose(b, a)

    def absolute(self, a: Value) -> Value:
        return abs(a)

    def sqrt(self, a: Value) -> Value:
        return a.sqrt()

    def without_denormals(self, a: Value) -> Value:
        return (abs(a) < _LEAST).choose(self.constant(0.0), a)

    def exp(self, a: Value) -> Value:
        """To 2 units in the last place; 0 below -86.6."""
        constant = self.constant
        x = self.minimum(self.maximum(a, constant(_EXP_LEAST)), constant(_EXP_MOST))
        shifted = x.fma(constant(_LOG2_E), constant(_SHIFT))
        n = shifted - _SHIFT
        r = n.fma(constant(-_LN2_HIGH), x)
        r = n.fma(constant(-_LN2_LOW), r)
        y = self._polynomial(_EXP, r).fma(r * r, r) + 1.0
        # 2^(n - 1), which is finite, by the bits of its exponent.
        bits = (shifted.to(self._code.vector("i32"), "bitcast") << 23) + (126 << 23)
        y = y * bits.to(self._code.vector(), "bitcast") * 2.0
        return (a < _EXP_LEAST).choose(constant(0.0), y)

    def log(self, a: Value) -> Value:
        """To 2 units in the last place; -infinity at 0, NaN below, denormals count as 0."""
        constant, integers = self.constant, self._code.vector("i32")
        bits = a.to(integers, "bitcast")
        mantissa = ((bits & 0x007FFFFF) | 0x3F000000).to(self._code.vector(), "bitcast")
        exponent = ((bits >> 23) - 126).to(self._code.vector(), "sitofp")
        small = mantissa < math.sqrt(0.5)
        exponent = small.choose(exponent - 1.0, exponent)
        m = small.choose(mantissa + mantissa, mantissa) - 1.0
        square = m * m
        y = self._polynomial(_LOG, m) * m * square
        y = exponent.fma(constant(_LN2_LOW), y)
        y = square.fma(constant(-0.5), y)
        y = exponent.fma(constant(_LN2_HIGH), m + y)
        beyond = (a < 0.0).choose(constant(math.nan), constant(-math.inf))
        y = (a > 2.0**-126).choose(y, beyond)
        return (a < math.inf).choose(y, a)

    def log1p(self, a: Value) -> Value:
        """By log(u) a / (u - 1) with u = 1 + a: the rounding of u cancels (Kahan)."""
        u = a + 1.0
        y = (u > 1.0).choose(self.log(u) * (a / (u - 1.0)), a)
        return (a < math.inf).choose(y, a)

    def tanh(self, a: Value) -> Value:
        """To an absolute error of 1e-6."""
        return self._rational(a, _TANH_MOST, _TANH_ABOVE, _TANH_BELOW)

    def erf(self, a: Value) -> Value:
        """To an absolute error of 1e-6."""
        return self._rational(a, _ERF_MOST, _ERF_ABOVE, _ERF_BELOW)

    def _rational(
        self, a: Value, most: float, above: tuple[float, ...], below: tuple[float, ...]
    ) -> Value:
        """An odd function: x P(x^2) / Q(x^2), x being `a` within +-`most`."""
        x = self.minimum(self.maximum(a, self.constant(-most)), self.constant(most))
        square = x * x
        return x * self._polynomial(above, square) / self._polynomial(below, square)

    def _polynomial(self, coefficients: tuple[float, ...], x: Value) -> Value:
        """By Horner's rule, the highest coefficient first."""
        total = self.constant(coefficients[0])
        for coefficient in coefficients[1:]:
            total = total.fma(x, self.constant(coefficient))
        return total
