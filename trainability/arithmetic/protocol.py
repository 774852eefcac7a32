"""What a rule of the model may compute with."""

from __future__ import annotations

from typing import Any, Protocol

Number = Any
"""A number of some target: an array, a tensor, a vector of LLVM, a line of GPU source.

It has `+ - * /` with numbers and with plain floats on its right, unary minus, and `<` and `>`,
which give masks; masks have `&` and `|`.
"""

FUNCTIONS = ("exp", "log", "log1p", "tanh", "erf")
"""Beyond the basic operations, which every target has; a rule names those that it uses in
`functions`, and a target that lacks one refuses the rule by that name."""


class Arithmetic(Protocol):
    """Operations of a target on its numbers, element by element, rounded as the target does.

    A target computes in the order in which a rule is written. NaN stays NaN in all operations
    but comparisons, which it never satisfies. Nothing here has control flow: use `where`.
    """

    def constant(self, value: float) -> Number:
        """The same number everywhere."""
        ...

    def fma(self, a: Number, b: Number, c: Number) -> Number:
        """a * b + c, rounded once where the target can."""
        ...

    def where(self, mask: Number, yes: Number, no: Number) -> Number:
        """`yes` where the mask is set, else `no`."""
        ...

    def maximum(self, a: Number, b: Number) -> Number:
        """The larger; NaN where `a` is NaN."""
        ...

    def minimum(self, a: Number, b: Number) -> Number:
        """The smaller; NaN where `a` is NaN."""
        ...

    def absolute(self, a: Number) -> Number:
        """|a|."""
        ...

    def sqrt(self, a: Number) -> Number:
        """The root of a number >= 0."""
        ...

    def without_denormals(self, a: Number) -> Number:
        """0 instead of |a| < 2^-125, with which many CPUs take a hundred cycles."""
        ...

    def exp(self, a: Number) -> Number:
        """e^a; infinity above the target's range, 0 below."""
        ...

    def exp_of_nonpositive(self, a: Number) -> Number:
        """The same bits for a <= 0, or NaN, which may cost less; of other numbers nothing is said.

        A rule that uses it names `exp` in its `functions`.
        """
        ...

    def log(self, a: Number) -> Number:
        """The natural logarithm of a number > 0."""
        ...

    def log1p(self, a: Number) -> Number:
        """log(1 + a) for a >= 0, to a relative error of some roundings also where a is small."""
        ...

    def tanh(self, a: Number) -> Number:
        """The hyperbolic tangent."""
        ...

    def erf(self, a: Number) -> Number:
        """The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to a."""
        ...
