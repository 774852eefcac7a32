"""GPUs for trials where nobody said how many: what the nodes have, if the work pays for it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ray import tune

from trainability.errors import InputError
from trainability.families import engine_problems
from trainability.launch.choice import CORE_OPERATIONS_PER_S, operations
from trainability.launch.cluster import count_slots, find_nodes, require_same_everywhere
from trainability.launch.options import Options
from trainability.storage import Storage
from trainability.study.cell import Cell

SHARE = 0.25
"""Of a GPU, for a trial: while one trains, the others draw, count and store. Measured on an H100
with 16 CPU cores."""
START_S = 20.0
"""What a GPU costs before it trains: CUDA, torch's libraries and the kernels of some shapes; a
guess, like the speed that `count_slots` gives a GPU."""
LOST_S = 60.0
_ENGINE = "warp-gpu"
_UNFIT = ("K80", "P4", "P100", "V100", "T4", "AMD", "Intel")
"""Kinds of GPUs, as Ray names them, that are older than that engine wants, or of other makers."""


@dataclasses.dataclass(frozen=True)
class Places:
    """Where trials run.

    Args:
        options: Runtime options in which it is decided whether trials get GPUs.
        nodes: Those that a trial fits on.
        why: Why trials get GPUs that nobody asked for, or why not, as a phrase; None where no node
            has any, or the user decides.
    """

    options: Options
    nodes: list[dict[str, Any]]
    why: str | None = None


def choose_places(
    options: Options,
    nodes: list[dict[str, Any]],
    cells: Mapping[str, Cell],
    missing: Mapping[str, Sequence[int]],
    storage: Storage,
    token: str,
) -> Places:
    """Decide whether trials get GPUs, where the options don't say.

    The choice is between all trials on GPUs and all on CPUs, whichever are done sooner at the
    speeds that `count_slots` knows.

    Args:
        options: Runtime options.
        nodes: The nodes that a trial fits on by them.
        cells: The cells by id.
        missing: The blocks to be trained, by the id of their cell.
        storage: The study's storage.
        token: A file that this process has written there.
    """
    if options.gpus_per_trial is not None or options.device is not None:
        return Places(options, nodes)
    having = [node for node in nodes if node["Resources"].get("GPU", 0) >= SHARE]
    if not having:
        return Places(options, nodes)
    if unfit := sorted({kind for node in having for kind in _kinds(node) if _is_unfit(kind)}):
        kinds = ", ".join(unfit)
        return Places(options, nodes, f"no GPU is used: the engine for GPUs can't use {kinds}")
    if options.engine not in ("auto", _ENGINE):
        return Places(options, nodes, f"no GPU is used: the engine {options.engine} is asked for")
    lacking = [cells[cell] for cell, blocks in missing.items() if blocks]
    if engine_problems(_ENGINE, lacking):
        return Places(options, nodes, "no GPU is used: the engine for GPUs can't train all cells")
    threads = min(_cpus_for_each(node) for node in having)
    asking = dataclasses.replace(
        options, gpus_per_trial=SHARE, cpus_per_trial=max(options.cpus_per_trial, threads)
    )
    try:
        fitting = find_nodes(asking)
    except InputError as error:
        return Places(options, nodes, f"no GPU is used: {error}")
    work = operations(cells, {cell: len(blocks) for cell, blocks in missing.items()})
    on_cpus, on_gpus = count_slots(nodes, options), count_slots(fitting, asking)
    cpu_s = work / (on_cpus.n * on_cpus.speed * CORE_OPERATIONS_PER_S)
    gpu_s = work / (on_gpus.n * on_gpus.speed * CORE_OPERATIONS_PER_S) + START_S
    if gpu_s >= cpu_s:
        return Places(options, nodes, "no GPU is used: too little work to be done sooner there")
    try:
        require_same_everywhere(fitting, storage, token, asking.torch_device)
    except InputError as error:
        return Places(options, nodes, f"no GPU is used: {error}")
    return Places(asking, fitting, f"each on {SHARE:g} of a GPU and {asking.cpus_per_trial:g} CPUs")


def _cpus_for_each(node: Mapping[str, Any]) -> int:
    """The CPUs of a node, dealt out to the trials on its GPUs."""
    resources = node["Resources"]
    return int(resources.get("CPU", 0) / (resources["GPU"] / SHARE))


def _kinds(node: Mapping[str, Any]) -> list[str]:
    """The kinds of accelerators that a node has."""
    head = "accelerator_type:"
    return [name.removeprefix(head) for name in node["Resources"] if name.startswith(head)]


def _is_unfit(kind: str) -> bool:
    return kind.partition("-")[0] in _UNFIT


class GpusLost(tune.Stopper):
    """Ends Tune's work when no slot has been left for a while, so that it is decided anew.

    Where the user asks for GPUs trials wait for them; where GPUs were chosen for him CPUs go on.

    Args:
        count_slots: Counts the trials that can run at once, on the nodes that are there now.
    """

    def __init__(self, count_slots: Callable[[], int]) -> None:
        self._count_slots = count_slots
        self._looked = self._had = time.monotonic()

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        now = time.monotonic()
        if now - self._looked >= LOST_S / 10:
            self._looked = now
            if self._count_slots():
                self._had = now
        return now - self._had > LOST_S
