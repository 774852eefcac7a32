"""Launch a study: what storage lacks goes to Ray Tune, until nothing is missing."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import ray
from ray import tune
from ray.exceptions import RayError
from ray.util.client import ray as ray_client
from rich.console import Console

from trainability.errors import InputError, StorageError
from trainability.launch.cluster import (
    connected,
    count_slots,
    find_nodes,
    require_same_everywhere,
    require_token,
)
from trainability.launch.listener import Forward, GivenUp, Listener, describe_error, forwarding
from trainability.launch.options import Options, Outcome
from trainability.launch.order import OldestThatWaits
from trainability.launch.progress import ProgressDisplay
from trainability.launch.shipping import ship_user_code
from trainability.launch.worker import Work, work_through
from trainability.plan import deal, missing_blocks, units
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.study.cell import Cell
from trainability.tracking import Mirror
from trainability.trial import Runtime

_REPORTS_PER_S = 20.0
"""Reports of progress that reach the driver, of all trials together."""
_NODES_EVERY_S = 5.0


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

    Raises:
        InputError: If the cluster can't be reached, or can't work on this study.
    """
    outcome = Outcome()
    outcome.damaged = storage.set_damaged_aside(name, cells)
    missing = missing_blocks(wanted, storage.block_files(name, cells))
    for cell in cells.values():
        if not missing[cell.id]:
            mirror.cell_done(cell)
    n_missing = _count(missing)
    if not n_missing:
        return outcome
    n_networks = sum(wanted.values()) * BLOCK_SIZE
    display = ProgressDisplay(
        console,
        len(cells),
        n_networks,
        cells_done=sum(not blocks for blocks in missing.values()),
        networks_done=n_networks - n_missing * BLOCK_SIZE,
    )
    listener = Listener(missing, cells, mirror, display)
    why = "not reached"
    tries = options.max_failures + 1
    try:
        # Ray and Tune tell on stdout, by the page, of what the listener says in a line.
        quiet = contextlib.redirect_stdout(io.StringIO())
        with quiet, display, connected(options), _token(name, storage) as token:
            nodes = find_nodes(options)
            while tries:
                obstacle = _dispatch(name, cells, missing, storage, token, nodes, options, listener)
                require_token(storage, token)
                before, missing = missing, missing_blocks(wanted, storage.block_files(name, cells))
                listener.settle(missing)
                if not _count(missing):
                    break
                why = obstacle or "not reached"
                # What Ray breaks off may go on for as long as it gets further.
                if not obstacle or _count(missing) >= _count(before):
                    tries -= 1
                if tries:
                    if obstacle:
                        listener.retried(obstacle)
                    nodes = _wait_for_nodes(options, listener)
    except KeyboardInterrupt:
        outcome.interrupted = True
    except StorageError as error:
        why = f"{StorageError.__name__}: {error}"
    with contextlib.suppress(StorageError):
        missing = missing_blocks(wanted, storage.block_files(name, cells))
        listener.settle(missing)
    outcome.networks = (n_missing - _count(missing)) * BLOCK_SIZE
    outcome.missing = {cell: blocks for cell, blocks in missing.items() if blocks}
    outcome.failures = {
        cell: listener.failures.get(cell, why)
        for cell in outcome.missing
        if cell in listener.failures or not outcome.interrupted
    }
    _tell_failures(name, cells, storage, mirror, outcome, listener)
    return outcome


def _tell_failures(
    name: str,
    cells: Mapping[str, Cell],
    storage: Storage,
    mirror: Mirror,
    outcome: Outcome,
    listener: Listener,
) -> None:
    """Write down why cells failed."""
    failures = {
        cell: {"why": why, "traceback": listener.tracebacks.get(cell, why)}
        for cell, why in outcome.failures.items()
    }
    with contextlib.suppress(StorageError):
        if failures:
            storage.write_bytes(f"{name}/failures.json", json.dumps(failures, indent=2).encode())
        else:
            storage.delete(f"{name}/failures.json")
    for cell, failure in failures.items():
        mirror.cell_failed(cells[cell], failure["traceback"])


@contextlib.contextmanager
def _token(name: str, storage: Storage) -> Iterator[str]:
    """A file by which workers tell that their storage is the driver's."""
    token = f"{name}/.launch-{uuid.uuid4().hex}"
    storage.write_bytes(token, b"")
    try:
        yield token
    finally:
        with contextlib.suppress(StorageError):
            storage.delete(token)


def _wait_for_nodes(options: Options, listener: Listener) -> list[dict[str, Any]]:
    """The nodes for another try: a cluster that has lost them may be getting new ones."""
    while True:
        try:
            return find_nodes(options)
        except InputError as error:
            listener.waiting(str(error))
        time.sleep(_NODES_EVERY_S)


def _dispatch(
    name: str,
    cells: Mapping[str, Cell],
    missing: Mapping[str, Sequence[int]],
    storage: Storage,
    token: str,
    nodes: Sequence[Mapping[str, Any]],
    options: Options,
    listener: Listener,
) -> str | None:
    """Let Ray Tune work through all that is missing, once.

    Returns:
        Why Ray broke off; None if every trial has come to its end, good or bad.

    Raises:
        StorageError: If trials have given up on the storage.
    """
    device = options.device or ("cuda" if options.gpus_per_trial else "cpu")
    require_same_everywhere(nodes, storage, token, device)
    ship_user_code(list(cells.values()))
    slots = count_slots(nodes, options)
    trials = deal(cells, units(cells, missing, slots), slots)
    work = Work(
        study=name,
        cells=cells,
        trials=trials,
        storage=storage,
        token=token,
        runtime=Runtime(
            engine=options.engine, device=device, threads=max(1, int(options.cpus_per_trial))
        ),
        gpu_share=options.gpus_per_trial,
        report_every_s=max(1.0, slots.n / _REPORTS_PER_S),
        storage_patience_s=options.storage_patience_s,
    )
    with forwarding(listener, trials) as callback:
        if ray_client.is_connected():
            # Through a client Tune would be far from its trials: it runs on the head instead.
            at_head = {"node:__internal_head__": 0.001}
            fit = ray.remote(num_cpus=0, max_retries=0, resources=at_head)(_fit)
            obstacle = ray.get(fit.remote(work, options, callback))
        else:
            obstacle = _fit(work, options, callback)
    if listener.storage_lost:
        raise StorageError(listener.storage_lost)
    return obstacle


def _fit(work: Work, options: Options, callback: Forward) -> str | None:
    """Let Ray Tune place and retry the trials; why Ray broke off, if it did."""
    placement = tune.PlacementGroupFactory(
        [options.resources],
        bundle_label_selector=[dict(options.labels)] if options.labels else None,
    )
    with tempfile.TemporaryDirectory() as scratch:
        tuner = tune.Tuner(
            tune.with_resources(tune.with_parameters(work_through, work=work), placement),
            param_space={"trial": tune.grid_search(list(range(len(work.trials))))},
            tune_config=tune.TuneConfig(
                max_concurrent_trials=options.max_concurrent,
                # A process for every trial would cost seconds of imports each time. Trials may
                # share one: all that they leave there is compiled code and the GPU memory that
                # torch keeps for the next. One that raises ends its process.
                reuse_actors=True,
                scheduler=OldestThatWaits(partial(_count_slots_now, options)),
                trial_dirname_creator=lambda trial: trial.trial_id,
            ),
            run_config=tune.RunConfig(
                name=work.study,
                storage_path=scratch,  # Tune's own state; ours is on our storage
                verbose=0,
                callbacks=[callback],
                stop=GivenUp(),
                failure_config=tune.FailureConfig(max_failures=options.max_failures),
            ),
        )
        try:
            tuner.fit()
        except RuntimeError as error:
            # Tune takes a worker's death as that of a trial, but not if Ray has killed the worker
            # because a node ran out of memory (Ray 2.60).
            if not isinstance(error.__cause__, RayError):
                raise
            return describe_error(error.__cause__)
    return None


def _count_slots_now(options: Options) -> int:
    try:
        return count_slots(find_nodes(options), options).n
    except InputError:
        return 0


def _count(missing: Mapping[str, Sequence[int]]) -> int:
    return sum(map(len, missing.values()))
