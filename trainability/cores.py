"""CPU cores: how many this process may use."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def available_cores() -> int:
    """CPU cores that this process may use: those it is bound to, and its share of a container."""
    try:
        n = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        n = os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        n = min(n, max(1, int(quota) // int(period)))
    return n
