"""Tasks whose examples are tensors of any shape: images, graphs, several inputs at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property

from trainability.checks import MOST_NUMBERS, bool_problem, counted, int_problem
from trainability.domains import Points
from trainability.errors import DataError, refuse
from trainability.lazy import numpy as np
from trainability.seeds import stream
from trainability.tasks.base import Task
from trainability.tasks.classes import class_targets

_MOST_CLASSES = 1000
_Part = tuple["np.ndarray", "np.ndarray"]


class TensorTask(Task):
    """Examples that have one tensor for each input of a module; some may be held back.

    Fully connected networks see the numbers of all tensors in a row. The domain is the training
    examples: a neuron is dead if it is constant on them. To add one: subclass, fields `classes`,
    `one_hot`, `n_validation` and `seed`, and `examples`.
    """

    classes: bool
    one_hot: bool
    n_validation: int
    seed: int

    @abstractmethod
    def examples(self) -> tuple[Mapping[str, np.ndarray], np.ndarray]:
        """The inputs by name, each of shape (N, ...), and the targets, (N, ...): deterministic."""

    def standardized(self) -> Sequence[str]:
        """Names of inputs whose numbers get mean 0 and standard deviation 1, over all training
        examples and places together."""
        return ()

    @cached_property
    def domain(self) -> Points:  # type: ignore[override]
        return Points(self.data()[0])

    @property
    def n_train(self) -> int:  # type: ignore[override]
        return len(self.data()[0])

    @property
    def n_classes(self) -> int:  # type: ignore[override]
        return max(2, self.d_out) if self.classes else 0

    @property
    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        return self._parts[2]

    def build(self) -> _Part:
        return self._parts[0]

    def build_validation(self) -> _Part | None:
        return self._parts[1]

    def setting_problems(self) -> list[str]:
        """What is wrong with the settings that all such tasks have."""
        owner = type(self).__name__
        problems = int_problem(f"{owner} n_validation", self.n_validation, 0, 2**31 - 1)
        problems += int_problem(f"{owner} seed", self.seed, 0)
        switches = bool_problem(owner, "classes", self.classes)
        switches += bool_problem(owner, "one_hot", self.one_hot)
        if not switches and self.one_hot and not self.classes:
            switches.append(f"{owner} one_hot is for classes; add classes=True or leave it out")
        return problems + switches

    @cached_property
    def _parts(self) -> tuple[_Part, _Part | None, tuple[tuple[int, ...], ...]]:
        """Training and validation examples in rows, and the shapes of the inputs."""
        given, targets = self.examples()
        owner = type(self).__name__
        inputs = {name: np.asarray(values) for name, values in given.items()}
        refuse(_example_problems(owner, inputs, targets, self.classes), DataError)
        n = len(targets)
        if self.n_validation > n - 2:
            raise DataError(
                f"{owner} n_validation is {self.n_validation}, of "
                f"{counted(n, 'example')}; leave at least 2 for training"
            )
        y = self._class_targets(targets) if self.classes else targets.reshape(n, -1)
        order = stream(self.seed, owner, "data").permutation(n)
        held = np.zeros(n, dtype=bool)
        held[order[: self.n_validation]] = True
        columns = []
        for name, values in inputs.items():
            values = values.astype(np.float64)
            if name in self.standardized():
                spread = values[~held].std()
                if spread == 0:
                    raise DataError(f"{owner} {name} is the same everywhere; don't standardize it")
                values = (values - values[~held].mean()) / spread
            columns.append(values.reshape(n, -1))
        x = np.concatenate(columns, axis=1)
        shapes = tuple(values.shape[1:] or (1,) for values in inputs.values())
        return (x[~held], y[~held]), (x[held], y[held]) if held.any() else None, shapes

    def _class_targets(self, labels: np.ndarray) -> np.ndarray:
        owner = type(self).__name__
        if labels.size != len(labels):
            raise DataError(
                f"{owner} with classes=True wants one class for each example, got targets of shape "
                f"{labels.shape}"
            )
        names, classes = np.unique(labels.reshape(-1), return_inverse=True)
        if not 2 <= len(names) <= _MOST_CLASSES:
            raise DataError(
                f"{owner} targets must name 2 to {_MOST_CLASSES} classes, got {len(names)}"
            )
        return class_targets(classes, len(names), self.one_hot)


def _example_problems(
    owner: str, inputs: Mapping[str, np.ndarray], targets: np.ndarray, classes: bool
) -> list[str]:
    arrays = {**inputs, "targets": targets}
    problems = []
    for name, values in arrays.items():
        texts = classes and name == "targets" and _are_texts(values)
        if not values.ndim or (values.dtype.kind not in "fiub" and not texts):
            wanted = "numbers" + " or texts" * (classes and name == "targets")
            problems.append(
                f"{owner} {name} must be {wanted}, one entry for each example, got {values.dtype} "
                f"of shape {values.shape}"
            )
    if problems:
        return problems
    sizes = {name: len(values) for name, values in arrays.items()}
    if len(set(sizes.values())) > 1:
        shown = ", ".join(f"{n} of {name}" for name, n in sizes.items())
        problems.append(f"{owner} must have as many entries of each, got {shown}")
    elif len(targets) < 2:
        problems.append(f"{owner} must have at least 2 examples, got {len(targets)}")
    problems += [
        f"{owner} {name} must have at least one number for each example, got shape {values.shape}"
        for name, values in arrays.items()
        if len(values) and not values.size
    ]
    if sum(values.size for values in inputs.values()) > MOST_NUMBERS:
        problems.append(f"{owner} inputs must be at most {MOST_NUMBERS:,} numbers")
    problems += [
        f"{owner} {name} must be finite, got NaN or infinity; drop those examples"
        for name, values in arrays.items()
        if values.dtype.kind == "f" and not np.isfinite(values).all()
    ]
    return problems


def _are_texts(values: np.ndarray) -> bool:
    return values.dtype.kind in "US" or (
        values.dtype == object and all(isinstance(value, str) for value in values.flat)
    )
