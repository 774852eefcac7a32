"""The figures of a report, by the names of their files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from trainability import plots
from trainability.analysis.curves import STATES
from trainability.report.findings import LEVEL, Findings
from trainability.report.shown import percent
from trainability.report.words import headline, typical

MOST_CURVES = 12
"""Curves that a figure shows; tables have all."""
MOST_CENSUSES = 6
"""Curves whose census is drawn."""
MOST_LINES = 7
"""Lines that one panel shows apart."""


def draw(found: Findings) -> Iterator[tuple[str, Any]]:
    """Every figure that applies, with the name of its file; each may be dropped once it is saved.

    Curves beyond the first `MOST_CURVES` are left to the tables.
    """
    rates = found.rates[found.rates["curve"].isin(_first(found.rates["curve"], MOST_CURVES))]
    yield (
        "success_over_width",
        plots.success_panels(rates, panel="curve", x=found.x, title=headline(found), level=LEVEL),
    )
    yield from _maps(found)
    yield from _censuses(found)
    yield from _at_one_place(found)
    yield from _pairs(found)
    if len(found.measured.count_shares):
        yield (
            "count_calibration",
            plots.plot_count_calibration(
                found.measured.count_shares,
                title="Active neurons at birth are as many as theory says",
                level=LEVEL,
            ),
        )


def _maps(found: Findings) -> Iterator[tuple[str, Any]]:
    """Success over width and depth, one map for each combination of the other axes."""
    rates = found.rates
    if not {"width", "depth"} <= {found.x, *found.curves}:
        return
    others = [name for name in found.curves if name != "depth"]
    parts: list[tuple[Any, pd.DataFrame]] = [(("all networks",), rates)]
    if others:
        parts = list(rates.groupby(others, sort=False, dropna=False))
    for index, (key, part) in enumerate(parts[:MOST_CURVES]):
        low, high = (percent(part["success_rate"].agg(end)) for end in ("min", "max"))
        yield (
            f"success_map_{index + 1}",
            plots.plot_success_map(
                part, title=f"{', '.join(map(str, key))}: success from {low} to {high} %"
            ),
        )


def _censuses(found: Findings) -> Iterator[tuple[str, Any]]:
    """The census of every curve: through the layers at one place, or of one layer over width."""
    census = found.measured.census.merge(found.rates[["curve", found.x]].reset_index(), on="cell")
    x = found.x
    if found.is_deep:
        census, x = census[census[found.x] == typical(found)], "layer"
    for index, curve in enumerate(_first(found.rates["curve"], MOST_CENSUSES)):
        part = census[census["curve"] == curve]
        if part.empty or part.duplicated([x, "moment", "state"]).any():
            continue
        dead = part[part["state"] != STATES["active"]].groupby("moment")["share"].sum()
        n_bars = part[x].nunique()
        before, after = (dead.get(moment, float("nan")) / n_bars for moment in ("before", "after"))
        where = f", {found.x} {typical(found):g}" if found.is_deep else ""
        yield (
            f"census_{index + 1}",
            plots.plot_census(
                part,
                x=x,
                title=f"{curve}{where}: {percent(before)} % dead at birth, "
                f"{percent(after)} % at the end",
            ),
        )


def _at_one_place(found: Findings) -> Iterator[tuple[str, Any]]:
    """Losses and time to success where the curves are told apart best."""
    place = typical(found)
    cells = found.rates[found.rates[found.x] == place]
    cells = cells[cells["curve"].isin(_first(cells["curve"], MOST_LINES))]
    curve = cells["curve"].to_dict()

    def of_these(table: pd.DataFrame) -> pd.DataFrame:
        part = table[table["cell"].isin(cells.index)]
        return part.assign(curve=[curve[cell] for cell in part["cell"]])

    losses = of_these(found.measured.losses)
    if (losses["q50"] > 0).any():
        last = losses.groupby("curve", sort=False)["q50"].last()
        low, high = (f"{last.agg(end):.1e}" for end in ("min", "max"))
        yield (
            "losses",
            plots.plot_loss(
                losses,
                tolerance=float(cells["tolerance"].max()),
                curve="curve",
                title=f"{found.x.capitalize()} {place:g}: the median loss ends at "
                + (low if low == high else f"{low} to {high}"),
            ),
        )
    survival = of_these(found.survival)
    low, high = (percent(cells["success_rate"].agg(end)) for end in ("min", "max"))
    title = f"{found.x.capitalize()} {place:g}: in the end {low} to {high} % have succeeded"
    yield "survival", plots.plot_survival(survival, curve="curve", title=title, level=LEVEL)


def _pairs(found: Findings) -> Iterator[tuple[str, Any]]:
    """The two schemes that differ most, one against the other."""
    if found.comparisons.empty or found.curves != ["scheme"] or found.x != "width":
        return
    largest = found.comparisons["difference"].abs().argmax()
    most = found.comparisons.iloc[largest]
    names = found.rates.drop_duplicates("scheme").set_index("scheme")["curve"].to_dict()
    a, b = (names[most[side]] for side in ("a", "b"))
    part = found.comparisons
    part = part[(part["a"] == most["a"]) & (part["b"] == most["b"]) & (part["p_holm"] <= 0.05)]
    won, lost = int((part["difference"] > 0).sum()), int((part["difference"] < 0).sum())
    yield (
        "scheme_against_scheme",
        plots.plot_scheme_against_scheme(
            found.rates,
            a,
            b,
            column="curve",
            title=f"{b}\nagainst {a}: better at {won} widths, worse at {lost}",
            level=LEVEL,
        ),
    )


def _first(values: pd.Series, most: int) -> list[str]:
    return list(dict.fromkeys(values))[:most]
