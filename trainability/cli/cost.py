"""What a dry run says of cost and time: from what has run on this machine, never a guess."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainability.benchmark.rates import expected_seconds
from trainability.cores import available_cores
from trainability.errors import InputError
from trainability.seeds import BLOCK_SIZE

if TYPE_CHECKING:
    from trainability.storage import BlockFile, Storage
    from trainability.study import Cell

BENCH = "trainability bench"
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


@dataclass(frozen=True)
class Pace:
    """How fast trials of one study ran on this machine.

    Args:
        study: Which.
        networks: How many were trained.
        operations: Floating-point operations of all of them.
        operations_per_s: Floating-point operations per second of a trial.
        shares: Of the budget, how much the networks of each cell used, by cell id.
    """

    study: str
    networks: int
    operations: float
    operations_per_s: float
    shares: Mapping[str, float]


def expected(
    name: str, cells: Mapping[str, Cell], n_blocks: Mapping[str, int], storage: Storage
) -> dict[str, Any]:
    """Operations and seconds of one core that some blocks of cells take, for JSON.

    Args:
        name: The study's name.
        cells: Its cells by id.
        n_blocks: How many blocks of each are to be trained.
        storage: Where it and other studies are.

    Returns:
        `operations_at_most`, every network to the end of its budget; `seconds_at_most` at the pace
        of `measured_on`, each kind of networks at its own, and `seconds` if networks succeed as
        early as those that are stored; None for what is not known.
    """
    work = {cell: cells[cell].operations * BLOCK_SIZE * n for cell, n in n_blocks.items() if n}
    cost: dict[str, Any] = {
        "operations_at_most": sum(work.values()),
        "seconds_at_most": None,
        "seconds": None,
        "measured_on": None,
    }
    kinds = {_kind(cells[cell]) for cell in work}
    own = _paces(name, cells, storage)
    paces = _most_work([*own.items(), *(p for other in _others(name, storage) for p in other)])
    if kinds == {None} and None not in paces:
        seconds = expected_seconds(cells, {cell: BLOCK_SIZE * n_blocks[cell] for cell in work})
        if seconds is not None:
            cost["seconds_at_most"] = seconds * available_cores()
            cost["measured_on"] = BENCH
        return cost
    if not work or kinds - paces.keys():  # of some nothing like it has run: no part is the whole
        return cost
    pace = {cell: paces[_kind(cells[cell])] for cell in work}
    cost["seconds_at_most"] = sum(n / pace[cell].operations_per_s for cell, n in work.items())
    cost["measured_on"] = " and ".join(
        f"{paces[kind].networks:,} networks of {paces[kind].study}"
        for kind in sorted(kinds, key=str)
    )
    shares = {cell: share for one in own.values() for cell, share in one.shares.items()}
    if set(work) & set(shares):
        cost["seconds"] = sum(
            n * shares.get(cell, 1.0) / pace[cell].operations_per_s for cell, n in work.items()
        )
    return cost


def sentences(cost: Mapping[str, Any]) -> list[str]:
    """The same, for people."""
    if not cost["operations_at_most"]:
        return []
    lines = [
        f"cost: at most {cost['operations_at_most']:.2g} floating-point operations, every network "
        "to its last step"
    ]
    if cost["seconds_at_most"] is None:
        return [
            *lines,
            "time: unknown; a study of such networks that has run on this machine tells it, or, of "
            f"fully connected ones, {BENCH}",
        ]
    longest = in_words(cost["seconds_at_most"])
    if cost["measured_on"] == BENCH:
        return [
            *lines,
            f"time: {longest} of one core for these steps, by what {BENCH} has measured on this "
            "machine; starting, counting the dead and the report come on top",
        ]
    time = f"time: at most {longest} of one core"
    if cost["seconds"] is not None:
        time += f", about {in_words(cost['seconds'])} if networks succeed as early as those stored"
    return [*lines, f"{time}; at the pace of {cost['measured_on']} on this machine, start included"]


def in_words(seconds: float) -> str:
    """A duration with two digits, in the unit that suits it.

    >>> in_words(0.04), in_words(41.2), in_words(600.0), in_words(9000.0), in_words(1e6)
    ('1 s', '41 s', '10 min', '2.5 h', '12 days')
    """
    seconds = max(seconds, 1.0)  # of less it is not known
    for unit, size in (("days", _DAY), ("h", _HOUR), ("min", _MINUTE), ("s", 1.0)):
        if seconds >= 1.5 * size or unit == "s":
            value = seconds / size
            return f"{value:.0f} {unit}" if value >= 9.95 else f"{value:.2g} {unit}"
    raise AssertionError


Kind = tuple[str, str] | None
"""What trains at one pace: fully connected networks, or copies of what one function builds."""


def _kind(cell: Cell) -> Kind:
    return None if cell.network is None else (cell.network.name, cell.network.source)


def _most_work(paces: Iterable[tuple[Kind, Pace]]) -> dict[Kind, Pace]:
    """Of each kind the pace of the most work: of little work the start is most of the time."""
    most: dict[Kind, Pace] = {}
    for kind, pace in paces:
        if kind not in most or pace.operations > most[kind].operations:
            most[kind] = pace
    return most


def _others(name: str, storage: Storage) -> Iterator[Iterable[tuple[Kind, Pace]]]:
    """The paces of the other studies on a storage, whatever can be read of them."""
    from trainability.study import Study

    for other in storage.studies():
        if other != name:
            try:
                study = Study.from_json(json.dumps(storage.read_record(other, "study")))
                yield _paces(other, {cell.id: cell for cell in study.cells()}, storage).items()
            except InputError:  # one with code of its own, or damaged: no pace can be told
                continue


def _paces(name: str, cells: Mapping[str, Cell], storage: Storage) -> dict[Kind, Pace]:
    """How fast trials of a study ran on the CPU of this machine, of each kind that did."""
    files: dict[Kind, list[BlockFile]] = {}
    for file in storage.block_files(name, cells):
        files.setdefault(_kind(cells[file.cell]), []).append(file)
    paces = {kind: _pace(name, cells, ours, storage) for kind, ours in files.items()}
    return {kind: pace for kind, pace in paces.items() if pace is not None}


def _pace(
    name: str, cells: Mapping[str, Cell], files: Iterable[BlockFile], storage: Storage
) -> Pace | None:
    operations = seconds = 0.0
    steps: dict[str, int] = {}
    networks: dict[str, int] = {}
    for file in files:
        made = storage.provenance(file)
        try:
            is_ours = made["host"] == platform.node() and made["device"] == "cpu"
            took, done = float(made["seconds"]), int(made["network_steps"])
        except (LookupError, ValueError):
            continue
        if is_ours and took > 0 and done > 0:
            cell = cells[file.cell]
            operations += cell.operations / cell.max_steps * done
            seconds += took
            steps[cell.id] = steps.get(cell.id, 0) + done
            networks[cell.id] = networks.get(cell.id, 0) + len(file.blocks) * BLOCK_SIZE
    if not seconds:
        return None
    shares = {cell: n / networks[cell] / cells[cell].max_steps for cell, n in steps.items()}
    return Pace(name, sum(networks.values()), operations, operations / seconds, shares)
