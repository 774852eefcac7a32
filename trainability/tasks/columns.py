"""Columns of numbers from a file: text, Parquet, Feather, npz, npy. Data is never executed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from trainability.catalogs import did_you_mean
from trainability.checks import counted
from trainability.errors import DataError, refuse
from trainability.lazy import numpy as np
from trainability.tasks.text_columns import (
    COMPRESSIONS,
    Column,
    composed,
    is_number,
    numbers_of,
    read_text,
)

_MOST_CLASSES = 100
_WANTED_CLASSES = f"2 to {_MOST_CLASSES} classes with two rows each on average"
_TEXT_KINDS = (".csv", ".tsv", ".txt")


def _of_arrays(name: str) -> Callable[..., tuple[list[str], dict[str, Column]]]:
    """A reader that needs Arrow, whose import takes longer than declaring a study."""

    def read(*arguments: Any) -> tuple[list[str], dict[str, Column]]:
        from trainability.tasks import array_columns

        return getattr(array_columns, name)(*arguments)

    return read


_READERS = {
    **dict.fromkeys(_TEXT_KINDS, read_text),
    ".parquet": _of_arrays("read_parquet"),
    ".feather": _of_arrays("read_feather"),
    ".npz": _of_arrays("read_npz"),
    ".npy": _of_arrays("read_npy"),
}


def read_columns(
    path: Path,
    wanted: Sequence[str],
    rows: int | None,
    labels: Sequence[str] = (),
    categories: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """The wanted columns of a file, float64, all of one length N.

    Args:
        path: A text (.csv, .tsv, .txt, also packed: .csv.gz, .bz2, .xz, .zip) with a header line;
            a .parquet or .feather file; a .npz file with named arrays; or a .npy file.
        wanted: Names of columns. Rows are counted from 1, the header not counted.
        rows: How many rows to take from the top, or None for all.
        labels: Those of the wanted columns that may hold classes as texts.
        categories: Those that hold classes: texts, whole numbers or truth values.

    Returns:
        Per name, shape (N,); (N, k) for a 2-D array, less its columns that are the same in all
        rows, and for k classes, in sorted order: 1 in the class's column, 0 elsewhere.

    Raises:
        DataError: Lists everything that is wrong with the file and with these columns and rows.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    is_packed = suffixes[-1:] and suffixes[-1] in COMPRESSIONS
    kind = suffixes[-2] if is_packed and len(suffixes) > 1 else suffixes[-1] if suffixes else ""
    if kind not in (_TEXT_KINDS if is_packed else _READERS):
        raise DataError(
            f"{path} must be a {', '.join(_READERS)} file, or a text that is packed, such as "
            f".csv.gz, got {''.join(path.suffixes[-2:])!r}"
        )
    try:
        if not path.is_file():
            raise DataError(
                f"there is no file {path} (looked for {path.absolute()}); check the path"
            )
        if not path.stat().st_size:
            raise DataError(f"{path} is empty; wanted named columns and at least 2 rows")
        names, raw = _READERS[kind](path, [composed(name) for name in wanted])
    except DataError:
        raise
    except Exception as error:
        # Whatever a reader of somebody else's raises on a damaged file: NumPy alone, which parses
        # the header of an array as Python text, has a dozen kinds.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(
            f"{path} can't be read as a {kind} file: {reason}; check that it is whole and "
            "of the kind that its name says"
        ) from error
    columns = {
        name: _classes(raw[composed(name)], rows)
        if name in categories
        else _numbers(raw[composed(name)], rows, name in labels)
        for name in dict.fromkeys(wanted)
        if composed(name) in raw
    }
    arrays = {name: column for name, column in columns.items() if isinstance(column, np.ndarray)}
    refuse(
        [
            *_name_problems(path, names, [composed(name) for name in wanted]),
            *(f"{path}: column {name!r} {p}" for name, p in columns.items() if isinstance(p, str)),
            *_row_problems(path, arrays, rows),
            *(
                p
                for name, column in arrays.items()
                for p in _value_problems(path, name, column[:rows])
            ),
        ],
        DataError,
    )
    return {name: arrays[name][:rows] for name in wanted}


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
                f"{path} has no column {name!r}{did_you_mean(name, names)}; it has {listed}{more}"
            )
    return problems


def _row_problems(path: Path, columns: dict[str, np.ndarray], rows: int | None) -> list[str]:
    lengths = {name: len(column) for name, column in columns.items()}
    if not lengths:
        return []
    shortest, longest = min(lengths.values()), max(lengths.values())
    if shortest != longest:
        got = ", ".join(f"{name!r} {length}" for name, length in lengths.items())
        return [f"{path} must have columns of one length, got {got}"]
    if shortest < max(2, rows or 0):
        return [f"{path} must have at least {max(2, rows or 0)} rows, got {shortest}"]
    return []


def _value_problems(path: Path, name: str, column: np.ndarray) -> list[str]:
    if column.ndim == 2:
        return [
            problem
            for k in range(column.shape[1])
            for problem in _value_problems(path, f"{name}[:, {k}]", column[:, k])
        ]
    problems = []
    kinds = (
        ("missing value (NaN)", "missing values (NaN)", np.isnan(column)),
        ("infinity", "infinities", np.isinf(column)),
    )
    for one, many, bad in kinds:
        if (n := int(bad.sum())) > 0:
            where, rows = ("in row", "that row") if n == 1 else ("the first in row", "those rows")
            problems.append(
                f"{path}: column {name!r} has {counted(n, one, many)}, {where} "
                f"{bad.argmax() + 1}; drop or fill {rows}"
            )
    if not problems and len(column) > 1 and column.min() == column.max():
        problems.append(
            f"{path}: column {name!r} is constant ({column[0]:g} in all {len(column)} rows), so it "
            "can't be standardized; leave it out"
        )
    return problems


def _numbers(column: Column, rows: int | None, may_be_labels: bool) -> np.ndarray | str:
    """The numbers of a column; for class labels one column per class."""
    if isinstance(column, np.ndarray) and column.ndim == 2 and len(column[:rows]):
        varies = ~(column[:rows] == column[:1]).all(axis=0)
        return column[:, varies] if varies.any() else column[:, :1]
    if not isinstance(column, list):
        return column
    texts = column[:rows]
    if not may_be_labels or any(is_number(text) for text in texts):
        return numbers_of(texts)
    stripped = [composed(text.strip()) for text in texts]
    classes = sorted(set(stripped))
    if "" in classes:
        return f"has no class in row {stripped.index('') + 1}; drop or fill those rows"
    if not _may_be_classes(len(classes), len(texts)):
        return (
            f"holds texts, {len(classes)} of them different in "
            f"{counted(len(texts), 'row')}; wanted numbers, or {_WANTED_CLASSES}"
        )
    return _one_hot(stripped, classes)


def _classes(column: Column, rows: int | None) -> np.ndarray | str:
    """One column per class: of texts, unless all are numbers, and of numbers, which are whole."""
    if isinstance(column, str):
        return column.replace("must hold numbers", "must hold classes").partition(";")[0]
    texts = [composed(text.strip()) for text in column[:rows]] if isinstance(column, list) else []
    numbers = column[:rows] if isinstance(column, np.ndarray) else numbers_of(texts)
    values: list[Any] = texts
    missing = [not text for text in texts]
    if not isinstance(numbers, str):  # so that "1" and "1.0" are one class
        if numbers.ndim != 1:
            return "has several columns; classes stand in one, a class per row"
        values, missing = numbers.tolist(), np.isnan(numbers).tolist()
        odd = numbers[~np.isnan(numbers) & (numbers != np.floor(numbers)) | np.isinf(numbers)]
        if odd.size:
            return (
                f"holds {odd[0]:g}, which is no class: wanted texts, whole numbers or truth "
                "values; leave classes=True out for targets that are numbers"
            )
    if any(missing):
        return f"has no class in row {missing.index(True) + 1}; drop or fill those rows"
    classes = sorted(set(values))
    if not _may_be_classes(len(classes), len(values)):
        got = f"{counted(len(classes), 'class', 'classes')} in {counted(len(values), 'row')}"
        return f"holds {got}; wanted {_WANTED_CLASSES}"
    return _one_hot(values, classes)


def _may_be_classes(n_classes: int, n_rows: int) -> bool:
    return 2 <= n_classes <= min(_MOST_CLASSES, n_rows // 2)


def _one_hot(values: list[Any], classes: list[Any]) -> np.ndarray:
    return np.array([[value == one for one in classes] for value in values], dtype=np.float64)
