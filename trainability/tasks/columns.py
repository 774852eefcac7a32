"""Columns of numbers from a file: CSV, Parquet or npz. Data is read, never executed."""

from __future__ import annotations

import csv
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trainability.errors import DataError, refuse
from trainability.schemes.catalog import suggestion

Column = np.ndarray | str
"""Numbers, float64 with NaN where one is missing, or what keeps them from being numbers."""


def read_columns(path: Path, wanted: Sequence[str], rows: int | None) -> dict[str, np.ndarray]:
    """The wanted columns of a file, float64, all of one length.

    Args:
        path: A .csv file (UTF-8, commas, a header line), a .parquet file, or a .npz file with one
            1-D array per column.
        wanted: Names of columns. Rows are counted from 1, the header not counted.
        rows: How many rows to take from the top, or None for all.

    Raises:
        DataError: Lists everything that is wrong with the file and with these columns and rows.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path} must be a {', '.join(_READERS)} file, got {path.suffix!r}")
    if not path.is_file():
        raise DataError(f"there is no file {path} (looked for {path.absolute()}); check the path")
    if not path.stat().st_size:
        raise DataError(f"{path} is empty; wanted named columns and at least 2 rows")
    try:
        names, columns = reader(path, wanted)
    except (OSError, ValueError, csv.Error, zipfile.BadZipFile, pa.ArrowException) as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(
            f"{path} can't be read as a {path.suffix} file: {reason}; check that it is whole and "
            "of the kind that its name says"
        ) from error
    found = {name: column for name, column in columns.items() if isinstance(column, np.ndarray)}
    refuse(
        [
            *_name_problems(path, names, wanted),
            *(f"{path}: column {name!r} {p}" for name, p in columns.items() if isinstance(p, str)),
            *_row_problems(path, found, rows),
            *(
                p
                for name, column in found.items()
                for p in _value_problems(path, name, column[:rows])
            ),
        ],
        DataError,
    )
    return {name: found[name][:rows] for name in wanted}


def _name_problems(path: Path, names: list[str], wanted: Sequence[str]) -> list[str]:
    counts = Counter(names)
    problems = []
    for name in dict.fromkeys(wanted):
        if counts[name] > 1:
            problems.append(
                f"{path} has {counts[name]} columns named {name!r}; rename them, so that it is "
                "clear which is meant"
            )
        if counts[name] == 0:
            listed = ", ".join(repr(entry) for entry in names[:20])
            more = f" and {len(names) - 20} more" if len(names) > 20 else ""
            problems.append(
                f"{path} has no column {name!r}{suggestion(name, names)}; it has {listed}{more}"
            )
    return problems


def _row_problems(path: Path, columns: dict[str, np.ndarray], rows: int | None) -> list[str]:
    lengths = {name: len(column) for name, column in columns.items()}
    if not lengths:
        return []
    shortest, longest = min(lengths.values()), max(lengths.values())
    if shortest != longest:
        told = ", ".join(f"{name!r} {length}" for name, length in lengths.items())
        return [f"{path} must have columns of one length, got {told}"]
    if shortest < max(2, rows or 0):
        return [f"{path} must have at least {max(2, rows or 0)} rows, got {shortest}"]
    return []


def _value_problems(path: Path, name: str, column: np.ndarray) -> list[str]:
    problems = []
    for what, bad in (("missing values (NaN)", np.isnan(column)), ("infinities", np.isinf(column))):
        if bad.any():
            problems.append(
                f"{path}: column {name!r} has {bad.sum()} {what}, the first in row "
                f"{bad.argmax() + 1}; drop or fill those rows"
            )
    if not problems and len(column) > 1 and column.min() == column.max():
        problems.append(
            f"{path}: column {name!r} is constant ({column[0]:g} in all {len(column)} rows), so it "
            "can't be standardized; leave it out"
        )
    return problems


def _read_csv(path: Path, wanted: Sequence[str]) -> tuple[list[str], dict[str, Column]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, skipinitialspace=True, strict=True)
        names = [name.strip() for name in next(reader, [])]
        lines = []
        for line in reader:
            if line and len(line) != len(names):
                raise ValueError(
                    f"line {reader.line_num} has {len(line)} values and the header {len(names)}"
                )
            lines += [line] if line else []
    places = {name: names.index(name) for name in wanted if name in names}
    return names, {name: _numbers([line[k] for line in lines]) for name, k in places.items()}


def _numbers(texts: list[str]) -> Column:
    numbers = np.empty(len(texts))
    for row, text in enumerate(texts):
        try:
            numbers[row] = np.nan if text.strip().lower() in _MISSING else float(text)
        except ValueError:
            return (
                f"must hold numbers, got the text {text!r} in row {row + 1}; encode it as numbers "
                "or leave the column out"
            )
    return numbers


def _read_parquet(path: Path, wanted: Sequence[str]) -> tuple[list[str], dict[str, Column]]:
    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        columns: dict[str, Column] = {}
        for name in wanted:
            if names.count(name) != 1:
                continue
            column = file.read(columns=[name]).column(name)
            if any(is_kind(column.type) for is_kind in _NUMERIC):
                numbers = column.cast(pa.float64(), safe=False).to_numpy()
                columns[name] = np.asarray(numbers, dtype=np.float64)
            else:
                columns[name] = f"must hold numbers, got {column.type}; encode it as numbers"
    return names, columns


def _read_npz(path: Path, wanted: Sequence[str]) -> tuple[list[str], dict[str, Column]]:
    if not zipfile.is_zipfile(path):
        raise ValueError("it is no archive of named arrays, as numpy.savez writes")
    columns: dict[str, Column] = {}
    with np.load(path, allow_pickle=False) as file:
        names = list(file.files)
        for name in wanted:
            if names.count(name) == 1:
                columns[name] = _array(file, name)
    return names, columns


def _array(file: np.lib.npyio.NpzFile, name: str) -> Column:
    try:
        array = file[name]
    except ValueError:
        return (
            "must hold numbers, got Python objects, which only unpickling could read, and that "
            "runs code; save it as an array of numbers"
        )
    if array.dtype.kind not in "biuf":
        return f"must hold numbers, got an array of {array.dtype}; encode it as numbers"
    if array.ndim != 1:
        return f"must be a 1-D array, one value a row, got shape {array.shape}; split its columns"
    return array.astype(np.float64)


_MISSING = {"", "na", "n/a", "nan", "null", "none"}
_NUMERIC = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_boolean,
    pa.types.is_decimal,
)
_READERS = {".csv": _read_csv, ".parquet": _read_parquet, ".npz": _read_npz}
