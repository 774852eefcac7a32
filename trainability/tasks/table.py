"""Real data: named columns of a file, or one of scikit-learn's bundled sets."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from trainability.checks import (
    bool_problem,
    choice_problem,
    counted,
    int_problem,
    settle_fields,
    shown,
    text_problem,
)
from trainability.domains import Points
from trainability.errors import DataError, refuse
from trainability.identity import younger
from trainability.lazy import numpy as np
from trainability.seeds import stream
from trainability.tasks.base import Task
from trainability.tasks.columns import read_columns
from trainability.tasks.exact import has_large_offset

Bundled = Literal["diabetes", "digits"]
_Part = tuple["np.ndarray", "np.ndarray"]
"""Inputs and targets."""


@dataclass(frozen=True)
class Table(Task):
    """Real data, every feature and every target standardized to mean 0 and standard deviation 1.

    `Table("energy.csv", features=["heat", "light"], target="load")`, or `Table(dataset="digits")`.
    Means and standard deviations are those of the rows that are used, so the best constant has
    mean squared error 1. The domain is the training points themselves. With `classes=True` the
    targets say instead which class a row is of, for a cross-entropy.

    Args:
        path: A text with a header line (.csv, .tsv, .txt, also packed, such as .csv.gz), a .parquet
            or .feather file, a .npz file with one array per name (a 2-D array is as many columns,
            those that are the same in all rows used are dropped), or a .npy file with named fields
            or with columns named "0", "1" and so on. Separators and decimal commas are told from
            the file where that is certain, else it is refused. A relative path starts at the
            current folder.
        features: Names of the input columns.
        target: Name of the target column, or names of several. A target of texts is taken for
            classes: one output each, in sorted order, as for digits.
        dataset: Instead of a file, a set that scikit-learn bundles: "diabetes" (442 patients, 10
            features, disease progression) or "digits" (1,797 images of 8 x 8 pixels; 10 targets,
            1 for the digit's class and 0 for the others before they are standardized; pixels that
            are the same in all rows used are dropped, 3 of them if all rows are used).
        rows: How many rows to use, from the top; None for all. At least 2, of digits at least 10,
            which hold every class.
        classes: Whether the one target column holds classes, texts, whole numbers or truth values,
            in sorted order: 2 to 100, with two rows each on average. Two make one output of 0 and
            1, for `BinaryCrossEntropy`; more make one output each, for `CrossEntropy`. Targets are
            then not standardized. Of the bundled sets "digits" has classes.
        one_hot: Whether two classes get an output each, too, for `CrossEntropy`.
        n_validation: How many of the rows are validation points, >= 0, chosen at random; no mean,
            standard deviation or domain looks at them.
        seed: Of that choice.

    Raises:
        DataError: Lists everything that is wrong, settings at once and data when they are read.
    """

    path: str | None = None
    features: Sequence[str] = ()
    target: str | Sequence[str] = ()
    dataset: Bundled | None = None
    rows: int | None = None
    classes: bool = younger(False, since=2)
    one_hot: bool = younger(False, since=2)
    n_validation: int = younger(0, since=2)
    seed: int = younger(0, since=2)

    def __post_init__(self) -> None:
        refuse(self._problems(), DataError)
        if self.path is not None:
            object.__setattr__(self, "path", os.fspath(self.path))
        object.__setattr__(self, "features", tuple(self.features))
        settle_fields(self)
        if not isinstance(self.target, str):
            object.__setattr__(self, "target", tuple(self.target))

    @cached_property
    def domain(self) -> Points:
        return Points(self.data()[0])

    @property
    def n_train(self) -> int:
        return len(self.data()[0])

    @property
    def n_classes(self) -> int:
        return max(2, self.d_out) if self.classes else 0

    def build(self) -> tuple[np.ndarray, np.ndarray]:
        return self._parts[0]

    def build_validation(self) -> tuple[np.ndarray, np.ndarray] | None:
        return self._parts[1]

    @cached_property
    def _parts(self) -> tuple[_Part, _Part | None]:
        """Training points and validation points, ready for networks."""
        x, y = self._read()
        if self.classes and y.shape[1] == 2 and not self.one_hot:
            y = y[:, 1:]
        held = np.zeros(len(x), dtype=bool)
        if self.n_validation:
            if self.n_validation > len(x) - 2:
                raise DataError(
                    f"Table n_validation is {self.n_validation}, of "
                    f"{counted(len(x), 'row')}; leave at least 2 for training"
                )
            chosen = stream(self.seed, "Table", "data").permutation(len(x))[: self.n_validation]
            held[chosen] = True
            self._refuse_constant(x[~held], y[~held])
            if self.dataset is not None:
                x = x[:, np.ptp(x[~held], axis=0) > 0]
        parts = [(x[~held], y[~held]), (x[held], y[held])]
        first = parts[0]
        scaled = [
            (_standardized(x, first[0]), y if self.classes else _standardized(y, first[1]))
            for x, y in parts
        ]
        return scaled[0], scaled[1] if held.any() else None

    def _read(self) -> _Part:
        """All rows as they stand; classes as one column each."""
        if self.dataset is not None:
            return _load_bundled(self.dataset, self.rows)
        assert self.path is not None
        targets = [self.target] if isinstance(self.target, str) else list(self.target)
        columns = read_columns(
            _expanded(self.path),
            [*self.features, *targets],
            self.rows,
            labels=targets,
            categories=targets if self.classes else (),
        )
        x = np.column_stack([columns[name] for name in self.features])
        return x, np.column_stack([columns[name] for name in targets])

    def _refuse_constant(self, x: np.ndarray, y: np.ndarray) -> None:
        """Refuse what varies in the validation rows alone."""
        problems = []
        constant = int((np.ptp(x, axis=0) == 0).sum()) if self.dataset is None else 0
        if constant:
            what = f"{counted(constant, 'feature')} {'is' if constant == 1 else 'are'}"
            problems.append(f"{what} the same in all {len(x)} training rows")
        if (np.ptp(y, axis=0) == 0).any():
            what = "a class" if self.classes else "a target"
            problems.append(f"{what} is the same in all {len(x)} training rows")
        refuse(
            [f"{p} of {self}; choose another seed or fewer validation points" for p in problems],
            DataError,
        )

    def _problems(self) -> list[str]:
        problems = []
        least = 10 if isinstance(self.dataset, str) and self.dataset == "digits" else 2
        problems += int_problem("Table rows", self.rows, least, 2**31 - 1, optional=True)
        problems += int_problem("Table n_validation", self.n_validation, 0, 2**31 - 1)
        problems += int_problem("Table seed", self.seed, 0)
        switches = bool_problem("Table", "classes", self.classes)
        switches += bool_problem("Table", "one_hot", self.one_hot)
        problems += switches
        if not switches and self.one_hot and not self.classes:
            problems.append("Table one_hot is for classes; add classes=True or leave it out")
        if (self.path is None) == (self.dataset is None):
            both = "neither" if self.path is None else "both"
            problems.append(
                f"Table must be given a path or a dataset, got {both}; write "
                'Table("file.csv", features=["a"], target="b") or Table(dataset="diabetes")'
            )
            return problems
        if self.dataset is not None:
            problems += choice_problem("Table", "dataset", self.dataset, get_args(Bundled))
            if not switches and self.classes and self.dataset == "diabetes":
                problems.append('Table dataset "diabetes" has no classes; leave classes=True out')
            if any(
                given is not None and not _is_empty(given) for given in (self.features, self.target)
            ):
                problems.append("Table takes features and target with a path only; leave them out")
            return problems
        if not isinstance(self.path, str | os.PathLike):
            problems.append(f"Table path must be a text, got {shown(self.path)}")
        else:
            path = os.fspath(self.path)
            problems += text_problem("Table path", path, "'file.csv'", most=4096)
        return problems + self._column_problems()

    def _column_problems(self) -> list[str]:
        target = [self.target] if isinstance(self.target, str) else self.target
        problems = []
        for what, names in (("features", self.features), ("target", target)):
            if not isinstance(names, list | tuple) or not all(
                isinstance(name, str) for name in names
            ):
                problems.append(
                    f'Table {what} must be a list of names like ["a"], got {shown(names)}'
                )
            elif not names or not all(names):
                problems.append(f"Table {what} must name at least one column, got {shown(names)}")
            elif long := [p for name in names for p in text_problem(f"Table {what}", name, "'a'")]:
                problems += long
            elif len(set(names)) < len(names):
                problems.append(f"Table {what} must name a column once, got {shown(names)}")
            elif what == "target" and self.classes is True and len(names) > 1:
                problems.append(
                    f"Table target must be one column with classes=True, got {shown(names)}"
                )
        if not problems:
            both = [name for name in target if name in self.features]
            problems += [
                f"Table target {name!r} is among its features; leave it out" for name in both
            ]
        return problems


def _is_empty(given: object) -> bool:
    return isinstance(given, str | list | tuple) and not len(given)


def _load_bundled(dataset: Bundled, rows: int | None) -> tuple[np.ndarray, np.ndarray]:
    # Imported late: scikit-learn is slow to import and few studies need it.
    from sklearn.datasets import load_diabetes, load_digits

    load = load_diabetes if dataset == "diabetes" else load_digits
    x, y = (np.asarray(part) for part in load(return_X_y=True))
    if rows is not None and rows > len(x):
        raise DataError(f"Table rows is {rows}, but {dataset} has only {counted(len(x), 'row')}")
    x, y = x[:rows], y[:rows]
    if dataset == "diabetes":
        return x, y[:, None]
    return x[:, x.min(axis=0) < x.max(axis=0)], np.eye(10)[y]


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise DataError(f"there is no file {path}: {error}; write the whole path") from error


def _standardized(values: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Every column of (M, k) less the mean of that of (N, k), over its standard deviation."""
    # A large offset first, for the mean of such numbers is rounded by more than their spread.
    offset = [column.min() if has_large_offset(column) else 0.0 for column in of.T]
    values, of = values - offset, of - offset
    # Divided by the largest first, so that squares of huge numbers don't overflow.
    largest = np.abs(of).max(axis=0)
    values, of = values / largest, of / largest
    mean = of.mean(axis=0)
    return (values - mean) / (of - mean).std(axis=0)
