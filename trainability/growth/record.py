"""What is written down of a study's growth: its last rule, and the points beside its grid."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trainability.growth.points import Point, in_place
from trainability.growth.rule import LOST, Growth
from trainability.seeds import BLOCK_SIZE

if TYPE_CHECKING:
    from trainability.storage import Storage
    from trainability.study import Cell, Study

_RECORD = "growth"
_LOST = "lost"
_MOST_BLOCKS = 2**31 // BLOCK_SIZE


def study_cells(study: Study, storage: Storage) -> dict[str, Cell]:
    """The cells of a study by id: its grid, and the points by which it was refined."""
    cells = {cell.id: cell for cell in study.cells()}
    for point in _stored(study.name, storage).points:
        # The grid may have changed since.
        if point.like in cells:
            cell = point.cell(cells)
            cells[cell.id] = cell
    return cells


def cells_in_place(study: Study, storage: Storage) -> dict[str, Cell]:
    """As `study_cells`, each point right behind the cell that it was put beside."""
    return in_place(study_cells(study, storage), _stored(study.name, storage).points)


def stored_growth(study: Study, storage: Storage) -> Growth | None:
    """The rule by which a study has last grown, None if it has not, `LOST` if it is damaged."""
    return _stored(study.name, storage).rule


def stopping_growth(study: Study, storage: Storage) -> Growth | None:
    """The rule by which intervals hold: the last one with a precision, if there was one.

    They hold whatever a rule without one has added since. `LOST` if a rule was damaged and none
    with a precision has taken its place.
    """
    return _stored(study.name, storage).stopping


def record_growth(name: str, storage: Storage, growth: Growth, points: Iterable[Point]) -> None:
    """Write down by which rule a study grows, and points beside those that others have added.

    Nothing is written of a rule by which nothing grows, unless one was lost: that stays known.

    Args:
        name: The study's name.
        storage: Where its rows are.
        growth: The rule.
        points: That it has added; those that are written down stay.
    """
    before = _stored(name, storage)
    storage.mend_record(name, _RECORD, _Grown.parse)
    if not growth.grows and before.stopping is not LOST:
        return
    others = _stored(name, storage)
    all_points = list(dict.fromkeys([*others.points, *points]))
    record: dict[str, Any] = {
        "rule": asdict(growth),
        "points": [asdict(point) for point in all_points],
    }
    stopping = others.stopping or before.stopping
    if growth.stopping is None and stopping is not None:
        if stopping is LOST:
            record["stopping"] = _LOST
        elif stopping.stopping is not None:
            record["stopping"] = asdict(stopping)
    storage.write_record(
        name,
        _RECORD,
        json.dumps(record, indent=2),
        keep=lambda text: not set(_points(text)) <= set(all_points),
    )


@dataclass(frozen=True)
class _Grown:
    """What a `growth.json` holds.

    Args:
        rule: By which the study grew last; None if it did not.
        points: Beside the grid, each after the one that it is like.
        stopping: The last rule with a precision, `LOST` if it can't be read any more; else `rule`.
    """

    rule: Growth | None = None
    points: list[Point] = field(default_factory=list)
    stopping: Growth | None = None

    @classmethod
    def parse(cls, record: Any) -> _Grown:
        """Of JSON data; raises where it says anything else."""
        rule = _rule(record["rule"])
        before = record.get("stopping")
        stopping = rule if before is None else LOST if before == _LOST else _rule(before)
        return cls(rule, [Point(**entry) for entry in record["points"]], stopping)


def _rule(record: Any) -> Growth:
    growth = Growth(**record)
    if not 1 <= operator.index(growth.n_blocks) <= _MOST_BLOCKS:
        raise ValueError(f"n_blocks is {growth.n_blocks}")
    return growth


def _stored(name: str, storage: Storage) -> _Grown:
    """What is stored of a study's growth, with the points that every user of its name has added."""
    lost = _Grown(rule=LOST, stopping=LOST)
    named = storage.read_record(name, _RECORD, _Grown.parse, lost) or _Grown()
    copies = [copy for _, copy in storage.record_copies(name, _RECORD, _Grown.parse)]
    points = [point for grown in [*reversed(copies), named] for point in grown.points]
    return replace(named, points=list(dict.fromkeys(points)))


def _points(text: bytes) -> list[Point]:
    try:
        return _Grown.parse(json.loads(text)).points
    except Exception:  # whatever a parser makes of garbage
        return []
