"""Launch cells: what storage lacks goes to an executor, until nothing is missing."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Mapping, Sequence

from trainability.addresses import without_secrets
from trainability.errors import StorageError
from trainability.events import Events, Failed, Finished, Retried
from trainability.launch.executor import Executor
from trainability.launch.listener import Listener
from trainability.launch.options import Outcome
from trainability.launch.token import launch_token, require_token
from trainability.plan import missing_blocks
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.study.cell import Cell


def launch(
    name: str,
    cells: Mapping[str, Cell],
    wanted: Mapping[str, int],
    storage: Storage,
    executor: Executor,
    events: Events,
) -> Outcome:
    """Run what storage lacks of some cells.

    Args:
        name: The study's name: its folder on storage.
        cells: The cells by id.
        wanted: How many blocks each of them wants.
        storage: Where rows are; checked to be writable by the caller.
        executor: Who runs them.
        events: Told of everything that happens.

    Raises:
        InputError: If the executor can't work on this study.
        Exception: What a subscriber of the events has raised, after an end in order.
    """
    outcome = Outcome()
    outcome.damaged = storage.set_damaged_aside(name, cells)
    missing = missing_blocks(wanted, storage.block_files(name, cells))
    for cell in cells.values():
        if not missing[cell.id]:
            events.emit(Finished(cell=cell))
    n_missing = _count(missing)
    if not n_missing:
        events.check()
        return outcome
    n_networks = sum(wanted.values()) * BLOCK_SIZE
    listener = Listener(missing, cells, n_networks, events)
    listener.tell()
    why = "not reached"
    tries = executor.options.max_failures + 1
    try:
        with executor.connection(), launch_token(name, storage) as token:
            while tries:
                obstacle = executor.work_through(name, cells, missing, storage, token, listener)
                events.check()
                require_token(storage, token)
                before, missing = missing, missing_blocks(wanted, storage.block_files(name, cells))
                listener.settle(missing)
                if not _count(missing):
                    break
                why = obstacle or "not reached"
                # What is broken off may go on for as long as it gets further.
                if not obstacle or _count(missing) >= _count(before):
                    tries -= 1
                if tries:
                    if obstacle:
                        events.emit(Retried(why=obstacle))
                    executor.recover(listener)
    except KeyboardInterrupt:
        outcome.interrupted = True
    except StorageError as error:
        why = f"{StorageError.__name__}: {error}"
    with contextlib.suppress(StorageError):
        missing = missing_blocks(wanted, storage.block_files(name, cells))
        listener.settle(missing)
    outcome.networks = (n_missing - _count(missing)) * BLOCK_SIZE
    outcome.missing = {cell: blocks for cell, blocks in missing.items() if blocks}
    failed = [
        listener.failures.get(cell, Failed(cell=cells[cell], error_type=None, text=why))
        for cell in outcome.missing
        if cell in listener.failures or not outcome.interrupted
    ]
    outcome.failures = {event.cell.id: without_secrets(event.why) for event in failed}
    _write_failures(name, storage, failed)
    for event in failed:
        events.emit(dataclasses.replace(event, is_final=True, at=time.time()))
    if not outcome.interrupted:
        events.check()
    return outcome


def _write_failures(name: str, storage: Storage, failed: Sequence[Failed]) -> None:
    """Write down why cells failed."""
    entries = {
        event.cell.id: {
            "why": without_secrets(event.why),
            "traceback": without_secrets(event.traceback or event.why),
        }
        for event in failed
    }
    with contextlib.suppress(StorageError):
        if entries:
            storage.write_bytes(f"{name}/failures.json", json.dumps(entries, indent=2).encode())
        else:
            storage.delete(f"{name}/failures.json")


def _count(missing: Mapping[str, Sequence[int]]) -> int:
    return sum(map(len, missing.values()))
