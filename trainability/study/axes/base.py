"""What an axis is: all that the house knows of one thing that may vary from cell to cell."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from trainability.checks import is_number, plain, shown, strategy_problems
from trainability.errors import StudyError
from trainability.identity import Column

if TYPE_CHECKING:
    from trainability.activations import Activation
    from trainability.losses import Loss
    from trainability.optimizers import Optimizer
    from trainability.penalties import Penalty
    from trainability.schemes.base import Scheme
    from trainability.study.axes.typed import Axes, Given
    from trainability.study.cell import Cell
    from trainability.tasks.base import Task

Value = TypeVar("Value")
_PACKAGE = __name__.rpartition(".")[0]


class Axis(ABC, Generic[Value]):
    """What may vary from cell to cell of a study, or be fixed for all of them.

    To add one: a file in this folder with a subclass that says what follows, and nothing else. By
    its name, `Study`, `Cell` and `Tuning` take it and have it as a field, `study.json` and the rows
    hold it, tables, reports, MLflow and tunings list it. At its default it is in no id, so that
    what was stored before stays what it is. Its values are what JSON can hold: numbers, texts or
    truth values, or activations, schemes and the like, which the catalogs find.

    What it does, it does by `change_...`: each gets a part of the cell as it is declared, or as an
    axis before has changed it, and returns what the networks are drawn or trained with instead: a
    new object of its kind, of a private class (`_Clipped`), which no `study.json` can name, whose
    text is that of what it changes. `tasks.changed.ChangedTask` is what such a task is made from.
    It follows from the part and the value alone: a study with another seed, or a tuning's fresh
    one, is of the same thing. What is drawn for it comes from `seeds.stream`, keyed by what it
    changes.
    """

    name: ClassVar[str]
    """As studies write it, and its column."""

    meaning: ClassVar[str]
    """What its column says, in a sentence."""

    type: ClassVar[str] = "string"
    """Arrow's name of the type of its column."""

    since: ClassVar[int]
    """The version of stored files that first has it: one more than `columns.VERSION` was without
    it. 0 for those of the first release."""

    place: ClassVar[int] = 0
    """Among the axes of one version, the place in the order of the cells; of equals, by name."""

    default: ClassVar[Any] = None
    """Where a study says nothing of it: what all did that was stored before."""

    least: ClassVar[float | None] = None
    """The least number that the column may hold."""

    nullable: ClassVar[bool] = False
    """Whether a value of the column may be missing."""

    nullable_since: ClassVar[int] = 0
    """The version since which it may; 0 for as long as there is the column."""

    is_strategy: ClassVar[bool] = False
    """Whether values are written as one makes them, such as He(bias_std=0.1)."""

    is_compared: ClassVar[bool] = False
    """Whether reports test its values against each other, pair by pair."""

    keys_streams: ClassVar[bool] = False
    """Whether its value keys the random streams. Cells that differ only in axes that don't draw the
    same random numbers, and are compared pair by pair."""

    not_tuned: ClassVar[str] = ""
    """Why a tuning can't vary it, as in "it is what is learned"; empty if it can."""

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if not cls.__module__.startswith(f"{_PACKAGE}."):
            raise StudyError(
                f"{cls.__name__} is an axis, which a study file can't declare: its column is part "
                f"of every file of results. Put it into a file of {_PACKAGE}, or make what it "
                "varies a setting of a task, scheme or optimizer of yours"
            )

    @abstractmethod
    def problems(self, value: Any) -> list[str]:
        """What is wrong with a value, whatever it is; each message begins with the name."""

    @abstractmethod
    def examples(self) -> Sequence[Value]:
        """Values beside the default, two or more unless there is but one, which tests use."""

    @property
    def written_examples(self) -> Sequence[str]:
        """Values as one would write them in a study, for lists of axes."""
        return [str(value) for value in self.examples()]

    @property
    def label(self) -> str:
        """As people write it."""
        return self.name.replace("_", " ")

    def settled(self, value: Value) -> Value:
        """A value that is not wrong in its canonical form: one number, one way.

        1 and 1.0 are two texts, and so two ids, but one number of a column of floats.
        """
        value = plain(value)
        is_float = self.type.startswith("float") and is_number(value)
        return cast("Value", float(cast("float", value)) + 0.0) if is_float else value

    def read(self, data: Any) -> Any:
        """A value from JSON data, strategies in it being made; where JSON has fewer kinds.

        What is a value already is returned as it is.
        """
        return data

    def written(self, value: Value) -> Any:
        """A value as its column holds it."""
        return str(value) if self.is_strategy else value

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its column, and those of numbers that follow from it."""
        return (
            Column(
                self.name,
                self.type,
                self.meaning,
                self.least,
                nullable=self.nullable,
                nullable_since=self.nullable_since,
                same_for_cell=True,
                since=self.since,
                default=self.written(self.default) if self.since else None,
            ),
        )

    def row(self, cell: Cell) -> dict[str, Any]:
        """What its columns hold of a cell."""
        return {self.name: self.written(cell.declared(self.name))}

    def change_task(self, task: Task, value: Value) -> Task:
        """The task that networks are trained on.

        Args:
            task: The task.
            value: Of the axis, not the default.
        """
        return task

    def change_scheme(self, scheme: Scheme, value: Value) -> Scheme:
        """The scheme that they are drawn by; arguments as of `change_task`."""
        return scheme

    def change_activation(self, activation: Activation, value: Value) -> Activation:
        """The activation of their hidden neurons."""
        return activation

    def change_loss(self, loss: Loss, value: Value) -> Loss:
        """The loss that is minimized, and that the tolerance is compared with."""
        return loss

    def change_penalty(self, penalty: Penalty | None, value: Value) -> Penalty | None:
        """What is descended beside the loss; None, for nothing, only where it was None."""
        return penalty

    def change_optimizer(self, optimizer: Optimizer, value: Value) -> Optimizer:
        """The update rule."""
        return optimizer

    @classmethod
    def over(cls, *values: Value) -> Axes:
        """Values of this axis as part of a study's axes, for who has types checked.

        A checker can't know of a file in a folder; of this class it can, imported from its file.
        `axes={"width": [2, 4], **LabelNoise.over(0.0, 0.1)}` is `axes={"width": [2, 4],
        "label_noise": [0.0, 0.1]}`.
        """
        return cast("Axes", {cls.name: list(values)})

    @classmethod
    def fixed(cls, value: Value) -> Given:
        """A value of this axis for all cells, likewise: `Study(**LabelNoise.fixed(0.1), ...)`."""
        return cast("Given", {cls.name: value})


class StrategyAxis(Axis[Value]):
    """An axis of strategies: tasks, schemes and the like, written as one makes them."""

    is_strategy = True
    is_compared = True
    wanted: ClassVar[str]
    """What a value must be, for messages."""
    kind: ClassVar[Any]
    """The class of its values."""

    def problems(self, value: Any) -> list[str]:
        if value is None and self.since and self.default is None:
            return []
        if not isinstance(value, self.kind):
            return [f"{self.name} must be {self.wanted}, got {shown(value)}"]
        return strategy_problems(self.name, value)
