"""Examples in a file of arrays: images, sequences, graphs."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainability.checks import reason, settle_fields, shown, text_problem
from trainability.errors import DataError, refuse
from trainability.lazy import numpy as np
from trainability.tasks.tensors import TensorTask

_LARGEST = 2**33
"""Bytes that the arrays of a file may say they have."""


@dataclass(frozen=True)
class Arrays(TensorTask):
    """Named arrays of an .npz or .parquet file, an entry of each for every example.

    A module gets each input in the shape that it has in the file, in the order of `inputs`:
    `Arrays("pictures.npz", inputs=["x"], target="y", classes=True)` calls it with (N, 3, 32, 32),
    and `Arrays("graphs.npz", inputs=["features", "adjacency"], target="charge")` with features of
    shape (N, nodes, f) and adjacency matrices (N, nodes, nodes); targets (N, nodes) are then
    as many outputs. Fully connected networks see all numbers in a row.

    Args:
        path: The file. In a Parquet file a column holds a number or nested lists for each example.
            A relative path starts at the current folder.
        inputs: Names of the input arrays.
        target: Name of the array of targets.
        classes: Whether targets are classes: whole numbers, truth values or texts, one for each
            example, in sorted order. Two make one output of 0 and 1, more make one each.
        one_hot: Whether two classes get an output each, too.
        standardize: Names of inputs whose numbers get mean 0 and standard deviation 1 over all
            training examples; the others stay as they are.
        n_validation: How many of the examples are held back, chosen at random, >= 0.
        seed: Of that choice.

    Raises:
        DataError: Lists everything that is wrong, settings at once and data when they are read.
    """

    path: str
    inputs: Sequence[str]
    target: str
    classes: bool = False
    one_hot: bool = False
    standardize: Sequence[str] = ()
    n_validation: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        problems = self.setting_problems()
        if not isinstance(self.path, str | os.PathLike):
            problems.append(f"Arrays path must be a text, got {shown(self.path)}")
        problems += text_problem("Arrays target", self.target, "'y'")
        names = {"inputs": self.inputs, "standardize": self.standardize}
        for what, given in names.items():
            if not isinstance(given, list | tuple) or not all(
                isinstance(name, str) for name in given
            ):
                problems.append(
                    f'Arrays {what} must be a list of names like ["x"], got {shown(given)}'
                )
        if not problems:
            if not self.inputs or len(set(self.inputs)) < len(self.inputs):
                problems.append(
                    f"Arrays inputs must name each array once, got {shown(self.inputs)}"
                )
            if self.target in self.inputs:
                problems.append(f"Arrays target {self.target!r} is among its inputs; leave it out")
            problems += [
                f"Arrays standardize {name!r} is no input; it has {', '.join(self.inputs)}"
                for name in self.standardize
                if name not in self.inputs
            ]
        refuse(problems, DataError)
        object.__setattr__(self, "path", os.fspath(self.path))
        object.__setattr__(self, "inputs", tuple(self.inputs))
        object.__setattr__(self, "standardize", tuple(self.standardize))
        settle_fields(self)

    def standardized(self) -> Sequence[str]:
        return self.standardize

    def examples(self) -> tuple[Mapping[str, np.ndarray], np.ndarray]:
        path = Path(self.path).expanduser()
        readers = {".npz": _read_npz, ".parquet": _read_parquet}
        if path.suffix not in readers:
            raise DataError(f"Arrays path must be an .npz or .parquet file, got {self.path}")
        if not path.is_file():
            raise DataError(f"there is no file {self.path}; wanted an .npz or .parquet file")
        wanted = [*self.inputs, self.target]
        try:
            arrays = readers[path.suffix](path, wanted)
        except DataError:
            raise
        except Exception as error:  # whatever a damaged file makes a library raise
            raise DataError(f"{self.path} can't be read: {reason(error)}") from error
        return {name: arrays[name] for name in self.inputs}, arrays[self.target]


def _read_npz(path: Path, wanted: Sequence[str]) -> dict[str, np.ndarray]:
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path} is no archive of named arrays, as numpy.savez writes")
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _LARGEST:
            raise DataError(f"{path} says that its arrays have more than {_LARGEST:,} bytes")
    with np.load(path, allow_pickle=False) as file:  # data are never run as code
        _refuse_missing(path, wanted, file.files)
        return {name: file[name] for name in wanted}


def _read_parquet(path: Path, wanted: Sequence[str]) -> dict[str, np.ndarray]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        _refuse_missing(path, wanted, file.schema_arrow.names)
        table = file.read(columns=list(dict.fromkeys(wanted)))
    return {name: _stacked(path, name, table.column(name).to_pylist()) for name in wanted}


def _stacked(path: Path, name: str, rows: list[Any]) -> np.ndarray:
    try:
        return np.array(rows)
    except ValueError as error:
        raise DataError(f"{name} of {path} must have the same shape in every row") from error


def _refuse_missing(path: Path, wanted: Sequence[str], names: Sequence[str]) -> None:
    refuse(
        [
            f"{path} has no array {name!r}; it has {', '.join(names) or 'none'}"
            for name in wanted
            if name not in names
        ],
        DataError,
    )
