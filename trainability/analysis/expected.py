"""What theory expects of a cell."""

from __future__ import annotations

from functools import lru_cache

from trainability.domains import Points
from trainability.study.cell import Cell
from trainability.theory import (
    Probability,
    born_dead_network_probability,
    trainability_probability,
)


@lru_cache(maxsize=4096)
def expected_trainability(cell: Cell) -> Probability:
    """Theoretical trainability of a cell, at initialization.

    Shallow: P(at least `need` neurons are active). Deep, where every layer needs one: a layer that
    is wholly dead makes all that is dead permanent (theory of permanent death, closed under
    gradient training), so a network is trainable iff it is not born dead. That is exact, or
    unbiased with a standard error, on an interval and on data; on balls and boxes of more
    dimensions only the larger chain bound is certain, and is what is returned.
    """
    widths = [cell.width] * cell.n_hidden
    domain = cell.task.domain
    if cell.n_hidden == 1 or not (domain.d == 1 or isinstance(domain, Points)):
        need = cell.needs[0] if cell.n_hidden == 1 else list(cell.needs)
        if cell.width < max(cell.needs):
            return Probability(0.0)
        return trainability_probability(cell.scheme, domain, widths, need)
    dead = born_dead_network_probability(cell.scheme, domain, widths)
    return Probability(1 - float(dead), dead.standard_error, dead.method)
