"""What was measured on this machine, kept: what a study would take here."""

from __future__ import annotations

import contextlib
import json
import math
import platform
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainability.cache import cache_folder, write_whole
from trainability.cores import available_cores

if TYPE_CHECKING:
    from trainability.benchmark.measure import Benchmark, Result
    from trainability.study.cell import Cell

_VERSION = 1


def keep(benchmark: Benchmark) -> None:
    """Keep the rates of engines; those of the same work that were kept before are replaced.

    A folder that can't be written costs the memory of it, no more.
    """
    device = "cpu" if benchmark.gpu is None else "gpu"
    machine = _machine(benchmark.cores)
    kept = _read()
    rates = kept.setdefault(machine, {}).setdefault(device, {})
    for result in benchmark.results:
        if _is_of_an_engine(result) and result.cores in (0, benchmark.cores):
            work = f"{result.work()}, {result.engine}"
            rates[work] = {
                "features": _features(
                    result.workload.sizes, result.batch, 1 if result.batch < result.n_train else 0
                ),
                "gflops": result.gflops,
            }
    content = json.dumps({"version": _VERSION, "machines": kept})
    with contextlib.suppress(OSError):
        write_whole(_path(), content.encode())


def expected_seconds(
    cells: Mapping[str, Cell], n_networks: Mapping[str, int], device: str = "cpu"
) -> float | None:
    """Seconds of training that networks of some cells take here, by what `trainability bench` kept.

    All cores, or one GPU, at the rate of the fastest engine on the measured work that is nearest
    to a cell's. An upper bound in one respect: every network is counted to the end of its budget,
    of which one that succeeds needs a part. Census, rows and the start of workers are not in it,
    nor what other losses, activations and optimizers take beyond those that were measured.

    Args:
        cells: The cells, by id.
        n_networks: Networks to train, by the id of their cell.
        device: "cpu", or a GPU.

    Returns:
        Seconds; None where nothing was measured on this machine and device, or for copies of a
        module, whose rates are not kept.
    """
    if any(cells[cell].network is not None for cell in n_networks):
        return None
    kind = "cpu" if device == "cpu" else "gpu"
    rates = list(_read().get(_machine(available_cores()), {}).get(kind, {}).values())
    if not rates:
        return None
    return sum(
        n * _operations(cells[cell]) / (_gflops(rates, cells[cell]) * 1e9)
        for cell, n in n_networks.items()
    )


def _gflops(rates: list[dict[str, Any]], cell: Cell) -> float:
    """Of the fastest engine on the nearest work."""
    features = _features(cell.sizes, _points(cell), 1 if cell.batch_size else 0)

    def distance(rate: dict[str, Any]) -> float:
        return sum(abs(a - b) for a, b in zip(rate["features"], features, strict=True))

    least = min(map(distance, rates))
    return max(rate["gflops"] for rate in rates if distance(rate) == least)


def _features(sizes: tuple[int, ...], points: int, has_minibatches: int) -> list[float]:
    """What speed depends on: weights per layer, layers, points per step, on a logarithmic scale."""
    layers = len(sizes) - 1
    # A look at the loss of all points, and orders, come with minibatches: a kind of their own.
    return [
        math.log2(_weights(sizes) / layers) / 2,
        math.log2(layers),
        math.log2(points) / 4,
        8.0 * has_minibatches,
    ]


def _weights(sizes: tuple[int, ...]) -> int:
    return sum(a * b for a, b in pairwise(sizes))


def _operations(cell: Cell) -> float:
    """Of a network's whole budget, counted as `Workload.operations` counts them."""
    return 6.0 * _weights(cell.sizes) * _points(cell) * cell.max_steps


def _points(cell: Cell) -> int:
    return cell.batch_size or cell.task.n_train


def _is_of_an_engine(result: Result) -> bool:
    from trainability.training.catalog import engine_modules

    return result.engine.removesuffix("-gpu") == "torch" or result.engine in engine_modules()


def _machine(cores: int) -> str:
    """Home folders are shared by machines, whose rates differ."""
    return f"{platform.node()}, {cores} cores"


def _path() -> Path:
    return cache_folder() / "benchmark.json"


def _read() -> dict[str, Any]:
    """The machines' rates; a file that is missing, damaged or of another version holds none."""
    try:
        kept = json.loads(_path().read_text())
        return kept["machines"] if kept["version"] == _VERSION else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
