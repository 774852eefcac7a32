"""Numbers that others have published, to stand beside a study's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from trainability.checks import (
    choice_problem,
    int_problem,
    is_number,
    shown,
    strategy_problems,
    text_problem,
)
from trainability.errors import StudyError, refuse
from trainability.schemes.base import Scheme
from trainability.study.widths import Width, one_width, width_problems
from trainability.tasks.base import Task

QUANTITIES = ("success_rate", "trainable_rate", "born_dead_rate")


@dataclass(frozen=True, kw_only=True)
class Published:
    """Published rates of a scheme over width. They change no number of a study.

    They stand beside the rows of their task, depth, scheme and width, and beside no others.

    Args:
        source: Where they stand: paper, table or figure.
        quantity: Which rate.
        scheme: Of which initialization, as the study writes it.
        values: Pairs of a width, as a study writes it, and the rate there.
        n: Networks behind each, None where it was not told.
        differs: How their setting differs from the study's, in words; empty if it does not.
        task: On which task, as the study writes it; None for the only one of a study.
        depth: At which depth; None for the only one of a study.

    Raises:
        StudyError: Lists every problem at once.
    """

    source: str
    quantity: Literal["success_rate", "trainable_rate", "born_dead_rate"]
    scheme: Scheme
    values: tuple[tuple[Width, float], ...]
    n: int | None = None
    differs: str = ""
    task: Task | None = None
    depth: int | None = None

    def __post_init__(self) -> None:
        refuse(self._problems(), StudyError)
        pairs = tuple((one_width(width), float(rate)) for width, rate in self.values)
        object.__setattr__(self, "values", pairs)

    def _problems(self) -> list[str]:
        problems = text_problem("source", self.source, "'Table 2 of the paper'", most=2000)
        problems += choice_problem("Published", "quantity", self.quantity, QUANTITIES)
        if isinstance(self.scheme, Scheme):
            problems += strategy_problems("scheme", self.scheme)
        else:
            problems.append(f"scheme must be a scheme, such as He(), got {shown(self.scheme)}")
        if self.task is not None and not isinstance(self.task, Task):
            problems.append(f"task must be None or a task, got {shown(self.task)}")
        problems += int_problem("n", self.n, 1, optional=True)
        problems += int_problem("depth", self.depth, 2, optional=True)
        if not isinstance(self.differs, str):
            problems.append(f"differs must be a text, got {shown(self.differs)}")
        if not isinstance(self.values, list | tuple) or not self.values:
            problems.append(f"values must be a list of pairs, got {shown(self.values)}; {_EXAMPLE}")
        else:
            problems += [problem for pair in self.values for problem in _pair_problems(pair)]
        return problems


_EXAMPLE = "for example values=[(2, 0.355), (3, 0.642)]"


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
