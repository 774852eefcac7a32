"""Launch a study: what storage lacks goes to Ray Tune, until nothing is missing."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import io
import logging
import os
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
from ray import cloudpickle, tune
from rich.console import Console

from trainability.errors import InputError, StudyError
from trainability.launch.progress import ProgressDisplay
from trainability.launch.worker import Work, work_through
from trainability.plan import Unit, deal, missing_blocks, units
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.study.cell import Cell
from trainability.tracking import Mirror
from trainability.trial import Runtime

_INSTALLED = {"trainability", "builtins", *sys.stdlib_module_names}
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """Runtime options: none of them changes a row.

    Args:
        address: Address of a Ray cluster; None for `RAY_ADDRESS` or else an embedded Ray.
        cpus_per_trial: CPUs that a trial gets, and the threads that it uses.
        gpus_per_trial: GPUs that a trial gets; a fraction packs several trials on one.
        engine: `auto`, or the name of an engine.
        max_failures: How often the missing part of a study is tried again.
    """

    address: str | None = None
    cpus_per_trial: float = 1.0
    gpus_per_trial: float = 0.0
    engine: str = "auto"
    max_failures: int = 3


@dataclass
class Outcome:
    """What became of a launch.

    Args:
        missing: Blocks that storage still lacks, per cell id; empty after success.
        failures: The last error of every cell that still lacks blocks, by cell id.
        damaged: Files that were found damaged and set aside.
        networks: Networks trained by this launch.
        seconds: Wall time of training.
    """

    missing: dict[str, list[int]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    networks: int = 0
    interrupted: bool = False


def launch(
    name: str,
    cells: Mapping[str, Cell],
    wanted: Mapping[str, int],
    storage: Storage,
    mirror: Mirror,
    options: Options,
    console: Console,
) -> Outcome:
    """Run what storage lacks of some cells.

    Args:
        name: The study's name: its folder on storage.
        cells: The cells by id.
        wanted: How many blocks each of them wants.
        storage: Where rows are; checked to be writable by the caller.
        mirror: The MLflow mirror, told of every cell that starts, ends or fails.
        options: Runtime options.
        console: For progress.
    """
    outcome = Outcome()
    outcome.damaged = [
        file.path for file in storage.set_damaged_aside(storage.block_files(name, cells))
    ]
    missing = missing_blocks(wanted, storage.block_files(name, cells))
    for cell in cells.values():
        if not missing[cell.id]:
            mirror.cell_done(cell)
    if not any(missing.values()):
        return outcome
    n_missing = sum(map(len, missing.values())) * BLOCK_SIZE
    n_networks = sum(wanted.values()) * BLOCK_SIZE
    with (
        ProgressDisplay(
            console,
            len(cells),
            n_networks,
            cells_done=sum(not blocks for blocks in missing.values()),
            networks_done=n_networks - n_missing,
        ) as display,
        connected(options),
    ):
        listener = _Listener(missing, cells, mirror, display)
        for _ in range(options.max_failures + 1):
            _dispatch(name, cells, missing, storage, options, listener)
            missing = missing_blocks(wanted, storage.block_files(name, cells))
            if not any(missing.values()) or listener.interrupted:
                break
    outcome.networks = n_missing - sum(map(len, missing.values())) * BLOCK_SIZE
    outcome.interrupted = listener.interrupted
    outcome.missing = {cell: blocks for cell, blocks in missing.items() if blocks}
    for cell in outcome.missing:
        why = listener.failures.get(cell, "not reached")
        outcome.failures[cell] = why
        mirror.cell_failed(cells[cell], why, killed=outcome.interrupted)
    return outcome


@contextlib.contextmanager
def connected(options: Options) -> Iterator[None]:
    """A connection to Ray: to a cluster if there is an address, else an embedded one.

    Raises:
        InputError: If the cluster can't be reached, or has not what a trial asks for.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # What fails is told by us, once, at the end; Tune would print a traceback for each attempt.
    for name in ("ray.tune", "ray.air"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    address = options.address or os.environ.get("RAY_ADDRESS")
    if ray.is_initialized():
        yield
        return
    try:
        if address:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        else:
            # An embedded Ray serves this process alone: no dashboard, loopback only.
            os.environ.setdefault("RAY_AUTH_MODE", "disabled")
            ray.init(
                address="local",
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _node_ip_address="127.0.0.1",
            )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise InputError(
            f"no Ray cluster at {address}: {error}; wanted a running one (ray start --head), "
            "or no --address for an embedded Ray"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _dispatch(
    name: str,
    cells: Mapping[str, Cell],
    missing: Mapping[str, Sequence[int]],
    storage: Storage,
    options: Options,
    listener: _Listener,
) -> None:
    slots = _slots(options)
    trials = deal(cells, units(cells, missing, slots), slots)
    runtime = Runtime(
        engine=options.engine,
        device="cuda" if options.gpus_per_trial else "cpu",
        threads=max(1, int(options.cpus_per_trial)),
    )
    _ship_user_code(list(cells.values()))
    work = Work(study=name, cells=cells, storage=storage, runtime=runtime)
    bundle = {"CPU": options.cpus_per_trial}
    if options.gpus_per_trial:
        bundle["GPU"] = options.gpus_per_trial
    key = uuid.uuid4().hex
    _LISTENERS[key] = listener
    try:
        with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(io.StringIO()):
            tuner = tune.Tuner(
                tune.with_resources(
                    tune.with_parameters(work_through, work=work),
                    tune.PlacementGroupFactory([bundle]),
                ),
                param_space={
                    "units": tune.grid_search(
                        [[(u.cell, u.first, u.last) for u in trial] for trial in trials]
                    )
                },
                run_config=tune.RunConfig(
                    name=name,
                    storage_path=scratch,  # Tune's own state; ours is on our storage
                    verbose=0,
                    callbacks=[_Forward(key)],
                    failure_config=tune.FailureConfig(max_failures=options.max_failures),
                ),
            )
            tuner.fit()
    except KeyboardInterrupt:
        listener.interrupted = True
    finally:
        del _LISTENERS[key]


def _slots(options: Options) -> int:
    """Trials that fit into the cluster at once.

    Raises:
        InputError: If not even one fits.
    """
    there = ray.cluster_resources()
    asked = {"CPU": options.cpus_per_trial, "GPU": options.gpus_per_trial}
    for kind, amount in asked.items():
        if amount > there.get(kind, 0):
            raise InputError(
                f"a trial asks for {amount:g} {kind}, but the cluster has "
                f"{there.get(kind, 0):g}; choose a smaller --{kind.lower()}s-per-trial"
            )
    return max(1, int(min(there[kind] / amount for kind, amount in asked.items() if amount)))


def _ship_user_code(cells: Sequence[Cell]) -> None:
    """Let a user's own classes and functions travel by value: workers can't import their file."""
    for cell in cells:
        for part in _parts(cell):
            module = inspect.getmodule(part if callable(part) else type(part))
            if module is not None and module.__name__.partition(".")[0] not in _INSTALLED:
                cloudpickle.register_pickle_by_value(module)
    try:
        ray.put(list(cells))
    except Exception as error:
        raise StudyError(
            f"the study can't be sent to workers: {error}; its schemes and tasks must be picklable"
        ) from error


def _parts(strategy: Any) -> Iterator[Any]:
    """A strategy and whatever strategies and functions it is made of."""
    yield strategy
    if dataclasses.is_dataclass(strategy):
        for entry in dataclasses.fields(strategy):
            yield from _parts(getattr(strategy, entry.name))


class _Listener:
    """Turns the reports of trials into progress, MLflow runs and a list of failures."""

    def __init__(
        self,
        missing: Mapping[str, Sequence[int]],
        cells: Mapping[str, Cell],
        mirror: Mirror,
        display: ProgressDisplay,
    ) -> None:
        self.failures: dict[str, str] = {}
        self.interrupted = False
        self._left = {cell: set(blocks) for cell, blocks in missing.items()}
        self._cells, self._mirror, self._display = cells, mirror, display

    def heard(self, report: Mapping[str, Any]) -> None:
        """React to one report of a trial; hearing one twice changes nothing but the speed."""
        cell = self._cells[report["cell"]]
        unit = Unit(report["cell"], report["first"], report["last"])
        event = report["event"]
        if event == "started":
            self._mirror.cell_started(cell)
        if event == "failed":
            self.failures[unit.cell] = report["why"]
            return
        fresh = self._left[unit.cell].intersection(unit.blocks) if event == "done" else set()
        self._left[unit.cell] -= fresh
        whole = bool(fresh) and not self._left[unit.cell]
        self._display.advance(
            networks=len(fresh) * BLOCK_SIZE,
            cells=int(whole),
            network_steps=report["network_steps"],
        )
        if whole:
            self.failures.pop(unit.cell, None)
            self._mirror.cell_done(cell)

    def lost(self, config: Mapping[str, Any], error: str) -> None:
        """A trial ended for good with work undone: its worker died too often."""
        for cell, *_ in config["units"]:
            if self._left[cell]:
                self.failures[cell] = error


_LISTENERS: dict[str, _Listener] = {}


class _Forward(tune.Callback):
    """Hands reports to a listener of this process, found by key: callbacks are pickled."""

    def __init__(self, key: str) -> None:
        self._key = key

    def on_trial_result(self, iteration, trials, trial, result, **info) -> None:
        if "event" in result:
            _LISTENERS[self._key].heard(result)

    def on_trial_error(self, iteration, trials, trial, **info) -> None:
        error = trial.get_error()
        _LISTENERS[self._key].lost(trial.config, f"{type(error).__name__}: {error}")
