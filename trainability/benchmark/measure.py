"""Measure throughput: network-steps per second, GFLOP/s, and the share of the measured peak."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import torch

from trainability.benchmark.peers import PEERS, obstacle
from trainability.benchmark.workload import Workload
from trainability.errors import InputError
from trainability.training import choose_engine
from trainability.training.peak import peak_gflops

_NETWORKS = {"torch": 1024}
_GPU_NETWORKS = 65_536
_REPEATS = 3


@dataclass(frozen=True)
class Result:
    """One measured figure.

    Args:
        engine: Name of the engine or peer; "torch-gpu" is the torch engine on a GPU.
        width, depth, d_in, n_train, optimizer, batch: The work.
        cores: CPU cores that it could use; 0 for what runs on a GPU.
        network_steps_per_second: Median of three measurements.
        gflops: That times the operations of a step; see `Workload.operations`.
        fraction_of_peak: Of the measured multiply-add peak of these cores, or of the GPU.
    """

    engine: str
    width: int
    depth: int
    d_in: int
    n_train: int
    optimizer: str
    batch: int
    cores: int
    network_steps_per_second: float
    gflops: float
    fraction_of_peak: float

    def work(self) -> str:
        """What was trained, in words."""
        batch = "" if self.batch == self.n_train else f", batches of {self.batch}"
        return (
            f"depth {self.depth}, width {self.width}, {self.d_in}-D, "
            f"{self.n_train:,} points{batch}, {self.optimizer}"
        )


@dataclass(frozen=True)
class Benchmark:
    """What was measured on this machine, in one run.

    Args:
        peak_gflops_per_core: Measured multiply-add peak of one core, float32.
        cores: Cores that the process may use.
        results: The figures.
        left_out: What was not measured, and why.
        gpu: Name of the GPU that was measured, if any.
        gpu_peak_gflops: Its measured multiply-add peak, float32.
    """

    peak_gflops_per_core: float
    cores: int
    results: list[Result]
    left_out: list[str]
    gpu: str | None = None
    gpu_peak_gflops: float | None = None

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "results": [asdict(result) for result in self.results]}


def available_cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def benchmark(
    workloads: Sequence[Workload],
    peers: Sequence[str],
    seconds: float,
    tell: Callable[[str], None] = lambda _: None,
) -> Benchmark:
    """Measure every engine and peer on every workload.

    Args:
        workloads: What to train.
        peers: Names of peers, see `PEERS`.
        seconds: Time of one measurement; each is repeated three times after a warm-up.
        tell: Called with what is measured next.
    """
    cores = available_cores()
    tell("peak")
    peak = peak_gflops(1)
    results, left_out = [], []
    gpu, gpu_peak = None, None
    if torch.cuda.is_available():
        tell("peak of the GPU")
        gpu, gpu_peak = torch.cuda.get_device_name(), gpu_peak_gflops()
    else:
        left_out.append("engines for GPUs: torch finds no GPU here")
    for work in workloads:
        for name, used, steps, n_networks in _candidates(work, peers, cores, left_out):
            tell(f"{name}, width {work.width}, depth {work.depth}, {used} cores")
            rate = _rate(steps, n_networks, seconds)
            gflops = rate * work.operations / 1e9
            results.append(
                Result(
                    name,
                    **asdict(work),
                    cores=used,
                    network_steps_per_second=rate,
                    gflops=gflops,
                    fraction_of_peak=gflops / (peak * used if used else gpu_peak or math.nan),
                )
            )
    return Benchmark(peak, cores, results, sorted(set(left_out)), gpu, gpu_peak)


def _candidates(
    work: Workload, peers: Sequence[str], cores: int, left_out: list[str]
) -> Iterator[tuple[str, int, Callable[[int], None], int]]:
    for name in ("fused-cpu", "torch"):
        n_networks = _NETWORKS.get(name, 4096)
        for used in sorted({1, cores}):
            yield name, used, _engine_steps(name, work, n_networks, "cpu", used), n_networks
    for name in ("fused-gpu", "graph-gpu", "torch") if torch.cuda.is_available() else ():
        shown = "torch-gpu" if name == "torch" else name
        try:
            steps = _engine_steps(name, work, _GPU_NETWORKS, "cuda", 1)
        except InputError as error:
            left_out.append(f"{shown}, {work}: {error}")
        else:
            yield shown, 0, steps, _GPU_NETWORKS
    for name in peers:
        why = obstacle(name, work)
        if why:
            left_out.append(f"{name}: {why}")
            continue
        make, n_networks = PEERS[name]
        torch.set_num_threads(cores)
        yield name, cores, make(work, n_networks), n_networks


def _engine_steps(
    name: str, work: Workload, n_networks: int, device: str, threads: int
) -> Callable[[int], None]:
    """A function that trains k steps more."""
    ensemble, problem = work.start(n_networks)
    engine = choose_engine(name, work.sizes, problem, device=device, threads=threads)
    training = engine.start(ensemble, problem)
    training.advance(0)

    def steps(k: int) -> None:
        training.advance(int(training.steps[0]) + k)

    return steps


def gpu_peak_gflops(size: int = 8192, repeats: int = 10, device: str = "cuda") -> float:
    """Float32 operations, in 1e9 per second, of products of large matrices, without TF32.

    Args:
        size: Rows and columns of the matrices.
        repeats: Products; the fastest counts.
        device: A torch device.
    """
    a = torch.rand(size, size, device=device)
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    fastest = math.inf
    try:
        for _ in range(repeats + 1):
            started = time.perf_counter()
            (a @ a)[0, 0].item()  # waits for the product
            fastest = min(fastest, time.perf_counter() - started)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
    return 2 * size**3 / fastest / 1e9


def _rate(steps: Callable[[int], None], n_networks: int, seconds: float) -> float:
    """Network-steps per second: the median of several measurements of about that length."""
    k = 20
    while True:
        started = time.perf_counter()
        steps(k)
        spent = time.perf_counter() - started
        if spent > seconds / 4:
            break
        k *= 4
    k = max(20, int(k * seconds / spent) // 20 * 20)
    rates = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        steps(k)
        rates.append(k * n_networks / (time.perf_counter() - started))
    return statistics.median(rates)
