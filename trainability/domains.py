"""Where inputs live: a ball, a box, or the points of a data set.

A neuron x -> relu(w.x + b) is dead on a domain iff b + h(w) <= 0, where h is the domain's
support function, h(w) = max over x of w.x. Tasks, theory and census all use these classes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from trainability.checks import counted, int_problem, is_int, number_problem, shown, size_of
from trainability.errors import InputError, refuse
from trainability.lazy import numpy as np

MOST_INPUTS = 1_000_000
_MOST_SIDES = 3
"""Sides of a box that are written one by one."""


class Domain(ABC):
    """A set of inputs of d coordinates."""

    d: int

    @property
    def described(self) -> str:
        """It in words, for people."""
        return repr(self)

    @abstractmethod
    def support(self, w: np.ndarray) -> np.ndarray:
        """max over x in the domain of w.x, for w of shape (..., d); shape (...)."""

    @abstractmethod
    def contains(self, x: np.ndarray) -> np.ndarray:
        """Whether each point of shape (..., d) lies in the domain; bool, shape (...)."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """n points of the domain, shape (n, d): uniform, or drawn from its points."""


@dataclass(frozen=True)
class Ball(Domain):
    """All x in R^d with Euclidean norm at most `radius`, in input units."""

    d: int
    radius: float

    def __post_init__(self) -> None:
        refuse(_dimension_problems("Ball", self.d) + _size_problems("Ball radius", self.radius))

    @property
    def described(self) -> str:
        size = _in_words(self.radius)
        return f"[-{size}, {size}]" if self.d == 1 else f"the ball of radius {size} in R^{self.d}"

    def support(self, w: np.ndarray) -> np.ndarray:
        return self.radius * np.linalg.norm(w, axis=-1)

    def contains(self, x: np.ndarray) -> np.ndarray:
        return np.linalg.norm(x, axis=-1) <= self.radius

    def sample(self, rng: np.random.Generator, n: int) -> np.ndarray:
        direction = rng.standard_normal((n, self.d))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        return self.radius * direction * rng.random((n, 1)) ** (1 / self.d)


@dataclass(frozen=True)
class Box(Domain):
    """All x in R^d with |x_i - center_i| <= half_width_i for every coordinate i.

    `half_width` is one number for a cube, or one per coordinate; `center` defaults to the origin.
    """

    d: int
    half_width: float | tuple[float, ...]
    center: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        problems = _dimension_problems("Box", self.d)
        for name in ("half_width", "center"):
            value = getattr(self, name)
            if isinstance(value, list) or (isinstance(value, np.ndarray) and value.ndim):
                value = tuple(value.tolist() if isinstance(value, np.ndarray) else value)
                object.__setattr__(self, name, value)
            if isinstance(value, tuple) and is_int(self.d) and len(value) != self.d:
                problems.append(f"Box {name} has {len(value)} numbers, wanted d={shown(self.d)}")
        widths = self.half_width if isinstance(self.half_width, tuple) else (self.half_width,)
        for width in widths if len(widths) <= MOST_INPUTS else ():
            problems += _size_problems("Box half_width", width)
        center = self.center
        if center is not None and not (
            isinstance(center, tuple) and not any(number_problem("", "", entry) for entry in center)
        ):
            problems.append(
                f"Box center must hold one finite number per input, got {shown(center)}"
            )
        refuse(problems)
        if isinstance(self.d, np.integer):
            object.__setattr__(self, "d", int(self.d))

    @property
    def described(self) -> str:
        if self.is_centered_cube:
            size = _in_words(float(self._half_widths[0]))
            return f"[-{size}, {size}]" + (f"^{self.d}" if self.d > 1 else "")
        if self.d > _MOST_SIDES:
            return f"a box in R^{self.d}"
        ends = zip(self.low.tolist(), self.high.tolist(), strict=True)
        return " x ".join(f"[{_in_words(low)}, {_in_words(high)}]" for low, high in ends)

    @property
    def low(self) -> np.ndarray:
        """The lower corner, shape (d,)."""
        return self._center - self._half_widths

    @property
    def high(self) -> np.ndarray:
        """The upper corner, shape (d,)."""
        return self._center + self._half_widths

    @property
    def is_centered_cube(self) -> bool:
        """Whether this is [-a, a]^d."""
        same = len(set(self._half_widths.tolist())) == 1
        return same and not self._center.any()

    @property
    def _half_widths(self) -> np.ndarray:
        return np.broadcast_to(np.asarray(self.half_width, dtype=float), (self.d,))

    @property
    def _center(self) -> np.ndarray:
        return np.zeros(self.d) if self.center is None else np.asarray(self.center, dtype=float)

    def support(self, w: np.ndarray) -> np.ndarray:
        return w @ self._center + np.abs(w) @ self._half_widths

    def contains(self, x: np.ndarray) -> np.ndarray:
        return np.all((x >= self.low) & (x <= self.high), axis=-1)

    def sample(self, rng: np.random.Generator, n: int) -> np.ndarray:
        return rng.uniform(self.low, self.high, (n, self.d))


MOST_POINTS = 10_000_000
"""Points of a data set: what memory holds, and far more than any study trains on."""


class Points(Domain):
    """The points of a data set, x of shape (N, d) with N >= 1 and finite numbers."""

    def __init__(self, x: Any) -> None:
        if isinstance(x, range) and size_of(x) > MOST_POINTS:
            raise InputError(
                f"Points wants at most {MOST_POINTS:,} points, got {size_of(x):,} in {shown(x)}"
            )
        try:
            points = np.array(x, dtype=np.float64)
        except Exception:  # whatever an object that is made an array may raise
            raise InputError(
                f"Points wants numbers in rows of one length, shape (N, d), got {shown(x)}"
            ) from None
        if points.ndim != 2 or not points.size:
            fix = "; for inputs of one coordinate pass x.reshape(-1, 1)" if points.ndim == 1 else ""
            raise InputError(
                f"Points wants x of shape (N, d) with N, d >= 1, got shape {points.shape}{fix}"
            )
        if not np.isfinite(points).all():
            raise InputError("Points wants finite numbers, got NaN or infinity; drop those rows")
        points.setflags(write=False)
        self.x = points
        self.d = points.shape[1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Points) and np.array_equal(self.x, other.x)

    def __hash__(self) -> int:
        return hash(self.x.tobytes())

    def __repr__(self) -> str:
        return f"Points({len(self.x)} x {self.d})"

    @property
    def described(self) -> str:
        return f"{counted(len(self.x), 'point')} of {counted(self.d, 'input')}"

    def support(self, w: np.ndarray) -> np.ndarray:
        return (w @ self.x.T).max(axis=-1)

    def contains(self, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x, dtype=float)
        flat = x.reshape(-1, self.d)
        is_point = np.array([bool((self.x == row).all(axis=1).any()) for row in flat])
        return is_point.reshape(x.shape[:-1])

    def sample(self, rng: np.random.Generator, n: int) -> np.ndarray:
        return self.x[rng.integers(len(self.x), size=n)]


def _dimension_problems(name: str, d: Any) -> list[str]:
    if is_int(d) and d >= 1:
        return int_problem(f"{name} d", d, 1, MOST_INPUTS)
    return [f"{name} d must be an int >= 1, the number of input coordinates, got {shown(d)}"]


def _size_problems(name: str, value: Any) -> list[str]:
    return number_problem(name, "", value, at_least=0)


def _in_words(size: float) -> str:
    """A number, that of the tasks on intervals as one writes it."""
    return "sqrt 3" if size == 3**0.5 else f"{size:.6g}"
