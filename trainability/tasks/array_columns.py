"""Columns of files that hold arrays: Parquet, Feather, npz and npy. Nothing is ever unpickled."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from trainability.lazy import numpy as np
from trainability.tasks.exact import shifted
from trainability.tasks.text_columns import Column, composed

_LARGEST = 2**33
"""Bytes that the arrays of a file may say they have."""
_NUMERIC = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_boolean,
    pa.types.is_decimal,
)
_TEXT = (pa.types.is_string, pa.types.is_large_string)


def read_parquet(path: Path, wanted: Sequence[str]) -> tuple[list[str], dict[str, Column]]:
    """The names of all columns of a Parquet file, and those that are wanted."""
    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        return _chosen(
            names, wanted, lambda k: _arrow_column(file.read(columns=[names[k]]).column(names[k]))
        )


def read_feather(path: Path, wanted: Sequence[str]) -> tuple[list[str], dict[str, Column]]:
    """The same of a Feather (Arrow) file."""
    table = feather.read_table(path, memory_map=False)
    return _chosen(table.schema.names, wanted, lambda k: _arrow_column(table.column(k)))


def read_npz(path: Path, wanted: Sequence[str]) -> tuple[list[str], dict[str, Column]]:
    """The same of an archive of named arrays; a 2-D array is several columns of one name."""
    if not zipfile.is_zipfile(path):
        raise ValueError("it is no archive of named arrays, as numpy.savez writes")
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _LARGEST:
            raise ValueError(f"its arrays say that they have more than {_LARGEST:,} bytes")
    with np.load(path, allow_pickle=False) as file:
        names = list(file.files)
        return _chosen(names, wanted, lambda k: _member(file, names[k]))


def read_npy(path: Path, wanted: Sequence[str]) -> tuple[list[str], dict[str, Column]]:
    """The same of one array: with named fields, or 2-D, its columns named "0", "1" and so on."""
    with path.open("rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise ValueError("it is no array, as numpy.save writes")
    array = np.load(path, allow_pickle=False, mmap_mode="r")
    if array.dtype.names:
        names = list(array.dtype.names)
        return _chosen(names, wanted, lambda k: _column(np.asarray(array[names[k]])))
    if array.ndim != 2:
        raise ValueError(f"it must hold a 2-D array, one row a point, got shape {array.shape}")
    names = [str(k) for k in range(array.shape[1])]
    return _chosen(names, wanted, lambda k: _column(np.asarray(array[:, k])))


def _chosen(
    names: Sequence[str], wanted: Sequence[str], column: Callable[[int], Column]
) -> tuple[list[str], dict[str, Column]]:
    plain = [composed(name) for name in names]
    return plain, {name: column(plain.index(name)) for name in wanted if plain.count(name) == 1}


def _arrow_column(column: pa.ChunkedArray) -> Column:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if any(is_kind(kind) for is_kind in _TEXT):
        return [text or "" for text in column.to_pylist()]
    if not any(is_kind(kind) for is_kind in _NUMERIC):
        return f"must hold numbers, got {kind}; encode it as numbers"
    numbers = np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    if pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return numbers
    return shifted(numbers, column.to_pylist)


def _member(file: np.lib.npyio.NpzFile, name: str) -> Column:
    try:
        array = file[name]
    except ValueError as error:
        if "pickle" not in str(error):
            raise
        return (
            "must hold numbers, got Python objects, which only unpickling could read, and that "
            "runs code; save it as an array of numbers"
        )
    if not isinstance(array, np.ndarray):
        return "must hold numbers, got a file that is no array"
    return _column(array)


def _column(array: np.ndarray) -> Column:
    if array.dtype.kind == "U" and array.ndim == 1:
        return array.tolist()
    if array.dtype.kind not in "biuf":
        return f"must hold numbers, got an array of {array.dtype}; encode it as numbers"
    if array.ndim not in (1, 2):
        return (
            "must be a 1-D array, one value a row, or a 2-D one, one row a point, got shape "
            f"{array.shape}; split its columns"
        )
    if array.ndim == 2:
        columns = [_column(array[:, k]) for k in range(array.shape[1])]
        return np.stack(columns, axis=1) if columns else "has no columns"  # type: ignore[arg-type]
    numbers = array.astype(np.float64)
    if array.dtype.kind in "iu":
        return shifted(numbers, array.tolist)
    if array.dtype.itemsize > 8 and len(array) and not (array == numbers).all():
        with np.errstate(invalid="ignore"):
            moved = (array - array.min()).astype(np.float64)
        return moved if np.isfinite(moved).all() and moved.any() else numbers
    return numbers
