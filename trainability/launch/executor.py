"""Who runs the trials of a launch: threads of this process, processes of this machine, or Ray."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from trainability.launch.listener import Listener
from trainability.launch.options import Options
from trainability.launch.work import Work
from trainability.plan import Slots, deal, units
from trainability.storage import Storage
from trainability.study.cell import Cell
from trainability.training.runtime import Runtime


class Executor(ABC):
    """Runs trials.

    Args:
        options: Runtime options.
    """

    rank: int
    """It grows with the work that it pays for; a launch never goes back to a lower one."""
    beginning: str
    """What begins with it, as a user reads it."""

    def __init__(self, options: Options) -> None:
        self.options = options

    @abstractmethod
    def connection(self) -> AbstractContextManager[None]:
        """Whatever a launch needs, kept while it lasts; entered within itself it is the same.

        Raises:
            InputError: If it can't be had.
        """

    @abstractmethod
    def ready(self, study: str, storage: Storage) -> AbstractContextManager[None]:
        """A connection, and the certainty that the study can be worked on.

        Args:
            study: The study's name.
            storage: Where its rows will be.

        Raises:
            InputError: If the study can't be worked on here; before anything of it is written.
        """

    @abstractmethod
    def work_through(
        self,
        study: str,
        cells: Mapping[str, Cell],
        missing: Mapping[str, Sequence[int]],
        storage: Storage,
        token: str,
        listener: Listener,
    ) -> str | None:
        """Run all that is missing, once; called inside `connection`.

        Args:
            study: The study's name.
            cells: Its cells by id.
            missing: The blocks that storage lacks, by cell id.
            storage: Where rows go.
            token: A file there that this process has written.
            listener: Told what happens.

        Returns:
            What broke it off; None if every trial has come to its end, good or bad.

        Raises:
            KeyboardInterrupt: If the end was asked for.
            StorageError: If trials have given up on the storage.
        """

    def recover(self, listener: Listener) -> None:  # noqa: B027 - most have nothing to wait for
        """Wait until another try is possible."""

    def plan(
        self,
        options: Options,
        study: str,
        cells: Mapping[str, Cell],
        missing: Mapping[str, Sequence[int]],
        storage: Storage,
        token: str,
        slots: Slots,
        report_every_s: float,
    ) -> Work:
        """The work, dealt out over some slots; the options are those of this executor, decided."""
        return Work(
            study=study,
            cells=cells,
            trials=deal(cells, units(cells, missing, slots), slots),
            storage=storage,
            token=token,
            runtime=Runtime(
                engine=options.engine, device=options.torch_device, threads=options.threads
            ),
            gpu_share=options.gpus_per_trial or 0.0,
            report_every_s=report_every_s,
            storage_patience_s=options.storage_patience_s,
        )
