"""A study: a question with its axes, fixed values and seed."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypedDict

from trainability.activations import RELU, Activation
from trainability.errors import InputError, StudyError, refuse
from trainability.identity import left_out, younger
from trainability.losses import MEAN_SQUARED_ERROR, Loss
from trainability.optimizers import Optimizer
from trainability.penalties import Penalty
from trainability.schemes.base import Scheme
from trainability.seeds import BLOCK_SIZE
from trainability.study.cell import Cell
from trainability.study.published import Published
from trainability.study.records import did_you_mean, from_record, to_record
from trainability.tasks.base import Task


class Axes(TypedDict, total=False):
    """The values that vary; the grid is their product."""

    task: Sequence[Task]
    scheme: Sequence[Scheme]
    width: Sequence[int]
    depth: Sequence[int]
    optimizer: Sequence[Optimizer]
    batch_size: Sequence[int | None]
    max_steps: Sequence[int]
    tolerance: Sequence[float]
    activation: Sequence[Activation]
    loss: Sequence[Loss]
    penalty: Sequence[Penalty | None]


AXES = tuple(Axes.__annotations__)


@dataclass(frozen=True, kw_only=True)
class Study:
    """What is asked, over which grid, with how many networks per cell.

    Every value that `axes` does not vary is fixed by the field of the same name.

    Args:
        name: Lower-case letters, digits, `_` and `-`; names the folder on storage.
        question: The question, in a sentence; it heads the report.
        axes: For each axis its values, e.g. `{"width": [2, 4, 8]}`.
        task: What is learned.
        scheme: How the networks are initialized.
        width: Neurons of every hidden layer.
        depth: L, the number of affine layers: 2 is a shallow network.
        optimizer: The update rule.
        batch_size: Points per minibatch; None for the full batch.
        max_steps: The budget of a network, in updates.
        tolerance: Training loss at which a network has succeeded. Must lie below what fewer
            active neurons than the task needs can reach.
        replicates: Networks per cell, rounded up to whole blocks of 256.
        seed: Of everything random.
        published: Numbers of others that the report puts beside ours; they change none of ours.
        activation: Of the hidden neurons.
        loss: What is minimized, and what the tolerance is compared with.
        penalty: What is descended beside the loss; None for nothing.

    Raises:
        StudyError: Lists every problem at once.
    """

    name: str
    question: str
    axes: Axes
    max_steps: int
    tolerance: float | None = None
    task: Task | None = None
    scheme: Scheme | None = None
    width: int | None = None
    depth: int | None = 2
    optimizer: Optimizer | None = None
    batch_size: int | None = None
    replicates: int = 1024
    seed: int = 0
    published: Sequence[Published] = ()
    activation: Activation = younger(RELU, since=1)
    loss: Loss = younger(MEAN_SQUARED_ERROR, since=1)
    penalty: Penalty | None = younger(None, since=1)

    def __post_init__(self) -> None:
        refuse(self._problems(), StudyError)
        object.__setattr__(self, "published", tuple(self.published))

    def cells(self) -> list[Cell]:
        """The points of the grid, in the order of the axes."""
        return list(self._cells())

    @property
    def n_blocks(self) -> int:
        """Blocks per cell: `replicates` rounded up."""
        return math.ceil(self.replicates / BLOCK_SIZE)

    def to_json(self) -> str:
        """The study as JSON text; `from_json` is the inverse."""
        names = [field.name for field in fields(self) if field.name not in left_out(self)]
        record = {name: to_record(getattr(self, name)) for name in names}
        return json.dumps({"study": 1, **record}, indent=2) + "\n"

    @staticmethod
    def from_json(text: str) -> Study:
        """Read a study that `to_json` wrote.

        Raises:
            StudyError: If the text is not such a study.
        """
        try:
            record = json.loads(text)
        except json.JSONDecodeError as error:
            raise StudyError(f"not valid JSON ({error}); wanted a study.json") from error
        if not isinstance(record, dict) or record.pop("study", None) != 1:
            raise StudyError('not a study: wanted a JSON object with "study": 1, as study.json has')
        known = {field.name for field in fields(Study)}
        refuse(
            [f"unknown field {key!r}{did_you_mean(key, known)}" for key in record.keys() - known],
            StudyError,
        )
        try:
            return Study(**{key: from_record(entry) for key, entry in record.items()})
        except TypeError as error:
            raise StudyError(f"not a whole study: {error}") from error

    def _cells(self) -> Iterator[Cell]:
        fixed: dict[str, Any] = {name: getattr(self, name) for name in AXES} | {"seed": self.seed}
        names = [name for name in AXES if name in self.axes]
        for values in itertools.product(*(self.axes[name] for name in names)):
            yield Cell(**(fixed | dict(zip(names, values, strict=True))))

    def _problems(self) -> list[str]:
        problems = []
        if not isinstance(self.name, str) or not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", self.name):
            problems.append(
                f"name must be lower-case letters, digits, _ and -, got {self.name!r}: it names "
                "the folder on storage"
            )
        if not isinstance(self.question, str) or not self.question.strip():
            problems.append(f"question must be a sentence, got {self.question!r}")
        for name, least in (("replicates", 1), ("seed", 0)):
            if not _is_int(getattr(self, name), least):
                problems.append(f"{name} must be an int >= {least}, got {getattr(self, name)!r}")
        if not isinstance(self.published, list | tuple) or not all(
            isinstance(entry, Published) for entry in self.published
        ):
            problems.append(f"published must be a list of Published(...), got {self.published!r}")
        return problems + self._value_problems()

    def _value_problems(self) -> list[str]:
        if not isinstance(self.axes, Mapping):
            return [f'axes must map names to lists, such as {{"width": [2, 4]}}, got {self.axes!r}']
        problems = [
            f"unknown axis {name!r}; wanted some of {', '.join(AXES)}{did_you_mean(name, AXES)}"
            for name in self.axes
            if name not in AXES
        ]
        for name in AXES:
            if name not in self.axes:
                values = [getattr(self, name)]
            elif isinstance(self.axes[name], list | tuple | range) and len(self.axes[name]):
                values = list(self.axes[name])
                if len({repr(value) for value in values}) < len(values):
                    problems.append(f"axis {name} holds a value twice: {values}")
            else:
                got = self.axes[name]
                problems.append(
                    f"axis {name} must be a list of at least one value, got {got!r}; "
                    f'did you mean "{name}": [{got!r}]?'
                )
                continue
            problems += [
                f"{name} must be {_WANTED[name][0]}, got {value!r}"
                for value in values
                if not _WANTED[name][1](value)
            ]
        return problems or self._joint_problems()

    def _joint_problems(self) -> list[str]:
        """What is wrong with values that are fine each on its own."""
        problems = []
        groups: dict[tuple[Any, ...], list[Cell]] = {}
        for cell in self._cells():
            rules = (id(cell.task), cell.activation, cell.loss, cell.n_hidden == 1)
            groups.setdefault(rules, []).append(cell)
        for cells in groups.values():
            first = cells[0]
            task, loss = first.task, first.loss
            try:
                wrong = loss.target_problem(task.data()[1])
                best = first.best_loss_below_need
            except InputError as error:
                problems.append(f"{task}: {error}")
                continue
            if wrong:
                problems.append(f"{loss} does not fit {task}: {wrong}")
                continue
            for tolerance in sorted({cell.tolerance for cell in cells}):
                if tolerance >= best:
                    problems.append(
                        f"tolerance {tolerance:g} is not below {best:.4g}, the loss that fewer "
                        f"than {first.proven_need} active neurons can reach on {task}: an "
                        "untrainable network could succeed. Choose a smaller tolerance or more "
                        "training points"
                    )
            for size in sorted({cell.batch_size for cell in cells if cell.batch_size}):
                if size > task.n_train:
                    problems.append(
                        f"batch_size {size} exceeds the {task.n_train} training points of {task}; "
                        "use None for the full batch"
                    )
        return list(dict.fromkeys(problems))


def _is_int(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_positive(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and value > 0


_WANTED: dict[str, tuple[str, Any]] = {
    "task": ("a task, such as AbsoluteValue()", lambda v: isinstance(v, Task)),
    "scheme": ("a scheme, such as He()", lambda v: isinstance(v, Scheme)),
    "width": ("an int >= 1", lambda v: _is_int(v, 1)),
    "depth": ("an int >= 2, the number of affine layers", lambda v: _is_int(v, 2)),
    "optimizer": (
        "an optimizer, such as Adam(learning_rate=5e-3)",
        lambda v: isinstance(v, Optimizer),
    ),
    "activation": ("an activation, such as ReLU()", lambda v: isinstance(v, Activation)),
    "loss": ("a loss, such as MeanSquaredError()", lambda v: isinstance(v, Loss)),
    "penalty": (
        "None or a penalty, such as L2(coefficient=1e-4)",
        lambda v: v is None or isinstance(v, Penalty),
    ),
    "batch_size": ("None or an int >= 1", lambda v: v is None or _is_int(v, 1)),
    "max_steps": ("an int >= 1", lambda v: _is_int(v, 1)),
    "tolerance": ("a finite number > 0", _is_positive),
}
