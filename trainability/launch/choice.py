"""Who runs a study: threads, processes from some seconds of work on, Ray from minutes on."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from trainability.launch.executor import Executor
from trainability.launch.options import Options
from trainability.seeds import BLOCK_SIZE
from trainability.study.cell import Cell

TINY_OPERATIONS = 1e12
"""Floating-point operations, were every network to train to the end of its budget, up to which a
study runs in threads of this process: some 2 core-seconds, since most networks succeed long before.
Imports begin as late in either case, but those of processes take 2.3 s, those of threads 1.9 s;
then two threads are 1.15 times as fast as one, two processes twice."""
CORE_OPERATIONS_PER_S = 1e11
"""What trials do on a core, roughly."""
SMALL_OPERATIONS = 2e13
"""The same up to which a study runs in processes of this machine: 200 core-seconds; the headline
study's 7e12 take 11 on its cores. Starting and ending Ray takes some 10 seconds, and each of its
workers 4 core-seconds of imports."""
_CAN_FORK = sys.platform == "linux"
"""On macOS libraries that torch and NumPy use can't be used after a fork."""


def operations(cells: Mapping[str, Cell], n_blocks: Mapping[str, int]) -> float:
    """Operations of some blocks of cells, each network to the end of its budget.

    Args:
        cells: The cells by id.
        n_blocks: How many blocks of each are to be trained.
    """
    return sum(cells[cell].operations * n * BLOCK_SIZE for cell, n in n_blocks.items())


def choose_executor(options: Options, work: float) -> Executor:
    """Ray where something asks for it, or where there is much to do; else this machine alone.

    Args:
        options: Runtime options.
        work: Operations, see `operations`.
    """
    wants_ray = options.ray
    if wants_ray is None:
        wants_ray = options.needs_ray is not None or work > SMALL_OPERATIONS or _is_ray_in_use()
    if not wants_ray and (work <= TINY_OPERATIONS or not _CAN_FORK):
        from trainability.launch.in_process import InProcess

        return InProcess(options)
    if not wants_ray:
        from trainability.launch.processes import Processes

        return Processes(options)
    from trainability.launch.ray_tune import RayTune  # its import takes a second

    return RayTune(options)


def _is_ray_in_use() -> bool:
    """Whether the caller has connected this process to a Ray."""
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())
