"""Engines beside the machine's peak and beside peers."""

from trainability.benchmark.measure import Benchmark, Result, benchmark
from trainability.benchmark.peers import PEERS
from trainability.benchmark.workload import QUICK, SHAPES, VARIANTS, Workload

__all__ = ["PEERS", "QUICK", "SHAPES", "VARIANTS", "Benchmark", "Result", "Workload", "benchmark"]
