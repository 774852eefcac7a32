"""Numbers that others have published, to stand beside a study's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from trainability.checks import (
    choice_problem,
    int_problem,
    is_number,
    plain,
    shown,
    strategy_problems,
    text_problem,
)
from trainability.errors import StudyError, refuse
from trainability.identity import younger
from trainability.schemes.base import Scheme
from trainability.study.axes import AXIS
from trainability.study.changes import declared
from trainability.study.quantities import ALIASES, QUANTITIES
from trainability.study.widths import Width, one_width, width_problems
from trainability.tasks.base import Task

if TYPE_CHECKING:
    from trainability.study.cell import Cell

Relation = Literal["=", ">=", "<="]
RELATIONS = ("=", ">=", "<=")


@dataclass(frozen=True, kw_only=True)
class Published:
    """A published number. It changes no number of a study.

    It stands beside the cells that `where` names, and beside no others; over the numbers of the
    grid that `where` leaves out, such as widths, ours is the mean. Of strategies nothing is left
    out: a study of several tasks, schemes or the like must say which it is about.

    Args:
        source: Where it stands: paper, table or figure.
        quantity: Of what it is, a name in `quantities.QUANTITIES`.
        value: The number; of shares within [0, 1].
        error: Its standard error, None where it was not told.
        n: Networks behind it, None where it was not told.
        where: For axes, whether they vary or not, the value that it is of.
        relation: Whether the truth is said to be this number, at least it, or at most.
        differs: How their setting differs from the study's, in words; empty if it does not.
        scheme, values, task, depth: In place of `value` and `where`, as the first releases had
            it: rates of a scheme over width, in pairs of a width and the rate there.

    Raises:
        StudyError: Lists every problem at once.

    Example: `Published(source="Table 1", quantity="collapsed", value=0.919, n=1000,
    where={"scheme": He(), "width": 2})`
    """

    source: str
    quantity: str
    scheme: Scheme | None = None
    values: tuple[tuple[Width, float], ...] = ()
    n: int | None = None
    differs: str = ""
    task: Task | None = None
    depth: int | None = None
    value: float | None = younger(None, since=3)
    error: float | None = younger(None, since=3)
    where: Mapping[str, Any] | None = younger(None, since=3)
    relation: Relation = younger("=", since=3)

    def __post_init__(self) -> None:
        refuse(self._problems(), StudyError)
        pairs = tuple((one_width(width), float(rate)) for width, rate in self.values)
        object.__setattr__(self, "values", pairs)
        if self.where is not None:
            where = {name: _plain(name, entry) for name, entry in self.where.items()}
            object.__setattr__(self, "where", where)

    @property
    def about(self) -> str:
        """The name of its quantity in `QUANTITIES`."""
        return ALIASES.get(self.quantity, self.quantity)

    @property
    def is_of_every_cell(self) -> bool:
        """Whether it stands beside each of several cells, not beside their mean."""
        return bool(self.values)

    def numbers(self) -> list[tuple[dict[str, Any], float]]:
        """The numbers, each with the values of the axes that it is of."""
        if self.value is not None:
            return [(dict(self.where or {}), float(self.value))]
        shared = {"scheme": self.scheme, "task": self.task, "depth": self.depth}
        where = {name: value for name, value in shared.items() if value is not None}
        return [({**where, "width": width}, value) for width, value in self.values]

    def _problems(self) -> list[str]:
        problems = text_problem("source", self.source, "'Table 2 of the paper'", most=2000)
        problems += choice_problem("Published", "quantity", self.quantity, [*QUANTITIES, *ALIASES])
        problems += choice_problem("Published", "relation", self.relation, RELATIONS)
        if self.task is not None and not isinstance(self.task, Task):
            problems.append(f"task must be None or a task, got {shown(self.task)}")
        problems += int_problem("n", self.n, 1, optional=True)
        problems += int_problem("depth", self.depth, 2, optional=True)
        if not isinstance(self.differs, str):
            problems.append(f"differs must be a text, got {shown(self.differs)}")
        if self.error is not None and not (is_number(self.error) and self.error > 0):
            problems.append(f"error must be None or a number > 0, got {shown(self.error)}")
        if self.value is None and self.where is None:
            return problems + self._older_problems()
        older = {"scheme": self.scheme, "task": self.task, "depth": self.depth}
        given = [name for name, entry in older.items() if entry is not None]
        if given or self.values != ():
            given += ["values"] if self.values != () else []
            problems.append(f"{', '.join(given)} can't stand beside value and where; say it there")
            object.__setattr__(self, "values", ())
        return problems + self._value_problems() + self._where_problems()

    def _value_problems(self) -> list[str]:
        if not is_number(self.value):
            return [f"value must be a finite number, got {shown(self.value)}"]
        quantity = QUANTITIES.get(ALIASES.get(str(self.quantity), str(self.quantity)))
        assert self.value is not None
        if quantity and quantity.is_share and not 0 <= self.value <= 1:
            return [f"value of {quantity.name} must be a share in [0, 1], got {shown(self.value)}"]
        return []

    def _where_problems(self) -> list[str]:
        if self.where is None:
            return []
        if not isinstance(self.where, Mapping) or not all(isinstance(k, str) for k in self.where):
            return [
                'where must map axes to values, such as {"width": 2, "scheme": He()}, got '
                f"{shown(self.where)}"
            ]
        if "width" not in self.where:
            return []
        return width_problems("where width", _read("width", self.where["width"]))

    def _older_problems(self) -> list[str]:
        problems = []
        if isinstance(self.scheme, Scheme):
            problems += strategy_problems("scheme", self.scheme)
        else:
            problems.append(f"scheme must be a scheme, such as He(), got {shown(self.scheme)}")
        if not isinstance(self.values, list | tuple) or not self.values:
            problems.append(f"values must be a list of pairs, got {shown(self.values)}; {_EXAMPLE}")
        else:
            problems += [problem for pair in self.values for problem in _pair_problems(pair)]
        return problems


_EXAMPLE = "for example values=[(2, 0.355), (3, 0.642)]"


def cells_of(where: Mapping[str, Any], cells: Iterable[Cell]) -> list[Cell]:
    """The cells that have all these values, in order."""
    return [
        cell
        for cell in cells
        if all(_is(declared(getattr(cell, name, None)), value) for name, value in where.items())
    ]


def published_problems(
    entries: Sequence[Published], cells: Sequence[Cell], axes: Sequence[str], strategies: set[str]
) -> list[str]:
    """What is wrong with published numbers in a study.

    Args:
        entries: The numbers.
        cells: All points of the study's grid.
        axes: The names of all axes that there are.
        strategies: Of them those whose values no mean is taken over.
    """
    values = {name: _distinct([cell.declared(name) for cell in cells]) for name in axes}
    several = [name for name in axes if len(values[name]) > 1]
    problems = []
    for entry in entries:
        of = f"published of {shown(entry.source)}"
        if entry.value is None:  # the older form, which may be about other cells too
            problems += [
                _must_say(of, name, f"{name}=...")
                for name in several
                if name in ("task", "depth") and getattr(entry, name) is None
            ]
            continue
        where = entry.where or {}
        wrong = [
            f"{of}: where names no axis {shown(name)}; wanted some of {', '.join(axes)}"
            for name in where
            if name not in axes
        ]
        wrong += [
            f"{of}: no cell has {name} {shown(where[name])}; they have "
            f"{', '.join(str(value) for value in values[name][:_MOST_VALUES])}"
            + (f" and {len(values[name]) - _MOST_VALUES} more" * (len(values[name]) > _MOST_VALUES))
            for name in where
            if name in values and not any(_is(value, where[name]) for value in values[name])
        ]
        if not wrong and not cells_of(where, cells):
            wrong = [f"{of}: no cell has all of {', '.join(where)} as where says"]
        problems += wrong + [
            _must_say(of, name, f'where={{"{name}": ...}}')
            for name in several
            if name in strategies and name not in where
        ]
    return problems


_MOST_VALUES = 6


def _must_say(of: str, name: str, how: str) -> str:
    return f"{of} must say its {name}, for the study has several: write Published({how}, ...)"


def _distinct(values: Iterable[Any]) -> list[Any]:
    distinct: list[Any] = []
    written: set[str] = set()
    for value in values:
        if (text := f"{type(value).__name__} {value}") not in written:
            written.add(text)
            distinct.append(value)
    return distinct


def _is(own: Any, wanted: Any) -> bool:
    """Whether a value of a cell is the one that is wanted, whatever that may be."""
    if is_number(own) and is_number(wanted):
        return float(own) == float(wanted)
    return type(own) is type(wanted) and own == wanted


def _read(name: str, value: Any) -> Any:
    """A value of `where`, as JSON writes it too."""
    return AXIS[name].read(value) if name in AXIS else value


def _plain(name: str, value: Any) -> Any:
    value = _read(name, value)
    return one_width(value) if name == "width" else plain(value)  # as cells have it


def _pair_problems(pair: Any) -> list[str]:
    ok = (
        isinstance(pair, list | tuple)
        and len(pair) == 2
        and not width_problems("width", pair[0])
        and is_number(pair[1])
        and 0 <= pair[1] <= 1
    )
    wanted = "values must be pairs of a width and a rate in [0, 1]"
    return [] if ok else [f"{wanted}, got {shown(pair)}; {_EXAMPLE}"]
