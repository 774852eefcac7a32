"""A probability with what is known about its error."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

CLOSED_FORM = "closed form"
QUADRATURE = "quadrature"
RAO_BLACKWELL = "rao-blackwell"
SAMPLING = "sampling"


@dataclass(frozen=True)
class Probability:
    """A probability; `float()` of it is its value.

    Args:
        value: The probability, or its natural logarithm where that was asked for (`log=True`).
        standard_error: Standard error of `value`; 0 where nothing was sampled. Of a logarithm it
            is the relative standard error of the probability.
        method: "closed form", "quadrature" (deterministic, relative error below 1e-9),
            "rao-blackwell" (some of the randomness sampled, the rest integrated exactly) or
            "sampling".
        note: What else a reader may want to know of how it was computed; for people only.
        is_upper_bound: Whether the probability that was asked for is only known to be at most
            this, up to the standard error.
    """

    value: float
    standard_error: float = 0.0
    method: str = CLOSED_FORM
    note: str = ""
    is_upper_bound: bool = False

    @property
    def described(self) -> str:
        """Method and note, for people."""
        return ", ".join(filter(None, [self.method, self.note]))

    def __float__(self) -> float:
        return self.value


def from_log(log_p: float, method: str, log: bool) -> Probability:
    """An exact probability, given its logarithm; its logarithm if `log`."""
    return Probability(log_p if log else math.exp(log_p), 0.0, method)


def log_of(p: Probability) -> Probability:
    """The logarithm of an estimate: -inf at 0, where the relative standard error is infinite."""
    if p.value <= 0:
        return replace(p, value=-math.inf, standard_error=math.inf if p.standard_error else 0.0)
    return replace(p, value=math.log(p.value), standard_error=p.standard_error / p.value)
