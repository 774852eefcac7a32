"""What all trials of a study share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainability.plan import Unit
from trainability.storage import Storage
from trainability.study.cell import Cell
from trainability.training.runtime import Runtime


@dataclass(frozen=True)
class Work:
    """What all trials of a study share; travels to the workers once.

    Args:
        study: The study's name.
        cells: Its cells by id.
        trials: The units of every trial.
        storage: Where rows go.
        token: A file there that the driver has written.
        runtime: Device, engine, threads.
        gpu_share: Share of the GPU's memory that a trial may take; 0 without a GPU.
        report_every_s: Seconds between two reports of progress.
        storage_patience_s: How long to wait for a storage that can't be written, in seconds.
    """

    study: str
    cells: Mapping[str, Cell]
    trials: Sequence[Sequence[Unit]]
    storage: Storage
    token: str
    runtime: Runtime
    gpu_share: float
    report_every_s: float
    storage_patience_s: float
