"""The order of minibatches in the function that a `Code` is writing, as `seeds` has it."""

from __future__ import annotations

from trainability.training.ops.gather import constants, gathered, scattered
from trainability.training.ops.simd import INT, Code, Value

GOLDEN = 0x9E3779B97F4A7C15


def shuffle(code: Code, keys: Value, epoch: Value, n_points: Value, order: Value) -> None:
    """Write the order of `seeds.batch_order` to `order`, int32, shape (points, lanes)."""
    state = mix64(code.load(keys, 0, code.vector(INT)) ^ mix64(epoch + GOLDEN))
    state = code.variable(state)
    with code.loop(n_points) as n:
        code.store(code.fill(n.to("i32", "trunc")), order, n)
    with code.loop(n_points - 1) as done:
        last = n_points - 1 - done
        state.set(state.get() + GOLDEN)
        upper = mix64(state.get()) >> 32
        # Both factors are below 2^32, and seen to be so: a cheaper product.
        chosen = (upper * ((last + 1) & 0xFFFFFFFF)) >> 32
        _exchange(code, order, last, chosen)


def _exchange(code: Code, order: Value, last: Value, chosen: Value) -> None:
    """Exchange every lane's last point with its chosen one, all lanes at once."""
    own = constants(code, "i32", range(code.lanes))
    places = chosen.to(code.vector("i32"), "trunc") * code.lanes + own
    kept = code.load(order, last, code.vector("i32"))
    code.store(gathered(code, order, places, "i32"), order, last)
    scattered(code, kept, order, places, None)


def mix64(z: Value) -> Value:
    """As `seeds.mix64`."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB
    return z ^ (z >> 31)
