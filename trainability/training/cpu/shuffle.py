"""The orders of minibatches in the function that a `Code` is writing, as `seeds` has it."""

from __future__ import annotations

from trainability.training.ops.gather import (
    constants,
    gathered,
    halves,
    scattered,
    upper_product,
)
from trainability.training.ops.simd import INT, Code, Value

GOLDEN = 0x9E3779B97F4A7C15


class Shuffle:
    """Writes orders of `seeds.batch_order`, exchange by exchange: between other work, for which
    each leaves half of the core idle.

    Args:
        code: Is writing a function.
        keys: Of the lanes' orders.
        n_points: N.
        orders: Scratch for two orders, int32, shape (2, N, lanes): of even epochs and of odd ones.
    """

    def __init__(self, code: Code, keys: Value, n_points: Value, orders: Value) -> None:
        self._code, self._keys, self._n_points, self._orders = code, keys, n_points, orders
        zero = code.constant(0, INT)
        self._first, self._left = code.variable(zero), code.variable(zero)
        self._state = code.variable(code.constant(0, code.vector(INT)))

    def first_of(self, epoch: Value) -> Value:
        """Where the order of an epoch begins, counted in points."""
        return (epoch & 1) * self._n_points

    def begin(self, epoch: Value) -> None:
        """Begin the order of an epoch."""
        code, n = self._code, self._n_points
        self._state.set(mix64(code.load(self._keys, 0, code.vector(INT)) ^ mix64(epoch + GOLDEN)))
        first = self.first_of(epoch)
        self._first.set(first)
        self._left.set(n - 1)
        with code.loop(n) as point:
            code.store(code.fill(point.to("i32", "trunc")), self._orders, first + point)

    def go_on(self) -> None:
        """One exchange, if one is left."""
        with self._code.when(self._left.get() > 0):
            self._exchange()

    def finish(self, together: int = 1) -> None:
        """All exchanges that are left, so many at once: the mixing of one waits for itself."""
        if together > 1:
            with self._code.loop(self._left.get() // together):
                self.exchange(self.draw(together))
        with self._code.loop(self._left.get()):
            self._exchange()

    def left(self) -> Value:
        """How many exchanges are left."""
        return self._left.get()

    def draw(self, n: int) -> list[Value]:
        """The places, counted in lanes from the first of the order, of the next n exchanges."""
        code, last, state = self._code, self._left.get(), self._state.get()
        own = constants(code, "i32", range(code.lanes))
        places = []
        for k in range(n):
            state = state + GOLDEN
            upper = halves(code, _before_last_step(state), "i32")[1]
            upper = upper ^ (upper >> 31)
            # The row times the lanes, in whose low bits the lane has its place.
            row = upper_product(code, upper, ((last + (1 - k)) * code.lanes) & 0xFFFFFFFF)
            places.append((row & -code.lanes) | own)
        self._state.set(state)
        return places

    def exchange(self, places: list[Value]) -> None:
        """The exchanges whose places were drawn."""
        code, last, kind = self._code, self._left.get(), self._code.vector("i32")
        self._left.set(last - len(places))
        order = code.pointer(self._orders, self._first.get(), kind)
        for k, place in enumerate(places):
            row = last - k if k else last
            kept = code.load(order, row, kind)
            code.store(gathered(code, order, place, "i32"), order, row)
            scattered(code, kept, order, place, None)

    def _exchange(self) -> None:
        """Exchange every lane's last point with its chosen one, all lanes at once."""
        code, last, first = self._code, self._left.get(), self._first.get()
        self._left.set(last - 1)
        self._state.set(self._state.get() + GOLDEN)
        upper = mix64(self._state.get()) >> 32
        # Both factors are below 2^32, and seen to be so: a cheaper product.
        chosen = (upper * ((last + 1) & 0xFFFFFFFF)) >> 32
        own = constants(code, "i32", range(code.lanes))
        places = (chosen + first).to(code.vector("i32"), "trunc") * code.lanes + own
        kept = code.load(self._orders, first + last, code.vector("i32"))
        code.store(gathered(code, self._orders, places, "i32"), self._orders, first + last)
        scattered(code, kept, self._orders, places, None)


def mix64(z: Value) -> Value:
    """As `seeds.mix64`."""
    z = _before_last_step(z)
    return z ^ (z >> 31)


def _before_last_step(z: Value) -> Value:
    """`mix64` but for its last step, which 32 bits can take alone: the upper ones are their own."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
    return (z ^ (z >> 27)) * 0x94D049BB133111EB
