"""What is learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trainability.identity import Column
from trainability.study.axes.base import StrategyAxis
from trainability.tasks.base import Task

if TYPE_CHECKING:
    from trainability.study.cell import Cell


class TaskAxis(StrategyAxis[Task]):
    """What is learned: a domain, and training points on it."""

    name, since, place = "task", 0, 1
    meaning = "The task, as one writes it."
    wanted, kind = "a task, such as AbsoluteValue()", Task
    is_compared = False
    keys_streams = True
    not_tuned = "it is what is learned"

    def examples(self) -> Sequence[Task]:
        from trainability.tasks import AbsoluteValue

        return [AbsoluteValue(n_train=16), AbsoluteValue(n_train=20)]

    @property
    def written_examples(self) -> Sequence[str]:
        return ["AbsoluteValue(n_train=100)", "TwoMoons(n_train=200)"]

    @property
    def columns(self) -> tuple[Column, ...]:
        def count(name: str, meaning: str, least: int, since: int = 0) -> Column:
            default = 0 if since else None
            return Column(name, "int32", meaning, least, same_for_cell=True, since=since,
                          default=default)  # fmt: skip

        return (
            *super().columns,
            count("d_in", "Inputs.", 1),
            count("d_out", "Outputs.", 1),
            count("n_train", "Training points.", 1),
            count("n_classes", "Classes; 0 where targets are numbers.", 0, since=2),
            count("n_validation", "Points that are held back; 0 for none.", 0, since=2),
        )

    def row(self, cell: Cell) -> dict[str, Any]:
        task = cell.task  # whose numbers are those that networks are trained with
        return super().row(cell) | {
            "d_in": task.d_in,
            "d_out": task.d_out,
            "n_train": task.n_train,
            "n_classes": task.n_classes,
            "n_validation": task.n_validation_points,
        }
