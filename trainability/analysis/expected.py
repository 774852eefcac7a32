"""What theory expects of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from trainability.domains import Domain, Points
from trainability.schemes import Scheme
from trainability.study.cell import Cell
from trainability.theory import (
    Probability,
    born_dead_network_probability,
    trainability_probability,
)


@lru_cache(maxsize=4096)
def expected_trainability(cell: Cell) -> Probability:
    """Theoretical trainability of a cell, at initialization; see `closed_trainability`."""
    widths = [cell.width] * cell.n_hidden
    return closed_trainability(cell.scheme, cell.task.domain, widths, cell.needs)


def closed_trainability(
    scheme: Scheme, domain: Domain, widths: Sequence[int], needs: Sequence[int]
) -> Probability:
    """Trainability by the permanent death that a census counts: closed under gradient training.

    Shallow: P(at least `need` neurons are active). Deep, where every layer needs one: a layer that
    is wholly dead makes all that is dead permanent, so a network is trainable iff it is not born
    dead. That is exact, or unbiased with a standard error, on an interval and on data; on balls
    and boxes of more dimensions only the larger chain bound is certain, and is what is returned.

    Args:
        scheme: An initialization scheme.
        domain: Where inputs live.
        widths: Neurons of every hidden layer, first to last.
        needs: How many of them must not be permanently dead.

    Source: Shin & Karniadakis (2020), trainability; the closure is derived from it.
    """
    if any(width < need for width, need in zip(widths, needs, strict=True)):
        return Probability(0.0, note="narrower than the need")
    if len(widths) == 1 or not (domain.d == 1 or isinstance(domain, Points)):
        p = trainability_probability(scheme, domain, widths, needs)
        return replace(p, is_upper_bound=len(widths) > 1)
    dead = born_dead_network_probability(scheme, domain, widths)
    return replace(dead, value=1 - dead.value)
