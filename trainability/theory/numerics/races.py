"""The race of a concave neuron: it turns convex, or it dies before.

A hidden neuron a relu(w x + b) with a < 0 of a network that lies below a convex target is pulled
two ways at once as the flow of Adam begins: a rises at unit speed, and reaches 0 after |a|; w and
b shrink at unit speed each, so that its pre-activation at the end of [-h, h] that it faces falls at
speed 1 + h, and the neuron is dead after (h |w| + b) / (1 + h). It turns iff

    |a| < (h |w| + b) / (1 + h).

A neuron that is convex or turns serves as a hinge that faces right or left, or, where it is active
on all of the interval, as a line. |x| is two hinges that face opposite ways, or a hinge and a line.

Source: derived here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import integrate, special

from trainability.errors import refuse
from trainability.theory.checks import count_problem, number_problem


@dataclass(frozen=True)
class Fates:
    """What becomes of a neuron, with what probability; the rest is lost: born dead, or it dies.

    Args:
        right: It serves as a hinge that faces right.
        left: It serves as a hinge that faces left.
        line: It is active on the whole interval.
    """

    right: float
    left: float
    line: float

    def __post_init__(self) -> None:
        owner = "Fates"
        problems = []
        for name in ("right", "left", "line"):
            problems += number_problem(owner, name, getattr(self, name))
        if not problems and (total := self.right + self.left + self.line) > 1 + 1e-9:
            problems.append(f"{owner} must add up to at most 1, got {total:g}")
        refuse(problems)

    def opposite(self, width: int) -> float:
        """P(hinges that face opposite ways, or a hinge and a line), neurons independent.

        What is missing to 1: no hinge at all, or hinges that face one way and no line.

        >>> Fates(0.25, 0.25, 0.0).opposite(2)
        0.125
        """
        refuse(count_problem("Fates", "width", width))
        no_hinge = (1 - self.right - self.left) ** width
        return max(0.0, 1 - no_hinge - sum(self._only(q, width) for q in (self.right, self.left)))

    def opposite_or_alike(self, width: int) -> float:
        """The same, or two hinges or more that face one way and no line.

        Of these some turn about, so that success lies between `opposite` and this.

        >>> Fates(0.25, 0.25, 0.0).opposite_or_alike(2)
        0.25
        """
        lost = max(0.0, 1 - self.right - self.left - self.line)
        alike = sum(
            self._only(q, width) - width * q * lost ** (width - 1) for q in (self.right, self.left)
        )
        return min(1.0, self.opposite(width) + max(0.0, alike))

    def _only(self, q: float, width: int) -> float:
        """P(at least one hinge of that way, none of the other, no line)."""
        lost = max(0.0, 1 - self.right - self.left - self.line)
        return (lost + q) ** width - lost**width


def margin(w: np.ndarray, b: np.ndarray, a: np.ndarray, half_width: float) -> np.ndarray:
    """By how much time a neuron wins its race: > 0 iff it is convex and alive, or turns.

    Args:
        w: Weights of hidden neurons with one input, any shape.
        b: Their biases, same shape.
        a: Their outgoing weights, same shape.
        half_width: h of the interval [-h, h].
    """
    reach = (half_width * np.abs(w) + b) / (1 + half_width)
    return reach - np.maximum(-a, 0)


def fates_of(
    w: np.ndarray, b: np.ndarray, a: np.ndarray, half_width: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which neurons serve as a hinge to the right, as one to the left, and as a line.

    Arguments as of `margin`; three masks, exclusive.
    """
    line = b > half_width * np.abs(w)
    serves = (margin(w, b, a, half_width) > 0) & ~line
    return serves & (w > 0), serves & (w < 0), line


def gaussian_turning_probability(
    weight_std: float, bias_std: float, output_std: float, half_width: float
) -> float:
    """P(a < 0 and the neuron turns), all of w, b and a Gaussian with mean 0: a solid angle.

    In units of the standard deviations the event is a cone: by the symmetry of w twice a
    trihedral one, between the planes w = 0, a = 0 and b + h w = (1 + h) |a|. Its solid angle is
    the sum of the dihedral angles less pi (Girard).

    Args:
        weight_std: Of w, > 0.
        bias_std: Of b, >= 0.
        output_std: Of a, > 0.
        half_width: h of the interval [-h, h], in input units, > 0.

    >>> round(gaussian_turning_probability(1.0, 1.0, 1e-9, 1.0), 6)  # P(alive) / 2
    0.375
    """
    owner = "gaussian_turning_probability"
    refuse(
        number_problem(owner, "weight_std", weight_std, above=True)
        + number_problem(owner, "bias_std", bias_std)
        + number_problem(owner, "output_std", output_std, above=True)
        + number_problem(owner, "half_width", half_width, above=True)
    )
    along_w, along_a = half_width * weight_std, (1 + half_width) * output_std
    length = math.hypot(bias_std, along_w, along_a)
    angles = math.pi / 2 + math.acos(-along_w / length) + math.acos(along_a / length)
    return 2 * (angles - math.pi) / (4 * math.pi)


def sphere_turning_probability(output_std: float, half_width: float) -> float:
    """P(a < 0 and the neuron turns), (w, b) uniform on the unit circle, a ~ N(0, output_std^2).

    One integral over the angle of (w, b).

    Args:
        output_std: > 0.
        half_width: h of the interval [-h, h], in input units, > 0.
    """
    owner = "sphere_turning_probability"
    refuse(
        number_problem(owner, "output_std", output_std, above=True)
        + number_problem(owner, "half_width", half_width, above=True)
    )

    def turns(angle: float) -> float:
        reach = (half_width * math.sin(angle) + math.cos(angle)) / (1 + half_width)
        return float(special.erf(max(reach, 0.0) / (math.sqrt(2) * output_std))) / 2

    dead_from = math.pi - math.atan(1 / half_width)
    return integrate.quad(turns, 0, dead_from, epsabs=1e-12)[0] / math.pi
