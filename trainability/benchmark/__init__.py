"""Engines beside the machine's peak and beside peers, and what a study takes at their rates."""

from trainability import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.benchmark.measure import Benchmark, Result, benchmark
    from trainability.benchmark.peers import PEERS
    from trainability.benchmark.rates import expected_seconds, keep
    from trainability.benchmark.workload import (
        GPU_SHAPES,
        MODULES,
        QUICK,
        SHAPES,
        VARIANTS,
        Workload,
    )

__all__ = [
    "GPU_SHAPES",
    "MODULES",
    "PEERS",
    "QUICK",
    "SHAPES",
    "VARIANTS",
    "Benchmark",
    "Result",
    "Workload",
    "benchmark",
    "expected_seconds",
    "keep",
]

__getattr__ = lazy.attributes(
    __name__,
    measure="Benchmark Result benchmark",
    peers="PEERS",
    rates="expected_seconds keep",
    workload="GPU_SHAPES MODULES QUICK SHAPES VARIANTS Workload",
)
