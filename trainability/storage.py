"""A study's folder on storage: block files that are there whole or not at all.

Local folders and `s3://`, `gs://` and other addresses that `pyarrow.fs` knows are treated alike.
An object store shows a file only once it is complete; on a file system it is written under a
temporary name, flushed to disk and renamed. Whatever is written is made in memory first: a stream
that an object store closes because of an error would show what it had got so far.
"""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from trainability.addresses import remember, shown
from trainability.errors import StorageError
from trainability.results import SCHEMA, frame_of, table_of, validate
from trainability.seeds import BLOCK_SIZE

_BLOCK_FILE = re.compile(r"blocks-(\d{6})-(\d{6})\.parquet")
_READERS = 8
_RETRY_S = 30
_LISTED_ONE_BY_ONE = 16


@dataclass(frozen=True)
class BlockFile:
    """A file with the rows of blocks `first` to `last`, both included."""

    cell: str
    first: int
    last: int
    path: str

    @property
    def blocks(self) -> range:
        return range(self.first, self.last + 1)


class Storage:
    """Where studies live: `<address>/<study>/<cell id>/blocks-<first>-<last>.parquet`.

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
            self._fs, self._root = fs.FileSystem.from_uri(
                _limited(self.address) if "://" in self.address else Path(self.address).as_uri()
            )
        except (pa.ArrowException, ValueError, OSError) as error:
            raise StorageError(
                f"storage {self.shown} can't be used: {error}; wanted a folder, or an address "
                "such as s3://bucket/folder"
            ) from error
        self.is_local = isinstance(self._fs, fs.LocalFileSystem)

    @property
    def shown(self) -> str:
        """The address as people may see it: without user, password and query."""
        return shown(self.address)

    def __reduce__(self):
        return (Storage, (self.address,))

    def check_writable(self) -> None:
        """Refuse a storage that can't be written, before anything is started.

        Raises:
            StorageError: Says what went wrong.
        """
        if self.is_local:
            # Looks without writing, so that a refused study leaves nothing behind.
            folder = Path(self.address)
            existing = next(p for p in (folder, *folder.parents) if p.exists() or p.is_symlink())
            if not existing.is_dir():
                raise StorageError(f"storage {self.shown} is not a folder: {existing} is a file")
            if not os.access(existing, os.W_OK | os.X_OK):
                raise StorageError(f"storage {self.shown} can't be written; choose --storage")
            return
        probe = f".writable-{uuid.uuid4().hex}"
        self.write_bytes(probe, b"")
        self.delete(probe)

    def write_bytes(self, path: str, data: bytes | pa.Buffer) -> None:
        """Write a file under the root, whole or not at all.

        Raises:
            StorageError: If it can't be written.
        """
        target = f"{self._root}/{path}"
        with _telling(f"{target} can't be written"):
            if self.is_local:
                self._write_local(target, data)
                return
            with self._fs.open_output_stream(target) as sink:
                sink.write(data)

    def read_bytes(self, path: str) -> bytes | None:
        """A file's content, or None if it is not there."""
        target = f"{self._root}/{path}"
        with _telling(f"{target} can't be read"):
            if self._fs.get_file_info(target).type != fs.FileType.File:
                return None
            with self._fs.open_input_stream(target) as source:
                return source.read()

    def delete(self, path: str) -> None:
        """Remove a file under the root, if it is there."""
        target = f"{self._root}/{path}"
        with _telling(f"{target} can't be removed"), contextlib.suppress(FileNotFoundError):
            self._fs.delete_file(target)

    def file_names(self, study: str) -> list[str]:
        """Names of the files directly in a study's folder, in order."""
        folder = f"{self._root}/{study}"
        with _telling(f"{folder} can't be listed"):
            entries = self._fs.get_file_info(fs.FileSelector(folder, allow_not_found=True))
        return sorted(entry.base_name for entry in entries if entry.is_file)

    def write_rows(self, study: str, rows: pd.DataFrame, provenance: dict[str, str]) -> str:
        """Store the rows of consecutive whole blocks of one cell.

        Args:
            study: The study's name.
            rows: As `results` describes them, whole blocks, one cell.
            provenance: How and when they were made; kept beside the rows, not in them.

        Returns:
            The file's path below the root.
        """
        validate(rows)
        first = int(rows["replicate"].iloc[0]) // BLOCK_SIZE
        last = int(rows["replicate"].iloc[-1]) // BLOCK_SIZE
        path = f"{study}/{rows['cell'].iloc[0]}/blocks-{first:06d}-{last:06d}.parquet"
        table = table_of(rows).replace_schema_metadata(provenance)
        buffer = pa.BufferOutputStream()
        pq.write_table(
            table, buffer, compression="zstd", write_page_checksum=True, store_schema=True
        )
        self.write_bytes(path, buffer.getvalue())
        return path

    def studies(self) -> list[str]:
        """Names of the studies whose declaration is here, in order."""
        with _telling(f"{self._root} can't be listed"):
            entries = self._fs.get_file_info(fs.FileSelector(self._root, allow_not_found=True))
            names = sorted(entry.base_name for entry in entries if not entry.is_file)
            found = self._fs.get_file_info([f"{self._root}/{name}/study.json" for name in names])
        return [
            name for name, file in zip(names, found, strict=True) if file.type == fs.FileType.File
        ]

    def block_files(self, study: str, cells: Iterable[str] | None = None) -> list[BlockFile]:
        """The block files of a study, or of some of its cells, in order."""
        wanted = None if cells is None else set(cells)
        folder = f"{self._root}/{study}"
        # The whole study's listing for one cell would make each of n trials cost n.
        few = wanted is not None and len(wanted) <= _LISTED_ONE_BY_ONE
        folders = [f"{folder}/{cell}" for cell in wanted] if wanted and few else [folder]
        found = []
        with _telling(f"{folder} can't be listed"):
            infos = [info for place in folders for info in self._list(place)]
        for info in infos:
            match = _BLOCK_FILE.fullmatch(info.base_name)
            cell = info.path.rsplit("/", 2)[-2]
            if match and info.type == fs.FileType.File and (wanted is None or cell in wanted):
                found.append(BlockFile(cell, int(match[1]), int(match[2]), info.path))
        return sorted(found, key=lambda file: (file.cell, file.first, -file.last))

    def set_damaged_aside(self, files: Sequence[BlockFile]) -> list[BlockFile]:
        """Rename the files that can't be read whole; return them. Their blocks run again."""
        with ThreadPoolExecutor(_READERS) as pool:
            sound = list(pool.map(self._is_sound, files))
        damaged = [file for file, fine in zip(files, sound, strict=True) if not fine]
        for file in damaged:
            with _telling(f"{file.path} is damaged and can't be set aside"):
                self._fs.move(file.path, f"{file.path}.damaged-{uuid.uuid4().hex[:8]}")
        return damaged

    def read_rows(
        self, study: str, cells: Sequence[str] | None = None, columns: list[str] | None = None
    ) -> pd.DataFrame:
        """The rows of a study in the order of cell and replicate, each replicate once.

        Args:
            study: The study's name.
            cells: Ids of the cells to read, in this order; all, ordered by id, if None.
            columns: Columns to read; all if None.

        Raises:
            StorageError: If a file is damaged; running the study again mends it.
        """
        chosen: list[tuple[BlockFile, list[int]]] = []
        seen: set[tuple[str, int]] = set()
        files = self.block_files(study, cells)
        if cells is not None:
            place = {cell: place for place, cell in enumerate(cells)}
            files.sort(key=lambda file: place[file.cell])
        for file in files:
            # Two drivers may have stored a block twice, in ranges that overlap.
            fresh = [block for block in file.blocks if (file.cell, block) not in seen]
            seen.update((file.cell, block) for block in fresh)
            if fresh:
                chosen.append((file, fresh))
        with ThreadPoolExecutor(_READERS) as pool:
            tables = list(pool.map(lambda entry: self._read(entry[0], entry[1], columns), chosen))
        schema = SCHEMA if columns is None else pa.schema([SCHEMA.field(c) for c in columns])
        table = pa.concat_tables(tables) if tables else schema.empty_table()
        return frame_of(table)

    def provenance(self, file: BlockFile) -> dict[str, str]:
        """How and when a block file was made."""
        metadata = pq.read_schema(file.path, filesystem=self._fs).metadata or {}
        return {key.decode(): value.decode() for key, value in metadata.items()}

    def _read(self, file: BlockFile, fresh: list[int], columns: list[str] | None) -> pa.Table:
        wanted = columns
        if columns is not None and "replicate" not in columns:
            wanted = [*columns, "replicate"]
        try:
            # For small files twice as fast as `read_table`, which looks for a whole data set.
            with self._fs.open_input_file(file.path) as source:
                parquet = pq.ParquetFile(source, pre_buffer=True, page_checksum_verification=True)
                table = parquet.read(wanted, use_threads=False).replace_schema_metadata(None)
        except (pa.ArrowException, OSError) as error:
            raise StorageError(
                f"{file.path} is damaged ({error}); run the study again: it sets the file aside "
                "and runs its blocks anew"
            ) from error
        if len(fresh) < len(file.blocks):
            block = table["replicate"].to_numpy() // BLOCK_SIZE
            table = table.filter(pa.array([entry in set(fresh) for entry in block]))
        return table if columns is None else table.select(columns)

    def _is_sound(self, file: BlockFile) -> bool:
        try:
            table = self._read(file, list(file.blocks), None)
        except StorageError:
            return False
        expected = range(file.first * BLOCK_SIZE, (file.last + 1) * BLOCK_SIZE)
        return table.schema.names == SCHEMA.names and table["replicate"].to_pylist() == list(
            expected
        )

    def _list(self, folder: str) -> list[fs.FileInfo]:
        return self._fs.get_file_info(fs.FileSelector(folder, recursive=True, allow_not_found=True))

    def _write_local(self, target: str, data: bytes | pa.Buffer) -> None:
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
def _telling(what: str) -> Iterator[None]:
    """Turn what a file system raises into a `StorageError` that says what was tried."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise StorageError(f"{what}: {error}") from error
