"""How many networks a cell gets: the study's number, or more until its interval is narrow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from trainability.checks import is_number, shown
from trainability.errors import refuse
from trainability.seeds import BLOCK_SIZE

if TYPE_CHECKING:
    from trainability.analysis.sequences import Precision


@dataclass(frozen=True, kw_only=True)
class Growth:
    """By what rule a study grows. Its decisions look at the first blocks of a cell, in order.

    So they are the same whatever else storage holds, and a study that was interrupted goes the
    way of one that was not.

    Args:
        n_blocks: Blocks that every cell gets, >= 1: the first look.
        precision: Half the width of the 95 % interval of the success rate at which a cell has
            enough, in (0, 0.5]; None gives no cell more than the first look.
        refine: Success rate, in (0, 1), whose boundary in the grid is located; None adds no
            points.

    Raises:
        InputError: Lists what is out of range.
    """

    n_blocks: int
    precision: float | None = None
    refine: float | None = None

    def __post_init__(self) -> None:
        refuse(growth_problems(self.precision, self.refine))

    @property
    def grows(self) -> bool:
        """Whether a study may want more than its grid and its number of networks."""
        return self.precision is not None or self.refine is not None

    @property
    def stopping(self) -> Precision | None:
        """The stopping rule, whose interval covers where it stops."""
        if self.precision is None:
            return None
        from trainability.analysis.sequences import Precision

        return Precision(self.precision)

    def looks(self, successes: Sequence[int]) -> list[int]:
        """The numbers of blocks after which a cell is looked at; the last is what it wants.

        Args:
            successes: Successes in each of its blocks, from block 0 on without a gap.

        >>> Growth(n_blocks=4, precision=0.02).looks([128] * 5)
        [4, 5, 6]
        """
        looks = [self.n_blocks]
        if self.stopping is None:
            return looks
        totals = list(accumulate(successes))
        while looks[-1] <= len(totals):
            n = looks[-1]
            more = self.stopping.n_more(totals[n - 1], n * BLOCK_SIZE, BLOCK_SIZE)
            if not more:
                break
            looks.append(n + more // BLOCK_SIZE)
        return looks

    def rate(self, successes: Sequence[int]) -> float:
        """Success rate in the blocks at which the rule stops; later ones are there by chance.

        Args:
            successes: As for `looks`.
        """
        n = self.looks(successes)[-1]
        return sum(successes[:n]) / (n * BLOCK_SIZE)


def growth_problems(precision: Any, refine: Any, spelled: Callable[[str], str] = str) -> list[str]:
    """What is wrong with a precision and a level to refine; see `Growth`.

    Args:
        precision: What is given for it.
        refine: Likewise.
        spelled: How the user writes an option's name.
    """
    problems = []
    if precision is not None and not (is_number(precision) and 0 < precision <= 0.5):
        problems.append(
            f"{spelled('precision')} must be above 0 and at most 0.5, got {_short(precision)}: it "
            "is half the width of an interval; for example 0.01"
        )
    if refine is not None and not (is_number(refine) and 0 < refine < 1):
        problems.append(
            f"{spelled('refine')} must lie between 0 and 1, got {_short(refine)}: it is the "
            "success rate whose boundary is located; for example 0.9"
        )
    return problems


def _short(value: Any) -> str:
    return f"{value:g}" if is_number(value) else shown(value)


LOST = Growth(n_blocks=1)
"""Stands for a rule that was written down and can't be read any more."""
