"""A study's folder on storage: `<address>/<study>/<cell id>/blocks-<first>-<last>.parquet`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
from pyarrow import fs

from trainability.addresses import shown
from trainability.columns import VERSION
from trainability.errors import StorageError
from trainability.results import SCHEMA, frame_of
from trainability.seeds import BLOCK_SIZE
from trainability.storage.blocks import BlockFile, Verdict, block_file, decode, encode, judge
from trainability.storage.files import Files, telling
from trainability.storage.side_files import (
    Keep,
    read_copies,
    read_side_file,
    write_side_file,
)

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
_READERS = 8
_LISTED_ONE_BY_ONE = 16
_log = logging.getLogger(__name__)


class Storage:
    """Where studies live. Whatever reads blocks sees only those that are sound.

    What is damaged is told once, through `logging`, and counts nowhere; `set_damaged_aside` makes
    room for what is trained in its place.

    Args:
        address: A folder, or an address such as `s3://bucket/folder`.

    Raises:
        StorageError: If the address can't be understood.
    """

    def __init__(self, address: str | Path) -> None:
        self._files = Files(address)
        self.address = self._files.address
        self.is_local = self._files.is_local
        self._verdicts: dict[str, tuple[tuple[int, int], Verdict]] = {}
        self._warned_of: set[str] = set()

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
        self._files.check_writable()

    def write_bytes(self, path: str, data: bytes | pa.Buffer) -> None:
        """Write a file under the root, whole or not at all.

        Raises:
            StorageError: If it can't be written.
        """
        self._files.write(path, data)

    def read_bytes(self, path: str) -> bytes | None:
        """A file's content, or None if it is not there."""
        return self._files.read(path)

    def delete(self, path: str) -> None:
        """Remove a file under the root, if it is there."""
        self._files.delete(path)

    def file_names(self, study: str) -> list[str]:
        """Names of the files directly in a study's folder, in order."""
        return sorted(entry.base_name for entry in self._files.listed(study) if entry.is_file)

    def write_rows(self, study: str, rows: pd.DataFrame, provenance: Mapping[str, str]) -> str:
        """Store the rows of consecutive whole blocks of one cell.

        Args:
            study: The study's name.
            rows: As `results` describes them, whole blocks, one cell.
            provenance: How and when they were made; kept beside the rows, not in them.

        Returns:
            The file's path below the root.
        """
        file, data = encode(study, rows, provenance)
        self._files.write(file.path, data)
        return file.path

    def write_record(self, study: str, name: str, text: str, keep: Keep = False) -> None:
        """Write the side file `<name>.json` of a study, with a copy by which damage is mended.

        Args:
            study: The study's name.
            name: Of the file, without `.json`; may lie in a folder.
            text: JSON.
            keep: Whether copies of what it was before stay, all or those that it chooses.
        """
        self._make_room(study, f"{name}.json")
        write_side_file(self._files, f"{study}/{name}", text.encode(), keep)

    def read_record(
        self,
        study: str,
        name: str,
        parse: Callable[[Any], T] = lambda record: record,
        lost: T | None = None,
    ) -> T | None:
        """What a side file of a study holds, None if it is missing.

        Damage is told, once; the copy stands in where there is one.

        Args:
            study: The study's name.
            name: Of the file, without `.json`.
            parse: Makes of JSON data what it stands for; whatever it raises is damage.
            lost: What to return where there is something, but nothing whole.
        """
        file, value = read_side_file(self._files, f"{study}/{name}", parse)
        if file.why:
            instead = "its copy is used" if file.replaced else "it is left out"
            self._tell(f"{self._full(f'{study}/{name}.json')} is damaged ({file.why}); {instead}")
        return lost if file.why and file.text is None else value

    def read_environment(self, study: str) -> dict[str, str]:
        """With what the study was last launched; empty if that is not known."""
        return self.read_record(study, "provenance", _texts) or {}

    def mend_record(self, study: str, name: str, parse: Callable[[Any], Any]) -> None:
        """Set a damaged side file aside and put its copy in its place, if there is one."""
        file, _ = read_side_file(self._files, f"{study}/{name}", parse)
        if not file.why:
            return
        path = self._full(f"{study}/{name}.json")
        if self._files.is_there(f"{study}/{name}.json"):
            self._files.set_aside(path)
        if file.text is not None:
            self.write_record(study, name, file.text, keep=True)
        instead = "its copy is in its place" if file.replaced else "it is made anew"
        self._tell(f"{path} was damaged ({file.why}) and is set aside; {instead}")

    def record_copies(
        self, study: str, name: str, parse: Callable[[Any], T]
    ) -> list[tuple[str, T]]:
        """All copies of a side file that are whole, with their paths, the newest first."""
        return read_copies(self._files, f"{study}/{name}", parse)

    def studies(self, record: str = "study") -> list[str]:
        """Names of the studies, or of the tunings, whose declaration is here, in order."""
        names = sorted(entry.base_name for entry in self._files.listed("") if not entry.is_file)
        with telling(f"{self._files.root} can't be listed"):
            paths = [self._full(f"{name}/{record}.json") for name in names]
            declared = self._files.fs.get_file_info(paths)
        return [
            name
            for name, file in zip(names, declared, strict=True)
            if file.type == fs.FileType.File
        ]

    def block_files(
        self, study: str, cells: Iterable[str] | None = None, within: range | None = None
    ) -> list[BlockFile]:
        """The block files of a study, or of some of its cells, whose rows count, in order.

        Args:
            study: The study's name.
            cells: Ids of the cells; all if None.
            within: Look only at files that hold some of these blocks, by their names.

        Raises:
            StorageError: If a file was written by newer code.
        """
        judged = self._judged(study, cells, within)
        _refuse_newer(judged)
        for file, verdict in judged:
            if verdict.state == "damaged":
                self._tell(
                    f"{file.path} is damaged ({verdict.why}) and does not count; running the "
                    "study again sets it aside and trains its networks anew"
                )
        sound = [file for file, verdict in judged if verdict.counts]
        return sorted(sound, key=lambda file: (file.cell, file.first, -file.last))

    def refuse_newer(self, study: str, cells: Iterable[str] | None = None) -> None:
        """Refuse to work on a study of which newer code has written something.

        Raises:
            StorageError: Names it.
        """
        _refuse_newer(self._judged(study, cells))

    def set_damaged_aside(self, study: str, cells: Iterable[str] | None = None) -> list[str]:
        """Rename what is damaged among the block files of a study, so that its blocks run again.

        Returns:
            The paths, each with the reason.
        """
        damaged = []
        for file, verdict in self._judged(study, cells):
            if verdict.state == "damaged":
                self._files.set_aside(file.path)
                self._verdicts.pop(file.path, None)
                damaged.append(f"{file.path} ({verdict.why})")
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
            StorageError: If a file was written by newer code, or is damaged while it is read.
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
        names = SCHEMA.names if columns is None else columns
        with ThreadPoolExecutor(_READERS) as pool:
            tables = list(pool.map(lambda entry: self._read(entry[0], entry[1], names), chosen))
        empty = pa.schema([SCHEMA.field(name) for name in names]).empty_table()
        return frame_of(pa.concat_tables(tables) if tables else empty)

    def provenance(self, file: BlockFile) -> dict[str, str]:
        """How and when a block file was made."""
        verdict = self._verdict(file, self._study_of(file), self._files.fs.get_file_info(file.path))
        return dict(verdict.made or {})

    def _read(self, file: BlockFile, fresh: list[int], names: list[str]) -> pa.Table:
        wanted = names if "replicate" in names else [*names, "replicate"]
        try:
            with self._files.fs.open_input_file(file.path) as source:
                table = decode(source, wanted)
        except Exception as error:
            raise StorageError(
                f"{file.path} was damaged just now ({error}); run the study again"
            ) from error
        if len(fresh) < len(file.blocks):
            table = table.filter(np.isin(table["replicate"].to_numpy() // BLOCK_SIZE, fresh))
        return table.select(names)

    def _judged(
        self, study: str, cells: Iterable[str] | None, within: range | None = None
    ) -> list[tuple[BlockFile, Verdict]]:
        """All that is named like a block file of some cells, or is in the way of one."""
        entries = self._entries(study, None if cells is None else list(cells))
        if within is not None:
            first, last = within[0], within[-1]
            entries = [(f, info) for f, info in entries if f.first <= last and f.last >= first]
        with ThreadPoolExecutor(_READERS) as pool:
            verdicts = pool.map(lambda entry: self._verdict(entry[0], study, entry[1]), entries)
            return [(file, verdict) for (file, _), verdict in zip(entries, verdicts, strict=True)]

    def _verdict(self, file: BlockFile, study: str, info: fs.FileInfo) -> Verdict:
        if info.type == fs.FileType.NotFound:
            return Verdict("damaged", "it is a link that leads nowhere")
        if file.last < 0:
            return Verdict("damaged", "it is a file where a folder belongs")
        if info.type != fs.FileType.File:
            return Verdict("damaged", "it is not a file")
        stamp = (info.size or 0, info.mtime_ns or 0)
        before = self._verdicts.get(file.path)
        if before is None or before[0] != stamp:
            # First the bytes, then what they are: a network that fails is not damage.
            with (
                telling(f"{file.path} can't be read"),
                self._files.fs.open_input_stream(file.path) as source,
            ):
                data = source.read()
            before = (stamp, judge(data, file, study))
            self._verdicts[file.path] = before
        return before[1]

    def _entries(self, study: str, cells: list[str] | None) -> list[tuple[BlockFile, fs.FileInfo]]:
        """What lies where block files of some cells belong, by its name."""
        with telling(f"{self._full(study)} can't be read"):
            top = self._files.fs.get_file_info(self._full(study))
        if self._is_there(top) and not _is_folder(top):
            return [(BlockFile("", 0, -1, top.path), top)]
        if self.is_local or (cells is not None and len(cells) <= _LISTED_ONE_BY_ONE):
            # One by one, and not below: a link in a folder may lead back to it.
            entries = self._list_cells(study, cells)
        else:
            # The listing of a store has no folders, and costs a request per thousand files.
            with telling(f"{self._full(study)} can't be listed"):
                selector = fs.FileSelector(self._full(study), recursive=True, allow_not_found=True)
                entries = self._files.fs.get_file_info(selector)
        wanted = None if cells is None else set(cells)
        chosen = []
        for info in entries:
            file = block_file(info.path)
            if info.path.rpartition("/")[0] == self._full(study):
                if wanted is not None and info.base_name in wanted and not _is_folder(info):
                    chosen.append((BlockFile(info.base_name, 0, -1, info.path), info))
            elif (
                file is not None
                and info.path == self._full(f"{study}/{file.cell}/{info.base_name}")
                and (wanted is None or file.cell in wanted)
            ):
                chosen.append((file, info))
        return chosen

    def _list_cells(self, study: str, cells: list[str] | None) -> list[fs.FileInfo]:
        """What is in a study's folder, and in those of some cells."""
        if cells is None or len(cells) > _LISTED_ONE_BY_ONE:
            top = self._files.listed(study)
        else:
            # The whole study's listing for one cell would make each of n trials cost n.
            with telling(f"{self._full(study)} can't be listed"):
                paths = [self._full(f"{study}/{cell}") for cell in cells]
                top = [info for info in self._files.fs.get_file_info(paths) if self._is_there(info)]
        wanted = None if cells is None else set(cells)
        names = [i.base_name for i in top if _is_folder(i)]
        names = [name for name in names if wanted is None or name in wanted]
        with ThreadPoolExecutor(_READERS) as pool:
            below = pool.map(lambda name: self._files.listed(f"{study}/{name}"), names)
            return [*top, *(info for infos in below for info in infos)]

    def _is_there(self, info: fs.FileInfo) -> bool:
        """Whether there is anything of that name, be it a link that leads nowhere."""
        return info.type != fs.FileType.NotFound or (self.is_local and os.path.islink(info.path))

    def _make_room(self, study: str, name: str) -> None:
        """Set aside what lies where a study's folder or one of its files belongs, and is none."""
        if not self.is_local:
            return
        for path, folder in ((study, True), (f"{study}/{name}", False)):
            info = self._files.fs.get_file_info(self._full(path))
            if self._is_there(info) and _is_folder(info) != folder:
                self._files.set_aside(info.path)
                self._tell(f"{info.path} is no {'folder' if folder else 'file'}; it was set aside")

    def _study_of(self, file: BlockFile) -> str:
        return file.path.removeprefix(f"{self._files.root}/").split("/", 1)[0]

    def _full(self, path: str) -> str:
        return f"{self._files.root}/{path}"

    def _tell(self, what: str) -> None:
        if what not in self._warned_of:
            self._warned_of.add(what)
            _log.warning("%s", _printable(what))


def _refuse_newer(judged: Sequence[tuple[BlockFile, Verdict]]) -> None:
    newer = [(file.path, verdict.why) for file, verdict in judged if verdict.state == "newer"]
    if newer:
        others = f" and {len(newer) - 1} other files were" if len(newer) > 1 else " was"
        raise StorageError(
            f"{newer[0][0]}{others} written by a newer version of trainability ({newer[0][1]}; "
            f"this one reads up to {VERSION}); update it: pip install --upgrade trainability"
        )


def _is_folder(info: fs.FileInfo) -> bool:
    return info.type == fs.FileType.Directory


def _texts(record: Any) -> dict[str, str]:
    if not isinstance(record, dict) or not all(isinstance(v, str) for v in record.values()):
        raise TypeError("it is not a table of texts")
    return record


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
