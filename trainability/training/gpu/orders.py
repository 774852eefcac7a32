"""Orders of minibatches, made on the device: one thread for each network and epoch."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from trainability.seeds import batch_order
from trainability.training.cpu.shuffle import GOLDEN, mix64
from trainability.training.gpu.driver import Kernel
from trainability.training.gpu.launch import machine_code
from trainability.training.gpu.warp import GLOBAL, SHARED, WARP
from trainability.training.ops.simd import INT, POINTER, Code, Value

ORDERS = {
    "keys": POINTER,
    "order": POINTER,
    "n_rows": INT,
    "n_orders": INT,
    "n_points": INT,
    "first_epoch": INT,
}
"""Arguments: keys int64 (n_rows,); order int32 (epochs, n_rows, n_points); n_orders: epochs times
rows."""

# One more than a warp has threads: then a column is read without conflicts of banks.
_STRIDE = WARP + 1
_MOST_SHARED = 96 * 1024


def orders(keys: Tensor, first: int, stop: int, n_points: int) -> Tensor:
    """`seeds.batch_order` of epochs first..stop-1: int32, shape (epochs, rows, points)."""
    if keys.device.type == "cpu":
        host = keys.numpy().view(np.uint64)
        tables = [batch_order(host, epoch, n_points) for epoch in range(first, stop)]
        return torch.from_numpy(np.stack(tables))
    shape = (stop - first, len(keys), n_points)
    order = torch.empty(shape, dtype=torch.int32, device=keys.device)
    n_orders = shape[0] * shape[1]
    with torch.cuda.device(keys.device):
        kernel = _kernel(n_points, torch.cuda.current_device())
        given = {
            "keys": keys.data_ptr(),
            "order": order.data_ptr(),
            "n_rows": len(keys),
            "n_orders": n_orders,
            "n_points": n_points,
            "first_epoch": first,
        }
        stream = torch.cuda.current_stream().cuda_stream
        kernel.start(-(-n_orders // WARP), WARP, stream, given)
    return order


@cache
def _kernel(n_points: int, device: int) -> Kernel:
    shared_bytes = 4 * _STRIDE * n_points
    shared = shared_bytes <= _MOST_SHARED
    code = machine_code(source(shared), device)
    return Kernel(code, "orders", ORDERS, shared_bytes if shared else 0)


def source(shared: bool) -> str:
    """LLVM assembly of the function `orders`; it shuffles in shared memory or in place."""
    code = Code(1)
    kinds = {label: GLOBAL if kind == POINTER else kind for label, kind in ORDERS.items()}
    code.declare("@shared = external addrspace(3) global [0 x float], align 16")
    with code.function("orders", kinds, "ptx_kernel") as given:
        thread, block = (
            code.emit("i32", code.calling(f"llvm.nvvm.read.ptx.sreg.{name}", "i32")).to(INT, "zext")
            for name in ("tid.x", "ctaid.x")
        )
        index = block * WARP + thread
        last = given["n_orders"] - 1
        index = (index < given["n_orders"]).choose(index, last)
        key = code.load(given["keys"], index % given["n_rows"], INT)
        epoch = given["first_epoch"] + index // given["n_rows"]
        n_points = given["n_points"]
        if not shared:
            with code.when(block * WARP + thread < given["n_orders"]):
                shuffle(code, key, epoch, n_points, given["order"], index * n_points, 1)
        else:
            table = Value(code, SHARED, "@shared")
            shuffle(code, key, epoch, n_points, table, thread, _STRIDE)
            code.declare("declare void @llvm.nvvm.bar.warp.sync(i32)")
            code.write("call void @llvm.nvvm.bar.warp.sync(i32 -1)")
            with code.loop(WARP) as row:
                at = block * WARP + row
                with code.when(at < given["n_orders"]), code.loop((n_points + 31) // WARP) as part:
                    point = part * WARP + thread
                    with code.when(point < n_points):
                        value = code.load(table, point * _STRIDE + row, "i32")
                        code.store(value, given["order"], at * n_points + point)
    return str(code)


def shuffle(
    code: Code, key: Value, epoch: Value, n_points: Value, table: Value, first: Value, stride: int
) -> None:
    """Write the order of `seeds.batch_order` to every `stride`-th place of `table`."""
    state = code.variable(mix64(key ^ mix64(epoch + GOLDEN)))
    with code.loop(n_points) as n:
        code.store(n.to("i32", "trunc"), table, n * stride + first)
    with code.loop(n_points - 1) as done:
        last = n_points - 1 - done
        state.set(state.get() + GOLDEN)
        upper = mix64(state.get()) >> 32
        chosen = (upper * (last + 1)) >> 32
        last_at, chosen_at = last * stride + first, chosen * stride + first
        kept = code.load(table, last_at, "i32")
        code.store(code.load(table, chosen_at, "i32"), table, last_at)
        code.store(kept, table, chosen_at)
