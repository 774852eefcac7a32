"""The small JSON files beside the blocks: a study's declaration, its growth, its provenance.

Each is kept twice, under its name (`growth.json`) and under one with a checksum of its content
(`growth-<16 digits>.json`), so that damage is seen, a changed digit as well as a lost half, and
mended. The copy is written first and its predecessors are removed last: whenever a writer dies,
what has the name is whole and has a copy. Files from before there were copies have none; what can
be read of them is taken for what it says.

There are no locks: of two writers at once the last one has the name. Where what the other one wrote
must not be lost, copies are kept, and whoever reads looks at all of them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pyarrow import fs

from trainability.storage.files import Files

T = TypeVar("T")
Keep = bool | Callable[[bytes], bool]


@dataclass(frozen=True)
class SideFile:
    """What was read of a side file.

    Args:
        text: Its content, that of a copy if it is damaged itself; None if nothing of it is left.
        why: What is wrong with it, empty if nothing is.
        replaced: Whether a copy stands in for it.
    """

    text: str | None
    why: str = ""
    replaced: bool = False


def write_side_file(files: Files, stem: str, data: bytes, keep: Keep = False) -> None:
    """Write `<stem>.json` and its copy.

    Args:
        files: Where.
        stem: Path without `.json`.
        data: JSON text as bytes.
        keep: Whether earlier copies stay, all or those whose content it chooses.
    """
    own = copy_name(stem, data)
    before = [] if keep is True else [p for p in _named_like_copies(files, stem) if p != own]
    if callable(keep):
        before = [path for path in before if not keep(files.read(path) or b"")]
    files.write(own, data)
    files.write(f"{stem}.json", data)
    for path in before:
        files.delete(path)


def read_side_file(files: Files, stem: str, parse: Callable[[Any], T]) -> tuple[SideFile, T | None]:
    """Read `<stem>.json`, or of its copies the newest that is whole, if it is damaged.

    Args:
        files: Where.
        stem: Path without `.json`.
        parse: Makes of the JSON data what it stands for; whatever it raises is damage.

    Returns:
        What was read, and what `parse` made of it; None if there is nothing whole.
    """
    data = files.read(f"{stem}.json")
    if data is not None:
        value, why = _parse(data, parse)
    else:
        value, why = None, "it is not a file" if files.is_there(f"{stem}.json") else "it is missing"
    if data is not None and not why and files.read(copy_name(stem, data)) is not None:
        return SideFile(data.decode()), value
    copies = list(_whole_copies(files, stem))
    if not copies:
        if why:
            return SideFile(None, "" if why == "it is missing" else why), None
        return SideFile(None if data is None else data.decode()), value
    why = why or "it is not what was written"
    for _, copy in copies:
        instead, trouble = _parse(copy, parse)
        if not trouble:
            return SideFile(copy.decode(), why, replaced=True), instead
    return SideFile(None, why), None


def read_copies(files: Files, stem: str, parse: Callable[[Any], T]) -> list[tuple[str, T]]:
    """All copies of a side file that are whole, with their paths, the newest first.

    Args:
        files: Where.
        stem: Path without `.json`.
        parse: Makes of the JSON data what it stands for; what it refuses is left out.
    """
    parsed = [(path, *_parse(data, parse)) for path, data in _whole_copies(files, stem)]
    return [(path, cast(T, value)) for path, value, why in parsed if not why]


def copy_name(stem: str, data: bytes) -> str:
    """The path of the copy of some content."""
    return f"{stem}-{hashlib.sha256(data).hexdigest()[:16]}.json"


def _named_like_copies(files: Files, stem: str) -> list[str]:
    """Paths of what is named like a copy, the newest first."""
    folder, _, name = stem.rpartition("/")
    pattern = re.compile(re.escape(name) + r"-[0-9a-f]{16}\.json")
    infos = [
        info
        for info in files.listed(folder)
        if info.type == fs.FileType.File and pattern.fullmatch(info.base_name)
    ]
    infos.sort(key=lambda info: (-(info.mtime_ns or 0), info.base_name))
    return [f"{folder}/{info.base_name}" for info in infos]


def _whole_copies(files: Files, stem: str) -> Iterator[tuple[str, bytes]]:
    """Paths and contents of the copies that are what their names say, the newest first."""
    for path in _named_like_copies(files, stem):
        data = files.read(path)
        if data is not None and copy_name(stem, data) == path:
            yield path, data


def _parse(data: bytes, parse: Callable[[Any], T]) -> tuple[T | None, str]:
    try:
        return parse(json.loads(data.decode())), ""
    except RecursionError:
        return None, "it is nested too deeply"
    except Exception as error:  # whatever a parser makes of garbage
        return None, f"{type(error).__name__}: {error}".splitlines()[0][:200]
