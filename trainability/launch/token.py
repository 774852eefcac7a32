"""A launch's token: a file by which workers tell that their storage is the driver's.

It names the driver's process, so that the next launch can remove what a killed one has left.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil

from trainability.errors import StorageError
from trainability.storage import Storage

_PREFIX = ".launch-"


@contextlib.contextmanager
def launch_token(study: str, storage: Storage) -> Iterator[str]:
    """Write the token of this launch, and remove it at the end.

    Args:
        study: The study's name.
        storage: Its storage.

    Returns:
        The token's path on storage.

    Raises:
        StorageError: If it can't be written.
    """
    token = f"{study}/{_PREFIX}{uuid.uuid4().hex}"
    folders = [Path(storage.address, study), Path(storage.address)] if storage.is_local else []
    made = [folder for folder in folders if not folder.exists()]
    storage.write_bytes(token, json.dumps(_owner(os.getpid())).encode())
    try:
        with contextlib.suppress(StorageError):
            _remove_abandoned(study, storage)
        yield token
    finally:
        with contextlib.suppress(StorageError):
            storage.delete(token)
        with contextlib.suppress(OSError):  # they are empty where the launch was refused
            for folder in made:
                folder.rmdir()


def require_token(storage: Storage, token: str) -> None:
    """Refuse a storage that is not the one that the driver writes to.

    Raises:
        StorageError: If what the driver has written is not there.
    """
    if storage.read_bytes(token) is None:
        raise StorageError(
            f"storage {storage.shown} is gone, or not shared: a file that the driver has "
            "written there can't be seen; give --storage a folder that all nodes mount, or an "
            "address such as s3://bucket/folder"
        )


def _remove_abandoned(study: str, storage: Storage) -> None:
    """Remove the tokens of launches of this machine that are over.

    Whether a launch of another machine lives can't be seen from here: its token stays.
    """
    for name in storage.file_names(study):
        if not name.startswith(_PREFIX):
            continue
        path = f"{study}/{name}"
        try:
            owner = json.loads(storage.read_bytes(path) or b"null")
        except ValueError:
            continue
        if isinstance(owner, dict) and owner.get("machine") == _machine():
            pid = owner.get("pid")
            if isinstance(pid, int) and owner != _owner(pid):
                storage.delete(path)


def _owner(pid: int) -> dict[str, object]:
    return {"machine": _machine(), "pid": pid, "begun": _begun(pid)}


def _machine() -> list[str]:
    """The machine since it was started, and which processes can be seen on it."""
    found = [platform.node()]
    for read in (
        lambda: Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        lambda: os.readlink("/proc/self/ns/pid"),
    ):
        with contextlib.suppress(OSError):
            found.append(read())
    return found


def _begun(pid: int) -> str | None:
    """When a process began, in whatever unit its system counts; None if there is none."""
    try:
        # In ticks since the machine was started: no clock that is set changes it.
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
        try:
            return str(psutil.Process(pid).create_time())
        except psutil.Error:
            return None
    state, *fields = text.rpartition(")")[2].split()
    return None if state in ("Z", "X") else fields[18]
