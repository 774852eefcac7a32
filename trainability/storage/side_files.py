"""The small JSON files beside the blocks: a study's declaration, its growth, its provenance.

Each is kept twice, under its name (`growth.json`) and under one with a checksum of its content
(`growth-<16 digits>.json`), so that damage is seen, a changed digit as well as a lost half, and
mended. The copy is written first and its predecessors are removed last: whenever a writer dies,
what has the name is whole and has a copy. Files from before there were copies have none; what can
be read of them is taken for what it says.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pyarrow import fs

from trainability.storage.files import Files

T = TypeVar("T")


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


def write_side_file(files: Files, stem: str, data: bytes, keep: bool = False) -> None:
    """Write `<stem>.json` and its copy.

    Args:
        files: Where.
        stem: Path without `.json`.
        data: JSON text as bytes.
        keep: Whether earlier copies stay.
    """
    own = copy_name(stem, data)
    before = [path for path, _ in _copies(files, stem) if path != own]
    files.write(own, data)
    files.write(f"{stem}.json", data)
    for path in [] if keep else before:
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
        whole = not why and copy_name(stem, data)
        copies = _copies(files, stem)
        if whole and (not copies or whole in dict(copies)):
            return SideFile(data.decode()), value
        why = why or "it is not what was written"
    else:
        copies = _copies(files, stem)
        why = "it is missing" if copies else ""
    for path, _ in copies:
        copy = files.read(path)
        # A name that says another sum is that of a damaged copy.
        if copy is not None and copy_name(stem, copy) == path:
            value, trouble = _parse(copy, parse)
            if not trouble:
                return SideFile(copy.decode(), why, replaced=True), value
    return SideFile(None, why), None


def copies_of(files: Files, stem: str) -> list[str]:
    """The paths of all copies of a side file that are whole, the newest first."""
    found = []
    for path, _ in _copies(files, stem):
        data = files.read(path)
        if data is not None and copy_name(stem, data) == path:
            found.append(path)
    return found


def copy_name(stem: str, data: bytes) -> str:
    """The path of the copy of some content."""
    return f"{stem}-{hashlib.sha256(data).hexdigest()[:16]}.json"


def _copies(files: Files, stem: str) -> list[tuple[str, Any]]:
    """Paths of what is named like a copy, the newest first."""
    folder, _, name = stem.rpartition("/")
    pattern = re.compile(re.escape(name) + r"-[0-9a-f]{16}\.json")
    found = [
        (f"{folder}/{info.base_name}", info.mtime_ns or 0)
        for info in files.listed(folder)
        if info.type == fs.FileType.File and pattern.fullmatch(info.base_name)
    ]
    return sorted(found, key=lambda entry: (-entry[1], entry[0]))


def _parse(data: bytes, parse: Callable[[Any], T]) -> tuple[T | None, str]:
    try:
        return parse(json.loads(data.decode())), ""
    except RecursionError:
        return None, "it is nested too deeply"
    except Exception as error:  # whatever a parser makes of garbage
        return None, f"{type(error).__name__}: {error}".splitlines()[0][:200]
