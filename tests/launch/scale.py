"""How a launch scales: trials that sleep instead of train, on simulated nodes of this machine.

Not a test: `python tests/launch/scale.py --cells 10000 --workers 64` takes a quarter of an hour and
prints what `cluster/README.md` tells. Everything but the work is real: Ray Tune, storage, MLflow.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.update(
    RAY_AUTH_MODE="disabled",
    RAY_USAGE_STATS_ENABLED="0",
    RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0",
)

import psutil
import ray
from ray.cluster_utils import Cluster
from rich.console import Console

from trainability import SGD, Study, plan, tracking
from trainability.domains import Ball
from trainability.launch import Options, launch
from trainability.schemes import UnitSphere
from trainability.storage import Storage
from trainability.tasks import Function

CPUS_PER_NODE = 8
WIDTHS = 100


@dataclass(frozen=True)
class Sleeping(UnitSphere):
    """Sleeps for PACE_S seconds per cell; `tag` tells cells apart."""

    tag: int = 0

    def draw(self, layer, rng):
        if layer.is_output:
            time.sleep(float(os.environ["PACE_S"]))
        return super().draw(layer, rng)


def line(x):
    return x


def study_of(n_cells: int) -> Study:
    return Study(
        name="scale",
        question="How far does a launch scale?",
        task=Function("line", line, Ball(1, 1.0), n_train=4),
        axes={
            "scheme": [Sleeping(tag=tag) for tag in range(-(-n_cells // WIDTHS))],
            "width": list(range(2, 2 + min(n_cells, WIDTHS))),
        },
        optimizer=SGD(learning_rate=1e-6),
        max_steps=1,
        tolerance=1e-9,
        replicates=256,
    )


class Watch:
    """The driver's memory, and when cells were mirrored."""

    def __init__(self, mirror):
        self.peak_bytes = 0
        self.mirrored = []
        self._mirror = mirror
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def cell_started(self, cell):
        self._mirror.cell_started(cell)

    def cell_done(self, cell):
        self._mirror.cell_done(cell)
        self._mirror.add(lambda _: self.mirrored.append(time.monotonic()))

    def cell_failed(self, *what, **how):
        self._mirror.cell_failed(*what, **how)

    def close(self):
        self._mirror.close("FINISHED")
        self._ended.set()
        self._thread.join()

    def _look(self):
        me = psutil.Process()
        while not self._ended.wait(0.5):
            self.peak_bytes = max(self.peak_bytes, me.memory_info().rss)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--pace", type=float, default=0.5, help="seconds that a cell sleeps")
    parser.add_argument("--trials", type=int, default=128)
    given = parser.parse_args()
    study = study_of(given.cells)
    cells = {cell.id: cell for cell in study.cells()}
    # The work is no work: deal it out as if a cell's sleep were its training.
    operations = next(iter(cells.values())).operations * 256
    largest = sum(cell.operations * 256 for cell in cells.values()) / given.trials
    plan.TRIAL_OPERATIONS = plan.LEAST_OPERATIONS = largest
    plan.NOTHING_OPERATIONS = operations
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    for start in range(0, given.workers, CPUS_PER_NODE):
        cpus = min(CPUS_PER_NODE, given.workers - start)
        cluster.add_node(num_cpus=cpus, env_vars={"PACE_S": str(given.pace)}, wait=False)
    cluster.wait_for_nodes()
    ray.init(address=cluster.address, log_to_driver=False)
    with tempfile.TemporaryDirectory() as folder:
        storage = Storage(folder)
        uri = tracking.tracking_uri(None, storage)
        watch = Watch(tracking.Mirror(study, storage, uri))
        started = time.monotonic()
        outcome = launch(
            study.name, cells, dict.fromkeys(cells, 1), storage, watch, Options(), Console()
        )
        trained = time.monotonic()
        watch.close()
        closed = time.monotonic()
        files = storage.block_files(study.name)
        listed = time.monotonic()
        rows = storage.read_rows(study.name, columns=["replicate"])
        read = time.monotonic()
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet"))
    ideal = len(cells) * given.pace / given.workers
    print(f"cells {len(cells):,}, workers {given.workers}, trials about {given.trials}")
    print(f"missing {len(outcome.missing)}, rows {len(rows):,}, {size / 1e6:.0f} MB on storage")
    print(f"wall {trained - started:.1f} s; sleep alone {ideal:.1f} s per worker")
    print(f"driver at most {watch.peak_bytes / 1e6:.0f} MB")
    print(
        f"listing {len(files):,} block files {listed - closed:.2f} s; reading {read - listed:.1f} s"
    )
    times = watch.mirrored
    tenth = max(2, len(times) // 10)
    for name, part in (("first", times[:tenth]), ("last", times[-tenth:])):
        print(f"MLflow, {name} tenth: {(part[-1] - part[0]) / (len(part) - 1) * 1e3:.0f} ms a cell")
    print(f"MLflow behind at the end of training: {closed - trained:.1f} s")
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main()
