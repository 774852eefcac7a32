"""What a launch may be told, and what became of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from trainability.checks import counted, int_problem, is_int, shown
from trainability.errors import StudyFailed
from trainability.training import ENGINES

_LINES = 20


@dataclass(frozen=True, kw_only=True)
class Options:
    """Runtime options: none of them changes a row.

    Args:
        address: Address of a Ray cluster; None for `RAY_ADDRESS`, `local` for this machine
            whatever that says.
        ray: Whether Ray runs the trials, else threads or processes of this machine, as
            `choose_executor` says; None lets the other options and the size of the study decide.
        cpus_per_trial: CPUs that a trial gets, and the threads that it uses.
        gpus_per_trial: GPUs that a trial gets, at most 1; a fraction packs several trials on one
            and limits each to its share of the memory. None where nobody says: then
            `choose_places` decides on a Ray whose nodes have some, and else there are none.
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
    ray: bool | None = None
    cpus_per_trial: float = 1.0
    gpus_per_trial: float | None = None
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

    @property
    def threads(self) -> int:
        """Threads of a trial."""
        return max(1, int(self.cpus_per_trial))

    @property
    def needs_ray(self) -> str | None:
        """Which of these options only Ray can do, as a phrase; None if none is given."""
        address = (self.address or "").strip()
        if address and address != "local":
            return f"the address {address!r}"
        if self.labels:
            return "labels of nodes"
        if self.gpus_per_trial:
            return "GPUs, which Ray gives to trials"
        if not address and os.environ.get("RAY_ADDRESS", "").strip() not in ("", "local"):
            return "RAY_ADDRESS in the environment"
        return None

    def problems(self, spelled: Callable[[str], str] = str) -> list[str]:
        """What is wrong with them.

        Args:
            spelled: How the user writes an option's name.
        """
        problems = []
        if not _is_number(self.cpus_per_trial, 0, exclusive=True):
            problems.append(
                f"{spelled('cpus_per_trial')} must be > 0, got {_written(self.cpus_per_trial)}"
            )
        gpus = self.gpus_per_trial
        if gpus is not None and not (_is_number(gpus, 0) and gpus <= 1):
            problems.append(
                f"{spelled('gpus_per_trial')} must be from 0 to 1, got "
                f"{_written(gpus)}: a trial trains on at most one GPU"
            )
        for name, least in (("max_concurrent", 1), ("max_failures", 0)):
            value = getattr(self, name)
            if is_int(value) and value < least:
                problems.append(f"{spelled(name)} must be >= {least}, got {shown(value)}")
            else:
                optional = name == "max_concurrent"
                problems += int_problem(spelled(name), value, least, 10**6, optional=optional)
        if self.engine not in ENGINES:
            from trainability.catalogs import did_you_mean

            problems.append(
                f"unknown {spelled('engine')} {shown(self.engine)}; wanted one of "
                f"{', '.join(ENGINES)}{did_you_mean(str(self.engine), ENGINES)}"
            )
        if not (self.address is None or isinstance(self.address, str)):
            problems.append(f"{spelled('address')} must be a text, got {shown(self.address)}")
        if not isinstance(self.labels, Mapping) or not all(
            isinstance(text, str) and text for pair in self.labels.items() for text in pair
        ):
            problems.append(f"{spelled('labels')} must be texts by text, got {shown(self.labels)}")
        if self.ray is not None and not isinstance(self.ray, bool):
            problems.append(f"{spelled('ray')} must be True, False or None, got {shown(self.ray)}")
        if problems:
            return problems
        if self.ray is False and (why := self.needs_ray):
            problems.append(
                f"{spelled('ray')} is off, but {why} needs it; leave out one of them"
                + ("" if "environment" not in why else f", or give {spelled('address')} local")
            )
        return problems


def _is_number(value: object, least: float, exclusive: bool = False) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and least <= value < float("inf")
        and not (exclusive and value == least)
    )


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else shown(value)


@dataclass
class Outcome:
    """What became of a launch.

    Args:
        missing: Blocks that storage still lacks, per cell id; empty after success.
        failures: The last error of every cell that failed, by cell id; all that lack blocks unless
            the launch was interrupted.
        damaged: Files that were found damaged and set aside.
        networks: Networks trained by this launch.
        n_cells: Cells that there are, those included that lacked nothing.
        interrupted: Whether it was ended by Ctrl-C, SIGTERM or SIGHUP.
    """

    missing: dict[str, list[int]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    networks: int = 0
    n_cells: int = 0
    interrupted: bool = False

    def followed_by(self, later: Outcome) -> Outcome:
        """What became of this launch and a later one, which begins only where this one is whole."""
        damaged, networks = self.damaged + later.damaged, self.networks + later.networks
        return replace(later, damaged=damaged, networks=networks)

    def require_whole(self, folder: str) -> None:
        """Raise if cells lack networks, or if it was interrupted; names the cells.

        Args:
            folder: The study's folder on storage, as it may be shown.

        Raises:
            KeyboardInterrupt: If it was interrupted, be it between two rounds.
            StudyFailed: If it was not.
        """
        lines = [
            f"  {cell}: {counted(len(self.missing[cell]), 'block')} missing; {why}"
            for cell, why in self.failures.items()
        ]
        if len(lines) > _LINES:
            lines[_LINES:] = [f"  and {len(lines) - _LINES} more: {folder}/failures.json"]
        message = "\n".join(
            [
                incomplete(len(self.missing), self.n_cells) + " (interrupted)" * self.interrupted,
                *lines,
                "the same command runs what is missing",
            ]
        )
        if self.interrupted:
            raise KeyboardInterrupt(message) if self.missing else KeyboardInterrupt
        if self.missing:
            raise StudyFailed(message)


def incomplete(n: int, n_cells: int) -> str:
    """How many cells lack networks: "3 of 8 cells are incomplete"."""
    verb = "is" if n == 1 else "are"
    return f"{n:,} of {counted(n_cells, 'cell')} {verb} incomplete"
