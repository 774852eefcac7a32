"""What this machine, without Ray, has for trials."""

from __future__ import annotations

import contextlib
from pathlib import Path

from trainability.cores import available_cores
from trainability.launch.options import Options


def obstacles(options: Options) -> list[str]:
    """What this machine can't do of what the options ask for."""
    asked, available = options.cpus_per_trial, available_cores()
    if asked > available:
        return [
            f"a trial asks for {asked:g} CPU, but this machine has {available}; choose a smaller "
            "--cpus-per-trial"
        ]
    return []


def n_at_once(options: Options) -> int:
    """How many trials run at once."""
    fitting = int(available_cores() / options.cpus_per_trial)
    return max(1, min(fitting, options.max_concurrent or fitting))


def has_gpu() -> bool:
    """Whether a driver of NVIDIA or AMD shows a GPU; costs no import of torch."""
    nvidia = Path("/proc/driver/nvidia/gpus")
    with contextlib.suppress(OSError):
        return any(nvidia.iterdir()) if nvidia.is_dir() else Path("/dev/kfd").exists()
    return False
