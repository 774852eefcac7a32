"""The updates of parameters, and beside them exchanges of the next order of minibatches."""

from __future__ import annotations

from collections.abc import Callable

from trainability.training.cpu.plan import BLOCK, Plan
from trainability.training.cpu.shuffle import Shuffle
from trainability.training.ops.simd import Code, Index


def update_all(
    code: Code, plan: Plan, shuffle: Shuffle | None, n: int, update: Callable[[Index], None]
) -> None:
    """Write the updates 0 to n - 1.

    Divisions and roots wait for one another; exchanges do not wait for them.

    Args:
        code: Is writing a function.
        plan: Of the kernel.
        shuffle: Of the next order, or None: the batch is full.
        n: Parameters.
        update: Writes the update of one.
    """
    if shuffle is None or not plan.exchanges:
        with code.loop(n) as k:
            update(k)
            if shuffle is not None:
                shuffle.go_on()
        return
    for first, size in code.blocks(n, BLOCK):
        block = [first + q if q else first for q in range(size)]
        enough = shuffle.left() > plan.exchanges - 1
        scarce = shuffle.left() < plan.exchanges
        with code.when(enough):
            places = shuffle.draw(plan.exchanges)
            for k in block:
                update(k)
            shuffle.exchange(places)
        with code.when(scarce):
            for k in block:
                update(k)
