"""Two nodes of one core beside one node of two, with real training in trials of half a minute.

Not a test: it prints what `cluster/README.md` tells. The nodes are simulated on this machine.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import tempfile
import time
from collections.abc import Sequence

os.environ.update(
    RAY_AUTH_MODE="disabled",
    RAY_USAGE_STATS_ENABLED="0",
    RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0",
)

import ray
from ray.cluster_utils import Cluster
from rich.console import Console

from trainability import plan, tracking
from trainability.events import Events
from trainability.launch import Options, launch
from trainability.launch.ray_tune import RayTune
from trainability.running.display import Display
from trainability.storage import Storage
from trainability.study import Study, load_study

TRIAL_OPERATIONS = 3e12
"""Some 30 seconds of a core."""


def run(study: Study, cpus: Sequence[int]) -> float:
    """Seconds of a launch on nodes with so many CPUs, and a head without."""
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    for n in cpus:
        cluster.add_node(num_cpus=n, wait=False)
    cluster.wait_for_nodes()
    ray.init(address=cluster.address, log_to_driver=False)
    cells = {cell.id: cell for cell in study.cells()}
    with tempfile.TemporaryDirectory() as folder:
        storage = Storage(folder)
        mirror = tracking.Mirror(study, storage, tracking.tracking_uri(None, storage))
        begun, begun_at = time.monotonic(), time.time()
        wanted = dict.fromkeys(cells, study.n_blocks)
        with Display(Console(file=sys.stderr)) as display:
            events = Events(display.on_event, mirror.on_event)
            outcome = launch(study.name, cells, wanted, storage, RayTune(Options()), events)
        seconds = time.monotonic() - begun
        mirror.close("FINISHED")
        assert not outcome.missing
        made = [storage.provenance(file) for file in storage.block_files(study.name)]
    ray.shutdown()
    cluster.shutdown()
    training = sum(float(entry["seconds"]) for entry in made)
    first = min(float(entry["finished_at"]) - float(entry["seconds"]) for entry in made)
    last = max(float(entry["finished_at"]) for entry in made)
    slots = sum(cpus)
    print(
        f"nodes of {' + '.join(map(str, cpus))} CPU: {seconds:.1f} s; first training after "
        f"{first - begun_at:.1f} s, then {training / slots / (last - first):.1%} of the time "
        "spent in it",
        flush=True,
    )
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", default="absolute_value")
    parser.add_argument("--replicates", type=int, default=8192)
    parser.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    study = dataclasses.replace(load_study(given.study), replicates=given.replicates)
    plan.TRIAL_OPERATIONS = TRIAL_OPERATIONS
    run(dataclasses.replace(study, replicates=256), [2])  # fills the cache of compiled kernels
    ratios = sorted(run(study, [1, 1]) / run(study, [2]) for _ in range(given.pairs))
    print(f"two nodes of one / one node of two: {', '.join(f'{ratio:.3f}' for ratio in ratios)}")


if __name__ == "__main__":
    main()
