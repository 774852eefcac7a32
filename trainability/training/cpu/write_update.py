"""The update of one parameter in the function that a `Code` is writing."""

from __future__ import annotations

from collections.abc import MutableSequence

from trainability.optimizers import Optimizer
from trainability.penalties import Penalty
from trainability.training.ops.simd import Code, Index, Lazy, Value
from trainability.training.ops.vectors import VectorArithmetic


def write_update(
    code: Code,
    optimizer: Optimizer,
    penalty: Penalty | None,
    parameters: Value,
    gradient: Value,
    moments: list[Value],
    k: Index,
    is_weight: bool,
    numbers: list[Value],
    factors: list[Value],
) -> tuple[Value, Value]:
    """Write one update of parameter k and its moments; returns the old and the new parameter."""
    on = VectorArithmetic(code)
    old = Lazy(code, code.vector(), lambda: code.load(parameters, k))
    n_own = len(optimizer.numbers())
    if penalty is not None:
        of_penalty = numbers[n_own : n_own + len(penalty.numbers())]
        gradient = penalty.gradient(on, old, gradient, is_weight, of_penalty)
    places = _Moments(code, moments, k)
    return old, optimizer.update(on, old, gradient, places, numbers[:n_own], factors)


class _Moments(MutableSequence[Value]):
    """The moments of a parameter, in memory."""

    def __init__(self, code: Code, places: list[Value], k: Index) -> None:
        self._code = code
        self._places = places
        self._k = k

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Value:  # type: ignore[override]
        return self._code.load(self._places[index], self._k)

    def __setitem__(self, index: int, value: Value) -> None:  # type: ignore[override]
        self._code.store(value, self._places[index], self._k)

    def __delitem__(self, index: int) -> None:  # type: ignore[override]
        raise TypeError("an optimizer has a fixed number of moments")

    def insert(self, index: int, value: Value) -> None:
        raise TypeError("an optimizer has a fixed number of moments")
