"""Several studies laid over each other: their curves in one table, and tests between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from trainability.analysis.comparisons import holm
from trainability.analysis.pooled import pool
from trainability.analysis.rates import groups
from trainability.findings.comparing import compare_places, declared, most_sharing, with_streams
from trainability.findings.places import WIDTHS, axis_columns, width_texts
from trainability.findings.study import LEVEL, Findings
from trainability.study import Cell


@dataclass(frozen=True)
class Overlay:
    """The curves of several studies together.

    Args:
        rates: One row per cell of every study, by `study/cell`, with `id`, the cell's own, and
            `curve`, which names the study too.
        activity: The fits of the curves.
        x: The column along the horizontal axis.
        pooled: Study against study over all the places of both, as `pooled.pool`.
        curves: The same curve by curve: after the columns that tell them apart.
        same: What two studies both have, and so is no comparison: one row per pair of studies and
            cell, `a`, `b`, `curve` and `place` as the first one names them, and `cell`. Its
            networks have one seed and all settings in common.
        differing: Columns of which no two cells of some two studies have the same value.
    """

    rates: pd.DataFrame
    activity: pd.DataFrame
    x: str
    pooled: pd.DataFrame
    curves: pd.DataFrame
    same: pd.DataFrame
    differing: list[str]


def overlay(studies: Sequence[Findings]) -> Overlay:
    """Lay studies over each other.

    Places are what the studies have in common of the axes that vary inside of them. Cells of two
    studies that share their initializations are compared pair by pair. A cell that both have is
    one and the same, whatever its networks do: it is in no test.
    """
    parts, fits, networks = [], [], []
    every_cell: dict[str, Cell] = {}
    for findings in studies:
        name = findings.study.name
        curve = _curve_names(findings)
        cells = {str(cell): f"{name}/{cell}" for cell in findings.rates.index}
        every_cell |= {new: findings.cells[old] for old, new in cells.items()}
        part = findings.rates.assign(study=name, id=list(cells))
        part["curve"] = [curve[old] for old in findings.rates["curve"]]
        parts.append(part.set_axis(list(cells.values()), axis=0))
        if len(findings.fits.activity):
            activity = findings.fits.activity
            fits.append(activity.assign(curve=[curve[old] for old in activity["curve"]]))
        _, kept = declared(findings.study, findings.rates, findings.measured.networks)
        kept = kept if findings.n_looks > 1 else findings.measured.networks
        kept = kept[kept["cell"].isin(list(cells))]
        networks.append(kept.assign(cell=[cells[str(cell)] for cell in kept["cell"]]))
    rates = pd.concat(parts)
    rates.index.name = "cell"
    # Whether a text says all layers depends on the cells beside it: here on those of all studies.
    rates[WIDTHS] = rates.index.map(width_texts(every_cell))
    rows = pd.concat(networks, ignore_index=True)
    used = rates[rates.index.isin(set(rows["cell"]))]
    rows["cell"] = pd.Categorical(rows["cell"], list(used.index))
    identity = with_streams(used.drop(columns=["curve", "id"]), every_cell)
    places = _of_two(compare_places("study", identity, rows, 1, LEVEL), used)
    across = {findings.x for findings in studies}
    x = "width" if across <= {"width", "depth"} else WIDTHS
    x = across.pop() if len(across) == 1 else x
    # A study may train one network in several ways, with several losses say: it counts once.
    sharing = most_sharing("study", identity)
    return Overlay(
        rates=rates,
        activity=pd.concat(fits, ignore_index=True) if fits else pd.DataFrame(),
        x=x,
        pooled=pool(places, sharing, LEVEL) if len(places) else pd.DataFrame(),
        curves=_by_curve(places, x),
        same=_in_both(studies),
        differing=_differing(rates),
    )


def _of_two(places: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """The places at which the two studies have different cells."""
    if places.empty:
        return places
    names = [name for name in places.columns[1 : places.columns.get_loc("a")] if name in cells]
    ids: dict[tuple[str, ...], set[str]] = {}
    for row in cells[["study", "id", *names]].to_dict("records"):
        ids.setdefault(tuple(str(row[name]) for name in ("study", *names)), set()).add(row["id"])
    differ = [
        ids[tuple(map(str, (row["a"], *at)))].isdisjoint(ids[tuple(map(str, (row["b"], *at)))])
        for row in places.to_dict("records")
        for at in [[row[name] for name in names]]
    ]
    return places[differ].reset_index(drop=True)


def _in_both(studies: Sequence[Findings]) -> pd.DataFrame:
    """What `Overlay.same` holds."""
    entries = []
    for one, other in combinations(studies, 2):
        both = one.rates[one.rates.index.isin(other.rates.index)]
        entries += [
            [one.study.name, other.study.name, row["curve"], one.place_text(row[one.x]), cell]
            for cell, row in both.iterrows()
        ]
    return pd.DataFrame(entries, columns=["a", "b", "curve", "place", "cell"])


def _differing(rates: pd.DataFrame) -> list[str]:
    """What `Overlay.differing` holds, of axes and of the seed."""
    columns = [*axis_columns(rates), "seed"]
    return [
        column
        for column in columns
        if any(
            a.isdisjoint(b)
            for a, b in combinations(
                (set(part[column].astype(str)) for _, part in rates.groupby("study")), 2
            )
        )
    ]


def _by_curve(places: pd.DataFrame, x: str) -> pd.DataFrame:
    """Study against study along every curve of both; no rows if there is one curve alone."""
    if places.empty:
        return pd.DataFrame()
    names = [str(name) for name in places.columns[1 : places.columns.get_loc("a")]]
    names = [name for name in names if name not in (x, "place")]
    tables = []
    for key, part in groups(places, names) if names else []:
        table = pool(part, level=LEVEL)
        for place, (name, value) in enumerate(zip(names, key, strict=True)):
            table.insert(place, name, str(value))
        tables.append(table)
    if not tables:
        return pd.DataFrame()
    together = pd.concat(tables, ignore_index=True)
    together["p_holm"] = holm(together["p_value"])
    return together


def _curve_names(findings: Findings) -> dict[str, str]:
    name = findings.study.name
    curves = [str(curve) for curve in dict.fromkeys(findings.rates["curve"])]
    return {curve: name if len(curves) == 1 else f"{name}: {curve}" for curve in curves}
