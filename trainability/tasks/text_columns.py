"""Columns of a text file: its compression, encoding, separator and decimal mark, where clear.

What can be told for certain is read: a separator is the one under which the header holds the names
that are asked for; a comma is a decimal mark where it separates no columns and can't be one that
groups thousands. What can't be told is refused with what is suspected.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
import unicodedata
import zipfile
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeAlias

from trainability.checks import counted
from trainability.lazy import numpy as np
from trainability.tasks.exact import shifted

Column: TypeAlias = "np.ndarray | list[str] | str"
"""Numbers, float64 with NaN where one is missing, of shape (N,), or (N, k) for k columns of one
name; or texts, one per row; or what keeps it from being either."""
COMPRESSIONS: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zip": lambda path: io.BytesIO(_only_member(path)),
}
SEPARATORS = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}
_LARGEST = 2**32
"""Bytes that a text may have when it is unpacked: more is no table that fits into memory."""
_MAGIC = {
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"PK\x03\x04": "zip, npz or Excel",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x93NUMPY": "npy",
    b"\x89HDF": "HDF5",
    b"SQLite": "SQLite",
}
_MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}
_COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE)
_MAY_GROUP = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


def read_text(path: Path, wanted: Sequence[str]) -> tuple[list[str], dict[str, Column]]:
    """The names of all columns, and those that are wanted.

    Raises:
        ValueError: If it is no table of text; says why, or what is suspected.
        OSError: If it can't be read.
    """
    text = _decoded(_unpacked(path))
    head = text.lstrip("\n\r").split("\n", 1)[0]
    separator = _separator(head, wanted)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True
    )
    names: list[str] = []
    lines: list[list[str]] = []
    for line in reader:
        if not line or (separator != "," and line == [""]):
            continue
        if not names:
            names = [composed(name.strip()) for name in line]
            continue
        if len(line) != len(names):
            raise ValueError(
                f"line {reader.line_num} has {counted(len(line), 'value')} and the header "
                f"{len(names)}"
                f"{_suspected(head, separator)}"
            )
        lines.append(line)
    if not set(wanted) & set(names):
        if names and all(is_number(name) or name == "" for name in names):
            raise ValueError(
                f"its first line {head.strip()[:60]!r} holds numbers: it looks like a file without "
                "a header; put a line with the names of its columns at the top"
            )
        if hint := _suspected(head, separator):
            raise ValueError(f"it has no column {wanted[0]!r}{hint}")
    places = {name: names.index(name) for name in wanted if name in names}
    columns: dict[str, Column] = {}
    for name, k in places.items():
        texts = [line[k] for line in lines]
        columns[name] = _with_points(texts) if separator != "," else texts
    return names, columns


def composed(name: str) -> str:
    """A name in Unicode's composed form (NFC): a letter and its accent may be written as two."""
    return unicodedata.normalize("NFC", name)


def is_number(text: str) -> bool:
    """Whether a text is a number as people write one, a decimal comma allowed."""
    text = text.strip()
    return _float(text) is not None or bool(_COMMA.fullmatch(text))


def numbers_of(texts: Sequence[str]) -> np.ndarray | str:
    """Texts as numbers, float64 with NaN where one is missing, or why they are no numbers."""
    stripped = [text.strip() for text in texts]
    numbers = np.empty(len(stripped))
    for row, text in enumerate(stripped):
        value = np.nan if text.lower() in _MISSING else _float(text)
        if value is None:
            return (
                f"must hold numbers, got the text {texts[row][:60]!r} in row {row + 1}"
                f"{_comma_hint(text)}; encode it as numbers or leave the column out"
            )
        numbers[row] = value
    return shifted(numbers, lambda: [_decimal(text) for text in stripped])


def _with_points(texts: list[str]) -> list[str] | str:
    """Texts of a file whose commas separate no columns: decimal commas become points."""
    with_comma = [text.strip() for text in texts if "," in text]
    if not any(map(is_number, with_comma)):
        return texts
    odd = next((text for text in with_comma if not _COMMA.fullmatch(text)), None)
    if odd is not None:
        return (
            f"must hold numbers, got the text {odd[:60]!r}; if that is a number, write it without "
            "marks between thousands"
        )
    if all(map(_MAY_GROUP.fullmatch, with_comma)) or any("." in text for text in texts):
        return (
            f"holds {with_comma[0][:60]!r}, whose comma may be a decimal mark or one between "
            "thousands; write its numbers with a decimal point"
        )
    return [text.replace(",", ".") for text in texts]


def _comma_hint(text: str) -> str:
    return ", which looks like a decimal comma" if _COMMA.fullmatch(text) else ""


def _float(text: str) -> float | None:
    if "_" in text:  # Python's digit groups, which no table has
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _unpacked(path: Path) -> bytes:
    opened = COMPRESSIONS.get(path.suffix.lower())
    with opened(path) if opened else path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError(f"it holds more than {_LARGEST:,} bytes of text; use a Parquet file")
    return data


def _only_member(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        members = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(members) != 1:
            raise ValueError(f"it must hold one file, got {len(members)}")
        if members[0].file_size > _LARGEST:
            raise ValueError(f"it holds more than {_LARGEST:,} bytes of text; use a Parquet file")
        try:
            with archive.open(members[0]) as file:
                return file.read(_LARGEST + 1)
        except (RuntimeError, NotImplementedError) as error:  # a password, a method not known
            raise ValueError(str(error)) from error


def _decoded(data: bytes) -> str:
    """UTF-8 or, by its byte order mark, UTF-16; else Latin-1, which is right for all numbers."""
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            raise ValueError(f"it looks like a {kind} file; give it the suffix of its kind")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16")
        if "\n" not in text:
            raise ValueError("it holds bytes that no text has")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
    if re.search(r"[\x00-\x08\x0e-\x1f]", text):
        raise ValueError("it holds bytes that no text has")
    return text


def _separator(head: str, wanted: Sequence[str]) -> str:
    """The separator under which the header has most of the wanted names; a comma if none has."""

    def score(separator: str) -> int:
        return len(set(_split(head, separator)) & set(wanted))

    return max(SEPARATORS, key=score)


def _split(head: str, separator: str) -> list[str]:
    try:
        line = next(csv.reader([head.rstrip("\r")], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return []
    return [composed(name.strip()) for name in line]


def _suspected(head: str, separator: str) -> str:
    """What else seems to separate the columns, to append to a message."""
    counts = {other: len(_split(head, other)) for other in SEPARATORS if other != separator}
    best = max(counts, key=lambda other: counts[other])
    if counts[best] <= len(_split(head, separator)):
        return ""
    return f"; it looks like {SEPARATORS[best]} separates its columns: {_split(head, best)[:20]}"
