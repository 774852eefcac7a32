"""The order of minibatches in the function that a `Code` is writing, as `seeds` has it."""

from __future__ import annotations

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
        chosen = (upper * (last + 1)) >> 32
        for lane in range(code.lanes):
            here = last * code.lanes + lane
            there = chosen.lane(lane) * code.lanes + lane
            kept = code.load(order, here, "i32")
            code.store(code.load(order, there, "i32"), order, here)
            code.store(kept, order, there)


def mix64(z: Value) -> Value:
    """As `seeds.mix64`."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB
    return z ^ (z >> 31)
