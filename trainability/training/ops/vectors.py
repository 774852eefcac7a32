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
# Between them e^a is a float that is not denormal.
_EXP_LEAST, _EXP_MOST = -86.6, 88.7228
# (e^r - 1) / r for |r| <= ln 2 / 2, to 1.1 units in the last place of e^r.
_EXP = (8.262711577117443e-3, 4.189891368150711e-2, 1.6668173670768738e-1, 4.9999141693115234e-1)
_EXP += (9.99999463558197e-1,)
# (log(1 + f) - f) / f^2 for 1 + f from sqrt(1/2) to sqrt(2), to one of 3.1e-8 in log(1 + f).
_LOG = (8.739394694566727e-2, -1.4309926331043243e-1, 1.4917169511318207e-1)
_LOG += (-1.657007485628128e-1, 1.9962134957313538e-1, -2.5001782178878784e-1)
_LOG += (3.3333948254585266e-1, -4.9999991059303284e-1)
# The bits of the float sqrt(1/2), and of what a float has of its exponent.
_ROOT_HALF_BITS, _EXPONENT = 0x3F3504F3, 0xFF800000
# ln 2 per unit of the exponent in its place. As a float, ln 2 is right to 3e-9.
_LN2_IN_PLACE = math.log(2) * 2.0**-23
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

    Source: the reductions of exp and log as in Moshier's Cephes library and in FreeBSD's libm;
    their polynomials are fitted to the least largest error in units in the last place; the
    rational functions of tanh and erf are those of the Eigen library.
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
        return (a > _EXP_MOST).choose(self.constant(math.inf), self.exp_of_nonpositive(a))

    def exp_of_nonpositive(self, a: Value) -> Value:
        constant = self.constant
        shifted = a.fma(constant(_LOG2_E), constant(_SHIFT))
        n = shifted - _SHIFT
        r = n.fma(constant(-_LN2_HIGH), a)
        r = n.fma(constant(-_LN2_LOW), r)
        y = self._polynomial((*_EXP, 1.0), r)
        # Times 2^n, by the bits of its exponent; what does not fit is replaced afterwards.
        bits = self._bits(y) + (self._bits(shifted) << 23)
        return (a < _EXP_LEAST).choose(constant(0.0), self._float(bits))

    def log(self, a: Value) -> Value:
        """To 2 units in the last place; -infinity at 0, NaN below, denormals count as 0."""
        exponent = self._exponent(a)
        f = self._float(self._bits(a) - exponent) - 1.0
        y = self._log(f, exponent)
        beyond = (a < 0.0).choose(self.constant(math.nan), self.constant(-math.inf))
        y = (a > 2.0**-126).choose(y, beyond)
        return (a < math.inf).choose(y, a)

    def log1p(self, a: Value) -> Value:
        """To 2 units in the last place, for a >= 0."""
        exponent = self._exponent(a + 1.0)
        # f = (1 + a) 2^-n - 1, rounded once. 2^(2 - n) is a float for all n, 2^-n is not.
        power = self._float(self._bits(self.constant(4.0)) - exponent)
        quarter = self.constant(0.25)
        f = (a * quarter).fma(power, power.fma(quarter, self.constant(-1.0)))
        return (a < math.inf).choose(self._log(f, exponent), a)

    def _exponent(self, a: Value) -> Value:
        """n in the exponent's place, with a 2^-n from sqrt(1/2) to sqrt(2)."""
        return (self._bits(a) - _ROOT_HALF_BITS) & _EXPONENT

    def _log(self, f: Value, exponent: Value) -> Value:
        """log(1 + f) + n log 2, with n in the exponent's place."""
        y = (f * f).fma(self._polynomial(_LOG, f), f)
        n = exponent.to(self._code.vector(), "sitofp")
        return n.fma(self.constant(_LN2_IN_PLACE), y)

    @property
    def _integers(self) -> str:
        return self._code.vector("i32")

    def _bits(self, a: Value) -> Value:
        return a.to(self._integers, "bitcast")

    def _float(self, bits: Value) -> Value:
        return bits.to(self._code.vector(), "bitcast")

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
