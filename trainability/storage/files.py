"""Files that are there whole or not at all, in a folder or an object store.

Local folders and `s3://`, `gs://` and other addresses that `pyarrow.fs` knows are treated alike.
An object store shows a file only once it is complete; on a file system it is written under a
temporary name, flushed to disk and renamed. Whatever is written is made in memory first: a stream
that an object store closes because of an error would show what it had got so far.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pyarrow as pa
from pyarrow import fs

from trainability.addresses import remember, shown
from trainability.errors import StorageError

_RETRY_S = 30


class Files:
    """The files under an address.

    Args:
        address: A folder, or an address such as `s3://bucket/folder`.

    Raises:
        StorageError: If the address can't be understood.
    """

    def __init__(self, address: str | Path) -> None:
        text = str(address)
        if text.lower().startswith("file:"):
            text = _local_path(text)
        self.address = text if "://" in text else str(Path(text).resolve())
        remember(self.address)
        try:
            self.fs, self.root = fs.FileSystem.from_uri(
                _limited(self.address) if "://" in self.address else Path(self.address).as_uri()
            )
        except (pa.ArrowException, ValueError, OSError) as error:
            raise StorageError(
                f"storage {shown(self.address)} can't be used: {error}; wanted a folder, or an "
                "address such as s3://bucket/folder"
            ) from error
        self.is_local = isinstance(self.fs, fs.LocalFileSystem)

    def check_writable(self) -> None:
        """Refuse a storage that can't be written, before anything is started.

        Raises:
            StorageError: Says what went wrong.
        """
        if self.is_local:
            # Looks without writing, so that a refused study leaves nothing behind.
            folder, name = Path(self.address), shown(self.address)
            existing = next(p for p in (folder, *folder.parents) if p.exists() or p.is_symlink())
            if not existing.is_dir():
                raise StorageError(f"storage {name} is not a folder: {existing} is a file")
            if not os.access(existing, os.W_OK | os.X_OK):
                raise StorageError(f"storage {name} can't be written; choose --storage")
            return
        probe = f".writable-{uuid.uuid4().hex}"
        self.write(probe, b"")
        self.delete(probe)

    def write(self, path: str, data: bytes | pa.Buffer) -> None:
        """Write a file under the root, whole or not at all.

        Raises:
            StorageError: If it can't be written.
        """
        target = f"{self.root}/{path}"
        with telling(f"{target} can't be written"):
            if self.is_local:
                _write_local(target, data)
                return
            with self.fs.open_output_stream(target) as sink:
                sink.write(data)

    def read(self, path: str) -> bytes | None:
        """A file's content, or None if it is not there."""
        target = f"{self.root}/{path}"
        with telling(f"{target} can't be read"):
            if self.fs.get_file_info(target).type != fs.FileType.File:
                return None
            with self.fs.open_input_stream(target) as source:
                return source.read()

    def is_there(self, path: str) -> bool:
        """Whether there is anything of that name, be it a folder or a link that leads nowhere."""
        target = f"{self.root}/{path}"
        with telling(f"{target} can't be read"):
            exists = self.fs.get_file_info(target).type != fs.FileType.NotFound
        return exists or (self.is_local and os.path.islink(target))

    def delete(self, path: str) -> None:
        """Remove a file under the root, if it is there."""
        target = f"{self.root}/{path}"
        with telling(f"{target} can't be removed"), contextlib.suppress(FileNotFoundError):
            self.fs.delete_file(target)

    def listed(self, folder: str) -> list[fs.FileInfo]:
        """What is in a folder under the root, not below; nothing if it is no folder."""
        target = f"{self.root}/{folder}" if folder else self.root
        with telling(f"{target} can't be listed"):
            if self.fs.get_file_info(target).type == fs.FileType.File:
                return []
            return self.fs.get_file_info(fs.FileSelector(target, allow_not_found=True))

    def set_aside(self, path: str) -> None:
        """Rename what is at a full path, a file or a folder, so that nothing takes it for sound."""
        aside = f"{path[:-1] if path.endswith('/') else path}.damaged-{uuid.uuid4().hex[:8]}"
        with telling(f"{path} is damaged and can't be set aside"):
            if self.is_local:
                # Also a link that leads nowhere, of which Arrow says that it is not there.
                os.rename(path, aside)
            else:
                self.fs.move(path, aside)


def _limited(address: str) -> str:
    """An address with a limit on how long it is tried: by itself Google's is tried for 15 min."""
    if not address.startswith(("gs://", "gcs://")) or "retry_limit_seconds=" in address:
        return address
    return f"{address}{'&' if '?' in address else '?'}retry_limit_seconds={_RETRY_S}"


def _local_path(address: str) -> str:
    """The folder that an address such as file:///home/me/results means."""
    parts = urlsplit(address)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise StorageError(
            f"storage {address} can't be used: a file address names no other machine and a whole "
            "path; wanted a folder, or an address such as file:///home/me/results"
        )
    return url2pathname(parts.path)


@contextlib.contextmanager
def telling(what: str) -> Iterator[None]:
    """Turn what a file system raises into a `StorageError` that says what was tried."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise StorageError(f"{what}: {error}") from error


def _write_local(target: str, data: bytes | pa.Buffer) -> None:
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    temporary = f"{target}.{uuid.uuid4().hex}.tmp"
    try:
        with open(temporary, "wb") as sink:
            sink.write(data)
            sink.flush()
            os.fsync(sink.fileno())
        os.replace(temporary, target)
    finally:
        Path(temporary).unlink(missing_ok=True)
