"""The order of minibatches, drawn on the GPU: `seeds.batch_order` of many networks and epochs."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def _mix64(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB
    return z ^ (z >> 31)


@triton.jit(do_not_specialize=["n_rows", "n_points", "first_epoch"])
def shuffle(keys, rows, n_rows, order, n_points, first_epoch, NETWORKS: tl.constexpr):
    """Write `order`, int32, shape (epochs, points, rows); a thread writes one permutation.

    Args:
        keys: uint64 as int64, one per network.
        rows: The networks wanted.
        n_rows: Their number.
        order: What to write.
        n_points: N.
        first_epoch: Epoch of the programs that are 0 on the second axis of the grid.
        NETWORKS: Rows per program.
    """
    slot = tl.program_id(0) * NETWORKS + tl.arange(0, NETWORKS)
    here = slot < n_rows
    key = tl.load(keys + tl.load(rows + slot, mask=here, other=0), mask=here, other=0)
    epoch = tl.zeros_like(key).to(tl.uint64) + (first_epoch + tl.program_id(1))
    golden = tl.full([NETWORKS], 0x9E3779B97F4A7C15, tl.uint64)
    state = _mix64(key.to(tl.uint64, bitcast=True) ^ _mix64(epoch + golden))
    base = order + tl.program_id(1).to(tl.int64) * n_points * n_rows + slot
    for point in range(n_points):
        tl.store(base + point * n_rows, tl.zeros_like(slot) + point, mask=here)
    for done in range(n_points - 1):
        last = n_points - 1 - done
        state += golden
        chosen = (((_mix64(state) >> 32) * (last + 1)) >> 32).to(tl.int64)
        ours = tl.load(base + last * n_rows, mask=here, other=0)
        theirs = tl.load(base + chosen * n_rows, mask=here, other=0)
        tl.store(base + chosen * n_rows, ours, mask=here)
        tl.store(base + last * n_rows, theirs, mask=here)
