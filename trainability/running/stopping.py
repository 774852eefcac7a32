"""Who runs a study, said on its storage; and the request to end, which comes the same way.

A run writes a file that names its process beside the rows. Whoever wants it to end writes another,
named after that one: on this machine or on any that sees the storage. No process is signalled, so
that nothing else can be hit; a request addresses one run, and no later one.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainability import interrupts
from trainability.errors import StorageError
from trainability.events import Events, Noted
from trainability.launch.owner import is_here, is_over, owner
from trainability.launch.token import remove_abandoned

if TYPE_CHECKING:
    from trainability.storage import Storage

_RUN = ".run-"
_STOP = ".stop-"
LOOK_EVERY_S = 1.0
"""How often a run looks whether it is to end, on a local storage."""
_LOOK_FAR_EVERY_S = 5.0


@dataclass(frozen=True)
class Running:
    """A run that is going on, as far as its storage tells.

    Args:
        study: The study's name.
        key: Of this run.
        host: The machine's name.
        pid: The process there.
        since: When it began, in seconds since 1970.
        is_seen: Whether it is known to go on: of one on another machine, or of one before this
            machine was started anew, nothing but its file is.
    """

    study: str
    key: str
    host: str
    pid: int
    since: float
    is_seen: bool

    def __str__(self) -> str:
        return f"{self.study} (process {self.pid} on {self.host})"


@contextlib.contextmanager
def stoppable(study: str, storage: Storage, events: Events) -> Iterator[None]:
    """Say that this process runs a study, and ask for an end in order when that is wanted.

    Args:
        study: The study's name, or the tuning's.
        storage: Its storage.
        events: Told who wants it to end.

    Raises:
        StorageError: If the storage can't be written.
    """
    key = uuid.uuid4().hex
    record = owner(os.getpid()) | {"at": time.time()}
    with contextlib.suppress(StorageError):
        remove_abandoned(study, storage, _RUN)
    storage.write_bytes(f"{study}/{_RUN}{key}", json.dumps(record).encode())
    ended = threading.Event()
    watcher = threading.Thread(
        target=_watch, args=(study, key, storage, events, ended), name="stopping", daemon=True
    )
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join(_LOOK_FAR_EVERY_S)
        for prefix in (_STOP, _RUN):  # the request first: nobody may find it without its run
            with contextlib.suppress(StorageError):
                storage.delete(f"{study}/{prefix}{key}")
        interrupts.forget()


def running(study: str, storage: Storage) -> list[Running]:
    """The runs of a study that are going on, the oldest first.

    What a killed process has left is passed over where its machine is this one; a run on another
    machine counts for as long as its file is there.
    """
    runs = []
    for name in storage.file_names(study):
        if name.startswith(_RUN):
            try:
                record = json.loads(storage.read_bytes(f"{study}/{name}") or b"null")
                run = Running(
                    study=study,
                    key=name.removeprefix(_RUN),
                    host=str(record["machine"][0]),
                    pid=int(record["pid"]),
                    since=float(record["at"]),
                    is_seen=is_here(record),
                )
                over = is_over({part: record[part] for part in ("machine", "pid", "begun")})
            except (ValueError, TypeError, LookupError):  # removed just now, or damaged
                continue
            if not over:
                runs.append(run)
    return sorted(runs, key=lambda run: run.since)


def request_end(run: Running, storage: Storage) -> None:
    """Ask a run to end in order.

    Raises:
        StorageError: If the storage can't be written.
    """
    asked = json.dumps({"host": platform.node(), "at": time.time()})
    storage.write_bytes(f"{run.study}/{_STOP}{run.key}", asked.encode())


def withdraw(run: Running, storage: Storage) -> None:
    """Take a request back that nobody has answered."""
    with contextlib.suppress(StorageError):
        storage.delete(f"{run.study}/{_STOP}{run.key}")


def _watch(study: str, key: str, storage: Storage, events: Events, ended: threading.Event) -> None:
    """Look for a request until there is one, or the run is over."""
    every_s = LOOK_EVERY_S if storage.is_local else _LOOK_FAR_EVERY_S
    while not ended.wait(every_s):
        with contextlib.suppress(StorageError):
            asked = storage.read_bytes(f"{study}/{_STOP}{key}")
            if asked is not None:
                where = _host(asked)
                events.emit(
                    Noted(heading="ending:", text=f"`trainability stop` asked for it{where}")
                )
                interrupts.request()
                return


def _host(asked: bytes) -> str:
    with contextlib.suppress(ValueError, TypeError, LookupError):
        host = json.loads(asked)["host"]
        return f" on {host}" if isinstance(host, str) and host != platform.node() else ""
    return ""
