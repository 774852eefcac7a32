"""How a launch scales: trials that sleep instead of train, on simulated nodes of this machine.

Not a test: it prints what `cluster/README.md` tells. Everything but the work is real: Ray Tune,
storage, MLflow.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.update(
    RAY_AUTH_MODE="disabled",
    RAY_USAGE_STATS_ENABLED="0",
    RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0",
    OMP_NUM_THREADS="1",
)

import psutil
import ray
from ray.cluster_utils import Cluster
from rich.console import Console

from trainability import SGD, Study, plan, tracking
from trainability.domains import Ball
from trainability.events import Events, Finished
from trainability.launch import Options, launch
from trainability.launch.ray_tune import RayTune
from trainability.running.display import Display
from trainability.schemes import UnitSphere
from trainability.storage import Storage
from trainability.tasks import Function

CPUS_PER_NODE = 16


@dataclass(frozen=True)
class Sleeping(UnitSphere):
    """Sleeps for PACE_S seconds per cell, and notes when each process begins."""

    tag: int = 0

    def draw(self, layer, rng):
        if layer.is_output:
            mark = Path(os.environ["MARKS"], str(os.getpid()))
            if not mark.exists():
                mark.touch()
            time.sleep(float(os.environ["PACE_S"]))
        return super().draw(layer, rng)


def line(x):
    return x


def study_of(n_cells: int) -> Study:
    return Study(
        name="sleeping",
        question="How far does a launch scale?",
        task=Function("line", line, Ball(1, 1.0), n_train=4),
        axes={"scheme": [Sleeping(tag=tag) for tag in range(n_cells)]},
        width=2,
        optimizer=SGD(learning_rate=1e-6),
        max_steps=1,
        tolerance=1e-9,
        replicates=256,
    )


class Watch:
    """The mirror, with a clock; and the driver's memory."""

    def __init__(self, mirror):
        self.peak_bytes = 0
        self.seconds = []  # of MLflow, per cell
        self.mirror_cpu_s = 0.0
        self._mirror = mirror
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def on_event(self, event):
        if isinstance(event, Finished):
            self.cell_done(event.cell)
        else:
            self._mirror.on_event(event)

    def cell_done(self, cell):
        def finish(target):
            begun = time.perf_counter()
            target.finish(cell)
            self.seconds.append(time.perf_counter() - begun)
            self.mirror_cpu_s = time.thread_time()

        self._mirror.add(finish)

    def close(self):
        self._mirror.close("FINISHED")
        self._ended.set()
        self._thread.join()

    def _look(self):
        me = psutil.Process()
        while not self._ended.wait(0.5):
            self.peak_bytes = max(self.peak_bytes, me.memory_info().rss)


def deal_by(n_cells_per_trial: int, cell) -> None:
    """The work is no work: deal it out as if a cell's sleep were its training."""
    operations = cell.operations * 256
    plan.TRIAL_OPERATIONS = plan.LEAST_OPERATIONS = operations * n_cells_per_trial
    plan.NOTHING_OPERATIONS = operations


def simulated_cluster(n_workers: int, pace_s: float, marks: str) -> Cluster:
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    for start in range(0, n_workers, CPUS_PER_NODE):
        cpus = min(CPUS_PER_NODE, n_workers - start)
        environment = {"PACE_S": str(pace_s), "MARKS": marks}
        cluster.add_node(num_cpus=cpus, env_vars=environment, wait=False)
    cluster.wait_for_nodes()
    return cluster


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--pace", type=float, default=5.0, help="seconds that a cell sleeps")
    parser.add_argument("--cells-per-trial", type=int, default=6)
    given = parser.parse_args()
    study = study_of(given.cells)
    cells = {cell.id: cell for cell in study.cells()}
    deal_by(given.cells_per_trial, next(iter(cells.values())))
    with tempfile.TemporaryDirectory() as marks, tempfile.TemporaryDirectory() as folder:
        cluster = simulated_cluster(given.workers, given.pace, marks)
        ray.init(address=cluster.address, log_to_driver=False)
        storage = Storage(folder)
        watch = Watch(tracking.Mirror(study, storage, tracking.tracking_uri(None, storage)))
        cpu_s = -time.process_time()
        started_at = time.time()
        with Display(Console(file=sys.stderr)) as display:
            outcome = launch(
                study.name,
                cells,
                dict.fromkeys(cells, 1),
                storage,
                RayTune(Options(engine="torch")),
                Events(display.on_event, watch.on_event),
            )
        trained = time.monotonic()
        cpu_s += time.process_time() - watch.mirror_cpu_s
        watch.close()
        closed = time.monotonic()
        files = storage.block_files(study.name)
        listed = time.monotonic()
        rows = storage.read_rows(study.name, columns=["replicate"])
        read = time.monotonic()
        made = [storage.provenance(file) for file in files]
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet"))
        starts = sorted(path.stat().st_mtime - started_at for path in Path(marks).iterdir())
        ray.shutdown()
        cluster.shutdown()
    ends = sorted(float(entry["finished_at"]) - started_at for entry in made)
    # From when all workers work until the first has nothing to do.
    n = given.workers
    begun, ended = starts[min(n, len(starts)) - 1], ends[-n]
    working = sum(
        max(0.0, min(ended, end) - max(begun, end - float(entry["seconds"])))
        for entry in made
        for end in [float(entry["finished_at"]) - started_at]
    )
    between = n * (ended - begun) - working
    per_trial = between / (n * (ended - begun)) * given.cells_per_trial * given.pace
    n_trials = math.ceil(len(cells) / given.cells_per_trial)
    print(f"{len(cells):,} cells, {n_trials:,} trials of {given.cells_per_trial * given.pace:g} s")
    print(f"missing {len(outcome.missing)}, rows {len(rows):,}, {size / 1e6:.0f} MB on storage")
    print(
        f"first worker begins after {starts[0]:.1f} s, the last of {n} after {begun:.1f} s; "
        f"{len(starts)} processes in all"
    )
    print(
        f"then workers wait for {between / n / (ended - begun):.2%} of {ended - begun:.0f} s, "
        f"{per_trial:.2f} s per trial"
    )
    print(f"first worker without work after {ended:.1f} s, the last after {ends[-1]:.1f} s")
    print(f"driver without MLflow: {cpu_s / n_trials * 1e3:.0f} ms of CPU per trial")
    print(f"driver at most {watch.peak_bytes / 1e6:.0f} MB")
    print(
        f"listing {len(files):,} block files {listed - closed:.2f} s, reading {read - listed:.1f} s"
    )
    tenth = max(1, len(watch.seconds) // 10)
    for name, part in (("first", watch.seconds[:tenth]), ("last", watch.seconds[-tenth:])):
        print(f"MLflow, {name} tenth: {sorted(part)[tenth // 2] * 1e3:.0f} ms a cell (median)")
    print(f"MLflow behind by {closed - trained:.1f} s at the end of training")


if __name__ == "__main__":
    main()
