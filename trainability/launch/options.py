"""What a launch may be told, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Options:
    """Runtime options: none of them changes a row.

    Args:
        address: Address of a Ray cluster; None for `RAY_ADDRESS` or else an embedded Ray.
        cpus_per_trial: CPUs that a trial gets, and the threads that it uses.
        gpus_per_trial: GPUs that a trial gets, at most 1; a fraction packs several trials on one
            and limits each to its share of the memory.
        labels: Labels that a node must have to be used.
        max_concurrent: Trials that run at the same time, at most; None for all that fit.
        device: A torch device; None for `cuda` if a trial has a GPU, else `cpu`.
        engine: `auto`, or the name of an engine.
        max_failures: How often a trial that lost its worker starts again, and how often the missing
            part of a study is tried again. Tries that Ray breaks off count if they stored nothing.
        storage_patience_s: How long a trial waits with its rows for a storage that can't be
            written, in seconds.
    """

    address: str | None = None
    cpus_per_trial: float = 1.0
    gpus_per_trial: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)
    max_concurrent: int | None = None
    device: str | None = None
    engine: str = "auto"
    max_failures: int = 3
    storage_patience_s: float = 600.0

    @property
    def resources(self) -> dict[str, float]:
        """What a trial asks Ray for."""
        asked = {"CPU": self.cpus_per_trial, "GPU": self.gpus_per_trial}
        return {kind: amount for kind, amount in asked.items() if amount}

    @property
    def torch_device(self) -> str:
        """The torch device of a trial."""
        return self.device or ("cuda" if self.gpus_per_trial else "cpu")


@dataclass
class Outcome:
    """What became of a launch.

    Args:
        missing: Blocks that storage still lacks, per cell id; empty after success.
        failures: The last error of every cell that failed, by cell id; all that lack blocks unless
            the launch was interrupted.
        damaged: Files that were found damaged and set aside.
        networks: Networks trained by this launch.
        interrupted: Whether it was ended by Ctrl-C, SIGTERM or SIGHUP.
    """

    missing: dict[str, list[int]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    networks: int = 0
    interrupted: bool = False
