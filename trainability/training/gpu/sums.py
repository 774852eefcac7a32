"""Sums over the lanes of a network, of which every lane keeps its own.

`lanes` sums at a time: two neighboring sums become one number per lane by one exchange, after
which half of the lanes hold the one, half the other; and so on with the results. So `lanes` sums
take `lanes - 1` exchanges, not `lanes * log2(lanes)`, and lane t ends with sum t.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trainability.training.gpu.warp import Warp
from trainability.training.ops.lanes import plus, plus_product
from trainability.training.ops.simd import Code, Value


class Sums:
    """Adds up numbers over lanes in the order in which they come.

    Args:
        warp: What is written to.
        lanes: Lanes per network.
        upper: For each distance below `lanes`, which lanes have that bit.
        ready: Called with the index of a chunk and its sums, one per lane.
    """

    def __init__(
        self,
        warp: Warp,
        lanes: int,
        upper: dict[int, Value],
        ready: Callable[[int, Value], None],
    ) -> None:
        self._warp = warp
        self._lanes = lanes
        self._upper = upper
        self._ready = ready
        self._partial: list[Value | None] = [None] * lanes.bit_length()
        self._count = 0
        self._chunk = 0

    def add(self, value: Value | None) -> None:
        """The next number to be added up; None for 0."""
        level, distance = 0, 1
        while self._count & distance:
            value = self._merged(self._partial[level], value, distance)
            level, distance = level + 1, 2 * distance
        self._partial[level] = value
        self._count += 1
        if self._count == self._lanes:
            self._close(value)

    def products(self, factors: Sequence[Value], others: Sequence[Value]) -> None:
        """The next number is the sum of the products over a lane's points."""
        total = factors[0] * others[0]
        for factor, other in zip(factors[1:], others[1:], strict=True):
            total = plus_product(total, factor, other)
        self.add(total)

    def totals(self, values: Sequence[Value]) -> None:
        """The next number is the sum over a lane's points."""
        total = values[0]
        for value in values[1:]:
            total = plus(total, value)
        self.add(total)

    def fill(self) -> None:
        """Fill the last chunk with zeros."""
        if not self._count:
            return
        n = self._count
        while self._count & (self._count - 1):
            self.add(None)
            if not self._count:
                return
        value = self._partial[self._count.bit_length() - 1]
        assert value is not None
        for distance in (1 << bit for bit in range(self._lanes.bit_length() - 1)):
            if distance >= self._count:
                value = value + self._warp.exchanged(value, distance)
        value = (self._warp.lane < n).choose(value, value.like(0.0))
        self._close(value)

    def _close(self, value: Value | None) -> None:
        assert value is not None
        self._ready(self._chunk, value)
        self._chunk += 1
        self._count = 0

    def _merged(self, low: Value | None, high: Value | None, distance: int) -> Value | None:
        """In lanes with the bit `distance` the sum of `high`, in the others that of `low`."""
        if low is None and high is None:
            return None
        assert low is not None
        if high is None:
            high = low.like(0.0)
        upper = self._upper[distance]
        sent = upper.choose(low, high)
        return upper.choose(high, low) + self._warp.exchanged(sent, distance)


class HeldSums:
    """Adds up each number within its lane from pass to pass; lanes are added up once, at the end.

    Args:
        code: What is written to.
        n: How many numbers there are.
    """

    def __init__(self, code: Code, n: int) -> None:
        self._places = [code.variable(code.constant(0.0)) for _ in range(n)]
        self._next = 0

    def restart(self) -> HeldSums:
        """The next number is the first again."""
        self._next = 0
        return self

    def products(self, factors: Sequence[Value], others: Sequence[Value]) -> None:
        """As `Sums.products`."""
        place = self._places[self._next]
        so_far = place.get()
        for factor, other in zip(factors, others, strict=True):
            so_far = plus_product(so_far, factor, other)
        place.set(so_far)
        self._next += 1

    def totals(self, values: Sequence[Value]) -> None:
        """As `Sums.totals`."""
        place = self._places[self._next]
        so_far = place.get()
        for value in values:
            so_far = plus(so_far, value)
        place.set(so_far)
        self._next += 1

    def fill(self) -> None:
        """As `Sums.fill`: nothing is to be done here."""

    def release(self, sums: Sums) -> None:
        """Add up over the lanes."""
        for place in self._places:
            sums.add(place.get())
        sums.fill()


def total(warp: Warp, value: Value, lanes: int) -> Value:
    """The sum over all lanes of a network, the same in each."""
    distance = 1
    while distance < lanes:
        value = value + warp.exchanged(value, distance)
        distance *= 2
    return value
