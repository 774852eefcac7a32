"""The multiply-add peak of a GPU, measured in registers."""

from __future__ import annotations

import time

import torch

from trainability.training.gpu.driver import Kernel
from trainability.training.gpu.launch import machine_code
from trainability.training.gpu.warp import GLOBAL
from trainability.training.ops.simd import INT, POINTER, Code

_CHAINS = 16  # Independent sums: more than a multiply-add takes cycles.
_WRITTEN_OUT = 8
_ROUNDS = 4096
_THREADS = 256
_BLOCKS_PER_MULTIPROCESSOR = 8
_ARGUMENTS = {"n": INT, "data": POINTER}


def source() -> str:
    """LLVM assembly of the function `peak`."""
    code = Code(1)
    kinds = {label: GLOBAL if kind == POINTER else kind for label, kind in _ARGUMENTS.items()}
    with code.function("peak", kinds, "ptx_kernel") as given:
        sums = [code.variable(code.load(given["data"], chain, "float")) for chain in range(_CHAINS)]
        factor = code.load(given["data"], _CHAINS, "float")
        with code.loop(given["n"]):
            for _ in range(_WRITTEN_OUT):
                for value in sums:
                    value.set(value.get().fma(factor, factor))
        for chain, value in enumerate(sums):
            code.store(value.get(), given["data"], chain)
    return str(code)


def gpu_fma_gflops(device: str = "cuda", repeats: int = 5) -> float:
    """Float32 operations, in 1e9 per second, of multiply-adds on registers, two for each."""
    with torch.cuda.device(device):
        data = torch.full((_CHAINS + 1,), 0.5, device=device)
        number = torch.cuda.current_device()
        kernel = Kernel(machine_code(source(), number), "peak", _ARGUMENTS, 0)
        n_units = torch.cuda.get_device_properties(number).multi_processor_count
        blocks = n_units * _BLOCKS_PER_MULTIPROCESSOR
        stream = torch.cuda.current_stream()
        fastest = float("inf")
        for _ in range(repeats):
            stream.synchronize()
            started = time.perf_counter()
            kernel.start(
                blocks, _THREADS, stream.cuda_stream, {"n": _ROUNDS, "data": data.data_ptr()}
            )
            stream.synchronize()
            fastest = min(fastest, time.perf_counter() - started)
    n_threads = blocks * _THREADS
    return 2 * _CHAINS * _WRITTEN_OUT * _ROUNDS * n_threads / fastest / 1e9
