"""What theory expects of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from trainability.activations import RELU
from trainability.domains import Domain, Points
from trainability.schemes import Scheme
from trainability.study.cell import Cell
from trainability.theory import (
    Probability,
    born_dead_network_probability,
    trainability_probability,
)

_NEVER_DEAD = "no neuron can be dead"
_NEVER_PERMANENT = "no death is permanent"


@lru_cache(maxsize=4096)
def expected_trainability(cell: Cell, n_samples: int = 2**14) -> Probability:
    """Theoretical trainability of a cell, at initialization; see `closed_trainability`.

    1 where theory bounds nothing; see `why_unbounded`.
    """
    if is_narrow(cell):
        return Probability(0.0, note="narrower than the need")
    if reason := why_unbounded(cell):
        is_certain = reason in (_NEVER_DEAD, _NEVER_PERMANENT)
        return Probability(1.0, note=reason, is_upper_bound=not is_certain)
    widths = cell.widths
    if cell.idle == "shrinks":
        # A later layer that is wholly dead may come back: only the chain's deaths are permanent.
        p = trainability_probability(
            cell.scheme, cell.task.domain, widths, cell.needs, n_samples=n_samples
        )
        return replace(p, is_upper_bound=cell.n_hidden > 1)
    return closed_trainability(cell.scheme, cell.task.domain, widths, cell.needs, n_samples)


def why_unbounded(cell: Cell) -> str:
    """Why theory bounds nothing of a cell's success, empty if it does.

    Its trainability is then 1, which no rate can exceed: every network is trainable by
    construction, or nothing is known of how many are. A report may call neither a bound.
    """
    if cell.network is not None:
        return "what copies of a module reach is measured alone"
    if is_narrow(cell):
        return ""
    if not cell.activation.flat:
        return _NEVER_DEAD
    if cell.idle == "moves":
        return _NEVER_PERMANENT
    return "" if has_law(cell) else f"no law of {cell.activation} is known"


def is_narrow(cell: Cell) -> bool:
    """Whether a layer has fewer neurons than a trainable network needs of it."""
    if cell.network is not None:
        return False
    return any(width < need for width, need in zip(cell.widths, cell.needs, strict=True))


def has_law(cell: Cell) -> bool:
    """Whether the theory of dead ReLU neurons is that of this cell's."""
    return cell.network is None and cell.activation == RELU


def closed_trainability(
    scheme: Scheme,
    domain: Domain,
    widths: Sequence[int],
    needs: Sequence[int],
    n_samples: int = 2**14,
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
        n_samples: Networks to sample where that is needed, >= 2.

    Source: Shin & Karniadakis (2020), trainability; the closure is derived from it.
    """
    if any(width < need for width, need in zip(widths, needs, strict=True)):
        return Probability(0.0, note="narrower than the need")
    if len(widths) == 1 or not (domain.d == 1 or isinstance(domain, Points)):
        p = trainability_probability(scheme, domain, widths, needs, n_samples=n_samples)
        return replace(p, is_upper_bound=len(widths) > 1)
    dead = born_dead_network_probability(scheme, domain, widths, n_samples=n_samples)
    return replace(dead, value=1 - dead.value)
