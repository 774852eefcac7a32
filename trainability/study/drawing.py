"""What is wrong with what a scheme of the user's draws: seen before anything is trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trainability.checks import reason
from trainability.errors import InputError
from trainability.lazy import numpy as np
from trainability.schemes.base import Scheme
from trainability.seeds import stream

if TYPE_CHECKING:
    from trainability.networks import Ensemble
    from trainability.study.cell import Cell

_MOST_NUMBERS = 2**22
"""Weights and biases that are drawn to look at, the smallest networks first: some tens of ms."""
_ENOUGH = 64
"""Networks that must all be alike: two may be by chance, where weights are signs."""


def drawing_problems(cells: Sequence[Cell]) -> list[str]:
    """What is wrong with the networks that schemes of the user's draw.

    Two networks of each shape are drawn, twice from one stream; where they are alike, more. Ours
    have their tests.

    Args:
        cells: Those of modules are passed over: they are looked at where they are built.
    """
    problems, left = {}, _MOST_NUMBERS
    for cell in sorted(_distinct(cells), key=lambda cell: cell.n_parameters):
        left -= 4 * cell.n_parameters
        if left < 0:
            break
        if cell.scheme not in problems and (wrong := _problem(cell)):
            problems[cell.scheme] = wrong
    return list(problems.values())


def _distinct(cells: Sequence[Cell]) -> list[Cell]:
    of_user = [cell for cell in cells if cell.network is None and _is_of_user(cell.scheme)]
    # One of those that are alike, and of these one that no minibatches tell apart.
    of_user.sort(key=lambda cell: cell.batch_size is not None)
    distinct: dict[tuple, Cell] = {}
    for cell in of_user:
        distinct.setdefault((cell.scheme, cell.sizes, id(cell.task)), cell)
    return list(distinct.values())


def _is_of_user(scheme: Scheme) -> bool:
    """Whether a scheme, or one that it holds, is none of this package."""
    ours = type(scheme).__module__.startswith("trainability.")
    settings = [getattr(scheme, field.name) for field in dataclasses.fields(scheme)]  # type: ignore[arg-type]
    return not ours or any(_is_of_user(one) for one in settings if isinstance(one, Scheme))


def _problem(cell: Cell) -> str | None:
    scheme = cell.scheme
    try:
        first, second = _drawn(cell), _drawn(cell)
        are_alike = (
            cell.batch_size is None
            and _are_alike(first)
            and _ENOUGH * cell.n_parameters <= _MOST_NUMBERS
            and _are_alike(_drawn(cell, _ENOUGH))
        )
    except InputError as error:
        return str(error)
    except Exception as error:  # whatever the user's code raises
        return f"{scheme} can't draw a network of layers {cell.sizes}: {reason(error)}"
    pairs = zip(first.parameters, second.parameters, strict=True)
    if not all(np.array_equal(a, b) for a, b in pairs):
        return (
            f"{scheme} draws other networks each time, from the same random stream: results could "
            "not be repeated. Take all random numbers from `rng`, which draw gets"
        )
    if are_alike:
        return (
            f"{scheme} draws all networks alike, and nothing in their training is random, so that "
            "they would count as one; take random numbers from `rng`, which draw gets, or give a "
            "batch_size"
        )
    return None


def _are_alike(networks: Ensemble) -> bool:
    return all(bool((tensor == tensor[:1]).all()) for tensor in networks.parameters)


def _drawn(cell: Cell, n: int = 2) -> Ensemble:
    from trainability.networks import initialize

    rng = stream(cell.seed, cell.stream_identity, "initialization", 0)
    return initialize(cell.scheme, cell.sizes, n, rng, *cell.task.data(), cell.activation)
