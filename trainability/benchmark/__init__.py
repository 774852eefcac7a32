"""Engines beside the machine's peak and beside peers."""

from trainability.benchmark.measure import Benchmark, Result, benchmark
from trainability.benchmark.peers import PEERS
from trainability.benchmark.workload import GPU_SHAPES, QUICK, SHAPES, VARIANTS, Workload

__all__ = [
    "GPU_SHAPES",
    "PEERS",
    "QUICK",
    "SHAPES",
    "VARIANTS",
    "Benchmark",
    "Result",
    "Workload",
    "benchmark",
]
