"""The multiply-add peak of this machine, measured: what engines are compared with."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from trainability.training.cpu.compiled import load
from trainability.training.cpu.fused_cpu_engine import lanes
from trainability.training.ops.simd import INT, POINTER, Code

_CHAINS = 12  # Independent sums: more than a multiply-add takes cycles, times two units.
_ROUND = 1_000_000


def peak_gflops(threads: int = 1, seconds: float = 0.3) -> float:
    """Float32 operations, in 1e9 per second, of multiply-adds on registers, two for each.

    Args:
        threads: Threads that run at the same time; the result is their sum.
        seconds: How long to measure; the best round counts.
    """
    arguments = {"n": INT, "data": POINTER}
    code = Code(lanes())
    with code.function("peak", arguments) as given:
        sums = [code.variable(code.load(given["data"], chain)) for chain in range(_CHAINS)]
        factor = code.load(given["data"], _CHAINS)
        with code.loop(given["n"]):
            for value in sums:
                value.set(value.get().fma(factor, factor))
        for chain, value in enumerate(sums):
            code.store(value.get(), given["data"], chain)
    function = load(str(code), {"peak": arguments}, unroll=False)["peak"]

    def best(_: int) -> float:
        data = np.full((_CHAINS + 1, code.lanes), 0.5, dtype=np.float32)
        fastest, end = np.inf, time.perf_counter() + seconds
        while time.perf_counter() < end:
            started = time.perf_counter()
            function(n=_ROUND, data=data)
            fastest = min(fastest, time.perf_counter() - started)
        return 2 * _CHAINS * code.lanes * _ROUND / fastest / 1e9

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(best, range(threads)))
