"""Examples that a study file has in its hands: a torch Dataset, or tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainability.checks import reason, settle_fields, shown, text_problem
from trainability.errors import DataError, InputError, refuse
from trainability.lazy import numpy as np
from trainability.tasks.tensors import TensorTask

_SOURCES: dict[str, Any] = {}


@dataclass(frozen=True)
class Examples(TensorTask):
    """A `torch.utils.data.Dataset` with a length, or a tuple of tensors (inputs..., targets).

    An entry of a dataset is (input, target), (input, ..., target) or ((input, ...), target); all
    are read once, and kept. A module gets the inputs in order, as batches of their shapes, as
    float32. For graphs: `Examples("molecules", (features, adjacency, charges))`.

    JSON can't hold data: a study.json refers to them by their name, so load the study file first.
    Cells are told apart by the bytes of the data.

    Args:
        name: Of the data, unique in a study file.
        source: The dataset or the tensors.
        classes: Whether targets are classes: whole numbers, truth values or texts, one for each
            example, in sorted order. Two make one output of 0 and 1, more make one each.
        one_hot: Whether two classes get an output each, too.
        n_validation: How many of the examples are held back, chosen at random, >= 0.
        seed: Of that choice.
    """

    name: str
    source: Any
    classes: bool = False
    one_hot: bool = False
    n_validation: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        problems = text_problem("Examples name", self.name, "'molecules'", most=200)
        source = self.source
        is_tuple = isinstance(source, tuple) and len(source) >= 2
        is_dataset = hasattr(source, "__len__") and hasattr(source, "__getitem__")
        if not (is_tuple or is_dataset or isinstance(source, _Tensors)):
            problems.append(
                f"Examples source must be a Dataset with a length, or a tuple (inputs, targets), "
                f"got {shown(type(source).__name__)}"
            )
        refuse(problems + self.setting_problems())
        if not isinstance(source, _Tensors):
            # As arrays, which compare, travel and stay as they are whatever a dataset does next.
            entries = source if is_tuple else _stacked(self.name, source)
            object.__setattr__(self, "source", _Tensors([_array(entry) for entry in entries]))
        _SOURCES[self.name] = self.source
        settle_fields(self)

    @classmethod
    def registered(cls, name: str, **settings: Any) -> Examples:
        """The data of this name that a loaded study file made, with these settings.

        Raises:
            InputError: If no study file that made one of this name was loaded.
        """
        if not isinstance(name, str) or name not in _SOURCES:
            raise InputError(
                f"no examples {shown(name)} (there are: {', '.join(sorted(_SOURCES)) or 'none'}); "
                f"JSON can't hold data, so give the study file that makes Examples({shown(name)}, "
                "...) instead of its study.json"
            )
        return cls(name, _SOURCES[name], **settings)

    def examples(self) -> tuple[Mapping[str, np.ndarray], np.ndarray]:
        *inputs, targets = self.source.arrays
        return {f"input {k}": values for k, values in enumerate(inputs, 1)}, targets


class _Tensors:
    """Arrays as one setting: compared by their bytes, and left out where a task is written."""

    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        self.arrays = list(arrays)

    def __call__(self) -> list[np.ndarray]:
        return self.arrays

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Tensors)
            and len(self.arrays) == len(other.arrays)
            and all(map(np.array_equal, self.arrays, other.arrays))
        )

    def __hash__(self) -> int:
        return hash(tuple(array.tobytes() for array in self.arrays))


def _stacked(name: str, dataset: Any) -> tuple[np.ndarray, ...]:
    """The entries of a dataset, stacked."""
    columns: list[list[np.ndarray]] = []
    for index in range(len(dataset)):
        try:
            entry = dataset[index]
        except Exception as error:
            raise DataError(f"Examples {name!r}: entry {index} fails: {reason(error)}") from error
        if not isinstance(entry, tuple | list) or len(entry) < 2:
            raise DataError(
                f"Examples {name!r}: entry {index} must be (input, target), got {shown(entry)}"
            )
        *inputs, target = entry
        if len(inputs) == 1 and isinstance(inputs[0], tuple | list):
            inputs = list(inputs[0])
        columns = columns or [[] for _ in (*inputs, target)]
        values = [_array(value) for value in (*inputs, target)]
        shapes = [column[0].shape for column in columns if column]
        if len(values) != len(columns) or (shapes and shapes != [v.shape for v in values]):
            raise DataError(
                f"Examples {name!r}: entry {index} has tensors of other shapes than entry 0: "
                f"{', '.join(str(v.shape) for v in values)}"
            )
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    if not columns:
        raise DataError(f"Examples {name!r} is empty")
    return tuple(np.stack(column) for column in columns)


def _array(values: Any) -> np.ndarray:
    if hasattr(values, "detach"):  # a tensor of torch, which declaring a study doesn't load
        values = values.detach().cpu().numpy()
    return np.asarray(values)
