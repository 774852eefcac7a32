"""What this machine, without Ray, has for trials."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from trainability.launch.options import Options


def obstacles(options: Options) -> list[str]:
    """What this machine can't do of what the options ask for."""
    asked, available = options.cpus_per_trial, n_cpus()
    if asked > available:
        return [
            f"a trial asks for {asked:g} CPU, but this machine has {available}; choose a smaller "
            "--cpus-per-trial"
        ]
    return []


def n_at_once(options: Options) -> int:
    """How many trials run at once."""
    fitting = int(n_cpus() / options.cpus_per_trial)
    return max(1, min(fitting, options.max_concurrent or fitting))


def has_gpu() -> bool:
    """Whether a driver of NVIDIA or AMD shows a GPU; costs no import of torch."""
    nvidia = Path("/proc/driver/nvidia/gpus")
    with contextlib.suppress(OSError):
        return any(nvidia.iterdir()) if nvidia.is_dir() else Path("/dev/kfd").exists()
    return False


def n_cpus() -> int:
    """The CPUs that this process may use: those it is bound to, and its share of a container."""
    try:
        n = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        n = os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        n = min(n, max(1, int(quota) // int(period)))
    return n
