"""Measure throughput: network-steps per second, GFLOP/s, and the share of the measured peak."""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import asdict, dataclass, fields
from functools import partial
from itertools import pairwise
from typing import TypeVar

import torch

from trainability import interrupts
from trainability.benchmark.peers import PEERS, obstacle
from trainability.benchmark.workload import N_COPIES, Workload
from trainability.cores import available_cores
from trainability.errors import InputError
from trainability.training import ENGINES, choose_engine, engine_type
from trainability.training.cpu.peak import peak_gflops
from trainability.training.gpu.peak import gpu_fma_gflops

T = TypeVar("T")

_MOST_GPU_NETWORKS = 65_536
# Numbers that all networks' activations take, which peers keep in a GPU's memory: 4 GiB.
_MOST_NUMBERS = 2**30
# Drawing a weight takes as long as keeping that many numbers: a second in all.
_DRAWN = 16
# Of a step of all networks.
_CPU_OPERATIONS = 2e9
_REPEATS = 3
_LOOK_EVERY_S = 0.05
_FIRST = "nn-loop"  # What the table compares the others with.


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
        compile_s: Seconds until the first steps were done: code written, compiled and loaded, or
            read from disk.
        network: "", or which module was trained.
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
    compile_s: float
    network: str = ""

    def work(self) -> str:
        """What was trained, in words."""
        return self.workload.label

    @property
    def workload(self) -> Workload:
        """What was trained."""
        return Workload(**{part.name: getattr(self, part.name) for part in fields(Workload)})


@dataclass(frozen=True)
class Benchmark:
    """What was measured on this machine, in one run.

    Args:
        peak_gflops_per_core: Measured multiply-add peak of one core, float32.
        cores: Cores that the process may use.
        results: The figures.
        left_out: What was not measured, and why.
        gpu: Name of the GPU that was measured, if any.
        gpu_peak_gflops: Its measured multiply-add peak, float32: of a product of large matrices.
        gpu_fma_gflops: The same of multiply-adds in registers.
        complete: Whether everything was measured that was to be.
    """

    peak_gflops_per_core: float
    cores: int
    results: list[Result]
    left_out: list[str]
    gpu: str | None = None
    gpu_peak_gflops: float | None = None
    gpu_fma_gflops: float | None = None
    complete: bool = True

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "results": [asdict(result) for result in self.results]}


def benchmark(
    workloads: Sequence[Workload],
    peers: Sequence[str],
    seconds: float,
    device: str = "cpu",
    engines: Sequence[str] | None = None,
    tell: Callable[[str], None] = lambda _: None,
    show: Callable[[Result], None] = lambda _: None,
    limit_s: float = math.inf,
) -> Benchmark:
    """Measure every engine and peer on every workload. Cut short, it keeps what it has.

    Ctrl-C, or what else asks for the end while it is `interrupts.orderly`, cuts it short at once,
    whatever is being compiled or measured.

    Args:
        workloads: What to train.
        peers: Names of peers, see `PEERS`; on a GPU only those that can use it.
        seconds: Time of one measurement; each is repeated three times after a warm-up.
        device: "cpu", or a GPU.
        engines: Names of engines, "auto" for that which a study would choose; all of the device
            where none are given.
        tell: Called with what is measured next.
        show: Called with every figure as soon as it is measured.
        limit_s: Time in all, about. Peers are left out where a workload's part of it is spent,
            engines once all of it is.
    """
    end = time.monotonic() + limit_s
    cores = available_cores()
    tell("peak")
    peak = _apart(partial(peak_gflops, 1))
    results: list[Result] = []
    left_out: list[str] = []
    gpu, gpu_peak, gpu_fma = None, None, None
    if device != "cpu":
        tell("peak of the GPU")
        gpu, gpu_peak = torch.cuda.get_device_name(device), gpu_peak_gflops(device=device)
        gpu_fma = gpu_fma_gflops(device)
    complete = False
    try:
        for done, work in enumerate(workloads):
            started = time.monotonic()
            part = started + (end - started) / (len(workloads) - done)
            for candidate in _candidates(work, peers, cores, device, engines, left_out):
                if time.monotonic() > (part if candidate.name in PEERS else end):
                    left_out.append(
                        f"{candidate.name}, {work.label}: no time for it in {limit_s:.0f} s"
                    )
                    continue
                tell(f"{candidate.name}, {work.width} wide, {work.depth} deep")
                per_core = peak * candidate.cores if candidate.cores else gpu_peak or math.nan
                measure = partial(_measured, candidate, work, seconds, per_core)
                try:
                    measured = _apart(measure, end)
                except TimeoutError:
                    measured = f"not done within {limit_s:.0f} s in all"
                if isinstance(measured, str):
                    left_out.append(f"{candidate.name}, {work.label}: {measured}")
                else:
                    results.append(measured)
                    show(measured)
        complete = True
    except KeyboardInterrupt:
        left_out.append("what was to come: interrupted")
    return Benchmark(peak, cores, results, sorted(set(left_out)), gpu, gpu_peak, gpu_fma, complete)


def _apart(work: Callable[[], T], end: float = math.inf) -> T:
    """What `work` gives, in a thread of its own: this one is there when the end is asked for.

    Raises:
        KeyboardInterrupt: If it was; the other thread ends with the process.
        TimeoutError: If `time.monotonic()` has come to `end`; likewise.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    while wait([future], timeout=_LOOK_EVERY_S).not_done:
        interrupts.check()
        if time.monotonic() > end:
            raise TimeoutError
    return future.result()


@dataclass(frozen=True)
class _Candidate:
    """What may be measured: it is made only when its turn comes."""

    name: str
    cores: int
    n_networks: int
    make: Callable[[], Callable[[int], None]]


def _measured(candidate: _Candidate, work: Workload, seconds: float, peak: float) -> Result | str:
    """The figure, or why there is none."""
    started = time.perf_counter()
    try:
        steps = candidate.make()
        steps(1)
        compile_s = time.perf_counter() - started
        rate = _rate(steps, candidate.n_networks, seconds, work.least_steps)
    except InputError as error:
        return str(error)
    except (RuntimeError, MemoryError) as error:
        # Of one shape, such as too little memory: the others can still be measured.
        return str(error).splitlines()[0]
    gflops = rate * work.operations / 1e9
    return Result(
        candidate.name,
        **asdict(work),
        cores=candidate.cores,
        network_steps_per_second=rate,
        gflops=gflops,
        fraction_of_peak=gflops / peak,
        compile_s=compile_s,
    )


def _candidates(
    work: Workload,
    peers: Sequence[str],
    cores: int,
    device: str,
    engines: Sequence[str] | None,
    left_out: list[str],
) -> Iterator[_Candidate]:
    on_gpu = device != "cpu"
    if work.network:
        yield from _of_module(work, peers, cores, device, left_out)
        return
    yield from _peers(work, [name for name in peers if name == _FIRST], cores, device, left_out)
    all_names = [name for name in ENGINES[1:] if engine_type(name).runs_on(device)]
    for asked in engines or all_names:
        name = asked
        if asked == "auto":
            name = choose_engine("auto", work.sizes, work.start(1)[1], device=device).name
        most = engine_type(name).networks_to_measure(device)
        if on_gpu:
            n = min(_gpu_networks(work), most)
            shown = "torch-gpu" if name == "torch" else name
            yield _Candidate(shown, 0, n, partial(_engine_steps, name, work, n, device, 1))
            continue
        n = min(most, _cpu_networks(work))
        for used in sorted({1, cores}):
            make = partial(_engine_steps, name, work, n, "cpu", used)
            yield _Candidate(name, used, n, make)
    yield from _peers(work, [name for name in peers if name != _FIRST], cores, device, left_out)


def _of_module(
    work: Workload, peers: Sequence[str], cores: int, device: str, left_out: list[str]
) -> Iterator[_Candidate]:
    """Copies of a module as a study trains them, and the same written by hand."""
    # Imported here: no other work needs what trains modules.
    from trainability.benchmark.small_cnn import ENGINE, engine_steps, vmap_by_hand

    if device == "cpu":
        yield from _peers(work, peers, cores, device, left_out)
        for used in sorted({1, cores}):
            make = partial(engine_steps, work, N_COPIES, device, used)
            yield _Candidate(ENGINE, used, N_COPIES, make)
        return
    yield _Candidate("torch-vmap", 0, N_COPIES, partial(vmap_by_hand, work, N_COPIES, device))
    yield _Candidate(ENGINE, 0, N_COPIES, partial(engine_steps, work, N_COPIES, device, 1))


def _peers(
    work: Workload, peers: Sequence[str], cores: int, device: str, left_out: list[str]
) -> Iterator[_Candidate]:
    for name in peers:
        why = obstacle(name, work, device)
        if why:
            left_out.append(f"{name}: {why}")
            continue
        make, n = PEERS[name]
        if device != "cpu":
            n = _gpu_networks(work)
            yield _Candidate(name, 0, n, partial(make, work, n))
            continue
        n = min(n, N_COPIES if work.network else _cpu_networks(work))
        yield _Candidate(name, cores, n, partial(_peer_steps, make, work, n, cores))


def _peer_steps(
    make: Callable[[Workload, int], Callable[[int], None]], work: Workload, n: int, threads: int
) -> Callable[[int], None]:
    """In the thread that measures, of which torch's number of threads is a setting."""
    torch.set_num_threads(threads)
    return make(work, n)


def _cpu_networks(work: Workload) -> int:
    """So many that a step of all takes a tenth of a second on a slow way, whole vectors of them."""
    return max(64, int(_CPU_OPERATIONS / work.operations) // 64 * 64)


def _gpu_networks(work: Workload) -> int:
    """As many networks as fill a GPU, and a peer's activations of them its memory in part."""
    n_weights = sum(fan_in * fan_out for fan_in, fan_out in pairwise(work.sizes))
    numbers = max(work.n_train * sum(work.sizes[1:]), _DRAWN * n_weights)
    return max(1024, min(_MOST_GPU_NETWORKS, 2 ** ((_MOST_NUMBERS // numbers).bit_length() - 1)))


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


def _rate(steps: Callable[[int], None], n_networks: int, seconds: float, least: int = 20) -> float:
    """Network-steps per second: the median of several measurements of about that length.

    Of a multiple of the least number of steps each.
    """
    k = least
    # Peers repeat their first steps; engines go on.
    while True:
        started = time.perf_counter()
        steps(k)
        spent = time.perf_counter() - started
        if spent > seconds / 4:
            break
        k *= 4
    k = max(least, int(k * seconds / spent) // least * least)
    rates = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        steps(k)
        rates.append(k * n_networks / (time.perf_counter() - started))
    return statistics.median(rates)
