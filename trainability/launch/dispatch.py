"""Launch cells: what storage lacks goes to an executor, until nothing is missing."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Mapping, Sequence

from trainability import interrupts
from trainability.addresses import without_secrets
from trainability.errors import StorageError
from trainability.events import Events, Failed, Finished, Noted, Retried, Working
from trainability.launch.choice import choose_executor, operations
from trainability.launch.executor import Executor
from trainability.launch.listener import Listener
from trainability.launch.options import Options, Outcome
from trainability.launch.token import launch_token, require_token
from trainability.plan import missing_blocks
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.study.cell import Cell


class Launcher:
    """Launches of one study, which share what they run on; to be used as a context.

    Args:
        name: The study's name.
        storage: Where its rows are.
        options: Runtime options.
        events: Told of everything that happens.
        work: Operations of all launches together, if that is known; else each launch counts alone.
    """

    def __init__(
        self,
        name: str,
        storage: Storage,
        options: Options,
        events: Events,
        work: float | None = None,
    ) -> None:
        self._name, self._storage, self._options = name, storage, options
        self._events, self._work = events, work
        self._connection = contextlib.ExitStack()
        self._executor: Executor | None = None

    def __enter__(self) -> Launcher:
        return self

    def __exit__(self, *error) -> None:
        self._connection.__exit__(*error)

    def prepare(self, cells: Mapping[str, Cell], wanted: Mapping[str, int]) -> None:
        """Have somebody ready to run what storage lacks of some cells; writes nothing.

        Raises:
            InputError: If the study can't be worked on with these options.
        """
        files = self._storage.block_files(self._name, cells)
        lacking = {cell: len(b) for cell, b in missing_blocks(wanted, files).items() if b}
        if lacking:
            self._have_ready(self._work or operations(cells, lacking))
        interrupts.check()

    def get_ready(self) -> None:
        """Have somebody ready for work of which some is known to be missing."""
        self._have_ready(self._work or 0.0)
        interrupts.check()

    def launch(self, cells: Mapping[str, Cell], wanted: Mapping[str, int]) -> Outcome:
        """Run what storage lacks of some cells; see the function `launch`."""
        self.prepare(cells, wanted)
        # Where nothing seems to be lacking a file may still be damaged.
        executor = self._executor or choose_executor(self._options, self._work or 0.0)
        outcome = launch(self._name, cells, wanted, self._storage, executor, self._events)
        for path in outcome.damaged:
            self._events.emit(Noted(heading="damaged, set aside and run again:", text=path))
        return outcome

    def _have_ready(self, work: float) -> None:
        """Start whoever is for so much work, unless somebody who is runs already."""
        executor = choose_executor(self._options, work)
        if self._executor is None or executor.rank > self._executor.rank:
            self._events.emit(Working(what=executor.beginning))
            self._connection.enter_context(executor.ready(self._name, self._storage))
            self._executor = executor


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
    outcome = Outcome(n_cells=len(cells))
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
