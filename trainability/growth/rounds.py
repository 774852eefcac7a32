"""Round by round: what a study that grows wants next, from what storage holds."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trainability.growth.points import Point, in_place, new_points
from trainability.growth.rule import LOST, Growth
from trainability.plan import missing_blocks
from trainability.seeds import BLOCK_SIZE
from trainability.study import Cell, Study

if TYPE_CHECKING:
    from trainability.storage import Storage

_RECORD = "growth"
_LOST = "lost"
_MOST_BLOCKS = 2**31 // BLOCK_SIZE


@dataclass(frozen=True)
class Round:
    """What to train next.

    Args:
        cells: The cells that want networks, by id.
        wanted: How many blocks each of them wants, those it has included.
        n_cells: Cells of the study by now.
    """

    cells: dict[str, Cell]
    wanted: dict[str, int]
    n_cells: int


def study_cells(study: Study, storage: Storage) -> dict[str, Cell]:
    """The cells of a study by id: its grid, and the points by which it was refined."""
    cells = {cell.id: cell for cell in study.cells()}
    for point in _stored(study, storage).points:
        # The grid may have changed since.
        if point.like in cells:
            cell = point.cell(cells)
            cells[cell.id] = cell
    return cells


def cells_in_place(study: Study, storage: Storage) -> dict[str, Cell]:
    """As `study_cells`, each point right behind the cell that it was put beside."""
    return in_place(study_cells(study, storage), _stored(study, storage).points)


def stored_growth(study: Study, storage: Storage) -> Growth | None:
    """The rule by which a study has last grown, None if it has not, `LOST` if it is damaged."""
    return _stored(study, storage).rule


def stopping_growth(study: Study, storage: Storage) -> Growth | None:
    """The rule by which intervals hold: the last one with a precision, if there was one.

    They hold whatever a rule without one has added since. `LOST` if a rule was damaged and none
    with a precision has taken its place.
    """
    return _stored(study, storage).stopping


def wanted_blocks(study: Study, storage: Storage, cells: Mapping[str, Cell]) -> dict[str, int]:
    """How many blocks each cell wants: the study's number, or more by the rule it last grew by."""
    growth = stored_growth(study, storage)
    if growth is None or growth.stopping is None:
        return dict.fromkeys(cells, study.n_blocks)
    successes = block_successes(study.name, storage, list(cells))
    return {
        cell: max(study.n_blocks, growth.looks(blocks)[-1]) for cell, blocks in successes.items()
    }


def next_round(study: Study, storage: Storage, growth: Growth) -> Round | None:
    """The first round for which storage lacks blocks; None if there is none. Writes nothing."""
    for part in rounds(study, storage, growth, keep=False):
        if any(missing_blocks(part.wanted, storage.block_files(study.name, part.cells)).values()):
            return part
    return None


def rounds(study: Study, storage: Storage, growth: Growth, *, keep: bool = True) -> Iterator[Round]:
    """What to train, round after round, until every interval is narrow and every boundary found.

    Each round is for the caller to train before the next one is asked for. What every decision
    rests on is the successes in the first blocks of each cell, and nothing else.

    Args:
        study: The study.
        storage: Where its rows are; gets `growth.json`, the rule and the points that were added.
        growth: The rule.
        keep: Whether the rule and the points are stored.
    """
    before = _stored(study, storage)
    storage.mend_record(study.name, _RECORD, _Grown.parse)
    points = before.points
    cells = study_cells(study, storage)
    if keep and (growth.grows or before.stopping is LOST):
        # That a rule was lost stays known, also to who reads the study later.
        _store(study, storage, growth, before)
    successes: dict[str, list[int]] = {}
    fresh = cells
    while fresh:
        # Without a look: the caller first makes sure that what is there is sound.
        yield Round(fresh, dict.fromkeys(fresh, growth.n_blocks), len(cells))
        if not growth.grows:
            return
        todo = list(fresh)
        while todo:
            successes |= block_successes(study.name, storage, todo)
            wanted = {cell: growth.looks(successes[cell])[-1] for cell in todo}
            todo = [cell for cell in todo if len(successes[cell]) < wanted[cell]]
            if todo:
                more = {cell: cells[cell] for cell in todo}
                yield Round(more, {cell: wanted[cell] for cell in todo}, len(cells))
        fresh = {}
        if growth.refine is not None:
            rates = {cell: _rate(growth, blocks) for cell, blocks in successes.items()}
            new = new_points(cells, rates, growth.refine)
            fresh = {cell.id: cell for cell in (point.cell(cells) for point in new)}
            cells |= fresh
            points += new
            if keep:
                _store(study, storage, growth, replace(before, points=points))


def _rate(growth: Growth, successes: list[int]) -> float:
    """Success rate in the blocks at which the rule stopped; later ones may be there by chance."""
    n = growth.looks(successes)[-1]
    return sum(successes[:n]) / (n * BLOCK_SIZE)


def block_successes(name: str, storage: Storage, cells: list[str]) -> dict[str, list[int]]:
    """Successes in every block of some cells, from block 0 up to the first that is missing."""
    if not cells:
        return {}
    rows = storage.read_rows(name, cells, ["cell", "replicate", "success"])
    successes: dict[str, list[int]] = {cell: [] for cell in cells}
    for cell, part in rows.groupby("cell", sort=False):
        successes[str(cell)] = successes_by_block(
            part["replicate"].to_numpy(), part["success"].to_numpy(dtype=bool)
        )
    return successes


def successes_by_block(replicate: np.ndarray, success: np.ndarray) -> list[int]:
    """Successes in every block of one cell, from block 0 up to the first that is not whole."""
    block = replicate // BLOCK_SIZE
    n = np.bincount(block)
    whole = int(np.argmin(np.append(n == BLOCK_SIZE, False)))
    return np.bincount(block[success], minlength=len(n))[:whole].tolist()


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


def _stored(study: Study, storage: Storage) -> _Grown:
    """What is stored of a study's growth, with the points that every user of its name has added."""
    lost = _Grown(rule=LOST, stopping=LOST)
    named = storage.read_record(study.name, _RECORD, _Grown.parse, lost) or _Grown()
    copies = [copy for _, copy in storage.record_copies(study.name, _RECORD, _Grown.parse)]
    points = [point for grown in [*reversed(copies), named] for point in grown.points]
    return replace(named, points=list(dict.fromkeys(points)))


def _store(study: Study, storage: Storage, growth: Growth, mine: _Grown) -> None:
    """Write down a rule and points beside those that others have added meanwhile."""
    others = _stored(study, storage)
    points = list(dict.fromkeys([*others.points, *mine.points]))
    record: dict[str, Any] = {"rule": asdict(growth), "points": [asdict(point) for point in points]}
    before = others.stopping or mine.stopping
    if growth.stopping is None and before is not None:
        if before is LOST:
            record["stopping"] = _LOST
        elif before.stopping is not None:
            record["stopping"] = asdict(before)
    storage.write_record(
        study.name,
        _RECORD,
        json.dumps(record, indent=2),
        keep=lambda text: not set(_points(text)) <= set(points),
    )


def _points(text: bytes) -> list[Point]:
    try:
        return _Grown.parse(json.loads(text)).points
    except Exception:  # whatever a parser makes of garbage
        return []
