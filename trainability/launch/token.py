"""A launch's token: a file by which workers tell that their storage is the driver's.

It names the driver's process, so that the next launch can remove what a killed one has left.
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from trainability.errors import StorageError
from trainability.launch.owner import is_over, owner
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
    storage.write_bytes(token, json.dumps(owner(os.getpid())).encode())
    try:
        with contextlib.suppress(StorageError):
            remove_abandoned(study, storage, _PREFIX)
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


def remove_abandoned(study: str, storage: Storage, prefix: str) -> None:
    """Remove the files of that prefix in a study's folder whose process was here and is over.

    Whether a process of another machine lives can't be seen from here: its files stay.
    """
    for name in storage.file_names(study):
        if name.startswith(prefix):
            path = f"{study}/{name}"
            with contextlib.suppress(ValueError):
                if is_over(json.loads(storage.read_bytes(path) or b"null")):
                    storage.delete(path)
