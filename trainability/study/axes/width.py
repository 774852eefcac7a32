"""How wide networks are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trainability.identity import Column
from trainability.study.axes.base import Axis
from trainability.study.widths import Width, plain_width, width_problems

if TYPE_CHECKING:
    from trainability.study.cell import Cell


class WidthAxis(Axis[Width]):
    """Neurons of every hidden layer, or of each of them: 8, or (8, 4)."""

    name, since, place = "width", 0, 3
    type, least = "int32", 1
    meaning = (
        "Neurons of each hidden layer; null where they differ, see widths, or a module has none."
    )
    nullable, nullable_since = True, 2
    keys_streams = True

    def problems(self, value: Any) -> list[str]:
        return width_problems(self.name, value)

    def examples(self) -> Sequence[Width]:
        return [4, 6]

    @property
    def written_examples(self) -> Sequence[str]:
        return ["4", "8", "(16, 4)"]

    def settled(self, value: Width) -> Width:
        return plain_width(value)

    def read(self, data: Any) -> Any:
        return tuple(data) if isinstance(data, list) else data  # JSON has no tuples

    @property
    def columns(self) -> tuple[Column, ...]:
        widths = Column(
            "widths", "string",
            "Neurons of every hidden layer as text, where they differ; else null.",
            nullable=True, same_for_cell=True, since=2,
        )  # fmt: skip
        return (*super().columns, widths)

    def row(self, cell: Cell) -> dict[str, Any]:
        width = cell.width
        return {
            "width": width if isinstance(width, int) else None,
            "widths": str(width) if isinstance(width, tuple) else None,
        }
