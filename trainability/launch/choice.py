"""Who runs a study: this process while it takes seconds, Ray from where it pays."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from trainability.launch.executor import Executor
from trainability.launch.in_process import InProcess
from trainability.launch.options import Options
from trainability.seeds import BLOCK_SIZE
from trainability.study.cell import Cell

SMALL_OPERATIONS = 2e13
"""Floating-point operations, were every network to train to the end of its budget, up to which a
study runs in this process: 200 core-seconds at 1e11 a second. Most networks succeed long before;
the headline study's 7e12 take 10 core-seconds. Starting and ending Ray takes some 10 seconds, and
each of its workers 4 core-seconds of imports."""


def operations(cells: Mapping[str, Cell], n_blocks: Mapping[str, int]) -> float:
    """Operations of some blocks of cells, each network to the end of its budget.

    Args:
        cells: The cells by id.
        n_blocks: How many blocks of each are to be trained.
    """
    return sum(cells[cell].operations * n * BLOCK_SIZE for cell, n in n_blocks.items())


def choose_executor(options: Options, work: float) -> Executor:
    """Ray where something asks for it, or where there is much to do; else this process.

    Args:
        options: Runtime options.
        work: Operations, see `operations`.
    """
    wants_ray = options.ray
    if wants_ray is None:
        wants_ray = options.needs_ray is not None or work > SMALL_OPERATIONS or _is_ray_in_use()
    if not wants_ray:
        return InProcess(options)
    from trainability.launch.ray_tune import RayTune  # its import takes a second

    return RayTune(options)


def _is_ray_in_use() -> bool:
    """Whether the caller has connected this process to a Ray."""
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())
