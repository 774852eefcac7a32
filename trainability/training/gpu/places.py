"""Which parameters a thread of a block owns, and where they lie."""

from __future__ import annotations

from trainability.training.gpu.block import Block
from trainability.training.gpu.block_plan import BlockLayer, BlockPlan, Job
from trainability.training.ops.simd import Value


def tile_rows(layer: BlockLayer, tile: Value) -> tuple[list[Value], list[Value]]:
    """Outputs and inputs of a thread's 4 by 4 weights: a quarter of all apart."""
    across, down = -(-layer.fan_in // 4), -(-layer.fan_out // 4)
    row, column = tile // across, tile % across
    return [row + a * down for a in range(4)], [column + b * across for b in range(4)]


def chosen(
    block: Block, thread: Value, done: int, n: int, at_once: int
) -> tuple[Value, Value | None]:
    """Which of n a thread has in a round, and which threads have any; others get the last."""
    index = thread + done if done else thread
    if done + at_once <= n:
        return index, None
    mask = index < n
    return mask.choose(index, block.integers(n - 1)), mask


def parameters(
    block: Block, plan: BlockPlan, job: Job, thread: Value
) -> list[tuple[int, BlockLayer, Place]]:
    """Every parameter of a job: the number of its gradient, its layer, and its place."""
    layer = job.layer
    if job.kind == "tile":
        tile, mask = chosen(block, thread, job.done, job.n, plan.threads)
        rows, columns = tile_rows(layer, tile)
        of_tile = []
        for a, j in enumerate(rows):
            for b, i in enumerate(columns):
                valid = mask
                if layer.fan_out % 4 and a == 3:
                    valid = _both(valid, j < layer.fan_out)
                if layer.fan_in % 4 and b == 3:
                    valid = _both(valid, i < layer.fan_in)
                if valid is not None:
                    zero = block.integers(0)
                    j_in, i_in = valid.choose(j, zero), valid.choose(i, zero)
                else:
                    j_in, i_in = j, i
                place = Place(layer, j_in, i_in, valid)
                of_tile.append((job.first + 4 * a + b, layer, place))
        return of_tile
    item, mask = chosen(block, thread >> 2, job.done, job.n, plan.threads // 4)
    mask = _both(mask, (thread & 3).equals(0))
    if job.kind == "biases":
        return [(job.first, layer, Place(layer, item, None, mask))]
    place = Place(layer, item // layer.fan_in, item % layer.fan_in, mask)
    return [(job.first, layer, place)]


class Place:
    """Where a parameter lies: weight (j, i), or bias j where i is None."""

    def __init__(self, layer: BlockLayer, j: Value, i: Value | None, mask: Value | None) -> None:
        self.i = i
        self.mask = mask
        if i is None:
            self.by_column = j + layer.biases
            self.flat = j + (layer.start + layer.fan_in * layer.fan_out)
            return
        self.by_column = i * layer.column_stride + j + layer.columns
        self.by_row = j * layer.row_stride + i + layer.rows
        self.flat = j * layer.fan_in + i + layer.start


def _both(a: Value | None, b: Value) -> Value:
    return b if a is None else a & b
