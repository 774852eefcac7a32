"""What trials, and whoever places them, report to the driver; travels between machines."""

from __future__ import annotations

from dataclasses import dataclass

from trainability.plan import Unit


@dataclass(frozen=True)
class UnitStarted:
    """Some networks of a unit are to be trained now, on a node, at a time in s since 1970."""

    unit: Unit
    at: float
    node: str


@dataclass(frozen=True)
class UnitAdvanced:
    """Network-steps done since the last report."""

    unit: Unit
    network_steps: int


@dataclass(frozen=True)
class UnitDone:
    """All of a unit is on storage; network-steps since the last report."""

    unit: Unit
    network_steps: int


@dataclass(frozen=True)
class UnitFailed:
    """A unit has raised an exception; the trial goes on with the next one."""

    unit: Unit
    error_type: str
    text: str
    traceback: str
    node: str


@dataclass(frozen=True)
class StorageAwaited:
    """A trial waits with its rows for the storage."""

    why: str


@dataclass(frozen=True)
class StorageGivenUp:
    """A trial has waited for as long as it may: the launch is over."""

    why: str


@dataclass(frozen=True)
class TrialRetried:
    """A trial ended with work undone and starts again."""

    why: str


@dataclass(frozen=True)
class TrialLost:
    """A trial, by its number, ended for good with work undone."""

    trial: int
    why: str


@dataclass(frozen=True)
class TrialsStalled:
    """No trial has run for some seconds."""

    seconds: float


Report = (
    UnitStarted
    | UnitAdvanced
    | UnitDone
    | UnitFailed
    | StorageAwaited
    | StorageGivenUp
    | TrialRetried
    | TrialLost
    | TrialsStalled
)
