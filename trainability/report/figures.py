"""The figures of a report: each on its own, and all of them by the names of their files."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd

from trainability import plots
from trainability.analysis.curves import STATES
from trainability.checks import counted
from trainability.findings.asked import SUCCESS
from trainability.findings.labels import in_words, short
from trainability.findings.places import WIDTHS, in_order
from trainability.findings.scaling import SHARE
from trainability.findings.study import LEVEL, Findings
from trainability.findings.verdicts import COUNTS
from trainability.report.published import value_text
from trainability.report.sentences import headline, shown_place, typical
from trainability.report.text import joined, percent

MOST_CURVES = 12
"""Curves that a figure shows; tables have all."""
MOST_CENSUSES = 6
"""Curves whose census is drawn."""
MOST_LINES = 7
"""Lines that one panel shows apart."""
_VALUES = {"": "value", "_low": "low", "_high": "high"}
MOST_ROWS = 40
"""Rows of a figure that shows one value of each curve."""


def main_name(findings: Findings) -> str:
    """The name of the headline figure's file, `success_over_width` for widths of any kind."""
    x = "width" if findings.x == WIDTHS else findings.x
    return f"success_over_{re.sub(r'[^a-z0-9]+', '_', x.lower())}"


def drawings(findings: Findings) -> dict[str, Callable[[], Any]]:
    """Every figure that applies, by the name of its file, as a function that draws it.

    Curves beyond the first `MOST_CURVES` are left to the tables, and so are points that were added
    beside a curve.
    """
    made: dict[str, Callable[[], Any]] = {}
    if findings.is_about_success:
        made[main_name(findings)] = partial(success_panels, findings)
        for index, (title, part) in enumerate(maps(findings)[:MOST_CURVES]):
            made[f"success_map_{index + 1}"] = partial(success_map, title, part)
    if len(findings.scaling) and findings.scaling["width"].notna().any():
        made["scaling"] = partial(width_over_samples, findings)
    made |= asked_figures(findings)
    with_census = [curve for curve in _first(_curves(findings)["curve"], MOST_CENSUSES)
               if len(census_table(findings, curve))]  # fmt: skip
    if with_census:
        made["census"] = partial(censuses, findings, with_census)
    place = shown_place(findings)
    if (_at(findings, findings.measured.losses, place)["q50"] > 0).any():
        made["losses"] = partial(losses, findings, place)
    if findings.is_about_success:
        made["survival"] = partial(survival, findings, place)
    shares = findings.measured.count_shares
    if len(shares) and shares["expected"].between(1e-6, 1 - 1e-6).any():  # one count says nothing
        made["count_calibration"] = partial(count_calibration, findings)
    return made


def success_panels(findings: Findings) -> Any:
    """The headline figure: a panel for each curve, the other curves in gray behind.

    Where there is one place alone, a row for each curve.
    """
    if findings.has_one_place:
        names = {f"success_rate{end}": name for end, name in _VALUES.items()}
        table = _curves(findings, MOST_ROWS).rename(columns=names)
        title = headline(findings)
        return plots.plot_quantity(
            table, x=findings.x, name="success rate", title=title, level=LEVEL
        )
    return plots.success_panels(
        _curves(findings, MOST_CURVES),
        panel="curve",
        x=findings.x,
        title=headline(findings),
        level=LEVEL,
    )


def success(findings: Findings, ax: Any = None) -> Any:
    """All curves on one panel, each with its bound."""
    return plots.plot_success_over_width(
        _curves(findings, MOST_LINES),
        ax,
        curve="curve",
        x=findings.x,
        title=headline(findings),
        level=LEVEL,
    )


def maps(findings: Findings) -> list[tuple[str, pd.DataFrame]]:
    """The rates of every map over width and depth, with what they have in common: its title.

    One for each combination of the other axes; none if width and depth do not both vary.
    """
    if not {"width", "depth"} <= {findings.x, *findings.curves}:
        return []
    others = [name for name in findings.curves if name != "depth"]
    parts: list[tuple[Any, pd.DataFrame]] = [(("all networks",), findings.rates)]
    if others:
        parts = list(findings.rates.groupby(others, sort=False, dropna=False))
    names = [short(list(map(str, findings.rates[other].unique()))) for other in others]
    if not others:
        return [(key[0], part) for key, part in parts]
    return [
        (
            ", ".join(own[str(k)] for own, k in zip(names, key, strict=True) if not pd.isna(k)),
            part,
        )
        for key, part in parts
    ]


def width_over_samples(findings: Findings, ax: Any = None) -> Any:
    """The width that success takes over the number of samples, a line for each kind of targets."""
    table = findings.scaling.rename(columns={
        "width": "value", "width_low": "low", "width_high": "high", "family": "curve",
        "n_train": "samples",
    })  # fmt: skip
    powers = table.drop_duplicates("curve").dropna(subset=["power"])
    texts = [f"{row['power']:.2f} for {row['curve']}" for _, row in powers.iterrows()]
    title = f"Width for {100 * SHARE:g} % success over samples"
    return plots.plot_quantity(
        table[table["value"].notna()],
        ax,
        x="samples",
        name=f"width for {100 * SHARE:g} % success",
        title=f"{title}: power {joined(texts)}" if texts else title,
        level=LEVEL,
        logarithmic=True,
        unit="networks a line",
    )


def success_map(what: str, rates: pd.DataFrame, ax: Any = None) -> Any:
    """Success over width and depth, of one entry of `maps`."""
    low, high = (percent(rates["success_rate"].agg(end)) for end in ("min", "max"))
    return plots.plot_success_map(rates, ax, title=f"{what}: success from {low} to {high} %")


def asked_figures(findings: Findings) -> dict[str, Callable[[], Any]]:
    """The quantity that the study asks about: curves, or a map where width and depth vary."""
    quantity, cells = findings.asked.quantity, findings.asked.cells
    if quantity.name == SUCCESS or cells.empty:
        return {}
    low, high = (value_text(quantity, cells["value"].agg(end)) for end in ("min", "max"))
    title = f"{quantity.noun.capitalize()}: {low} to {high}" + " %" * quantity.is_share
    if quantity.is_share and maps(findings):
        return _asked_maps(findings, title)
    table = findings.rates[[findings.x]].join(cells.drop(columns=findings.x), how="inner")
    table = in_order(table, findings.x, findings.places)
    most = MOST_ROWS if findings.has_one_place else MOST_LINES
    table = table[table["curve"].isin(_first(table["curve"], most))]
    return {
        "asked": partial(
            plots.plot_quantity, table, x=findings.x, name=quantity.noun, title=title, level=LEVEL
        )
    }


def _asked_maps(findings: Findings, title: str) -> dict[str, Callable[[], Any]]:
    quantity, cells = findings.asked.quantity, findings.asked.cells
    born = quantity.name in ("born_dead", "collapsed")
    name = quantity.noun.replace(" ", "_")
    made: dict[str, Callable[[], Any]] = {}
    for index, (what, part) in enumerate(maps(findings)[:MOST_CURVES]):
        rates = part.loc[part.index.intersection(cells.index)]
        if rates.empty:
            continue
        made[f"asked_{index + 1}"] = partial(
            plots.plot_success_map,
            rates.assign(
                **{name: cells["value"].reindex(rates.index)},
                share_untrainable_at_birth=1 - rates["trainability"],
            ),
            values=name,
            theory="share_untrainable_at_birth" if born else None,
            title=what if len(maps(findings)) > 1 else title,
        )
    return made


def census_table(findings: Findings, curve: str) -> pd.DataFrame:
    """The census of a curve: through the layers at one place, or of one layer over width.

    Empty if cells of the curve lie at the same place, so that their bars would cover each other.
    """
    cells = findings.rates.loc[findings.rates["curve"] == curve, findings.x]
    if findings.is_deep:
        cells = cells[cells == typical(findings)]
    table = findings.measured.census.merge(cells.reset_index(), on="cell")
    keys = ["layer" if findings.is_deep else findings.x, "moment", "state"]
    return table[:0] if table.duplicated(keys).any() else table


def census(findings: Findings, curve: str, ax: Any = None) -> Any:
    """Stacked bars of `census_table`."""
    table = census_table(findings, curve)
    x = "layer" if findings.is_deep else findings.x
    dead = table[table["state"] != STATES["active"]].groupby("moment")["share"].sum()
    n_bars = table[x].nunique()
    before, after = (dead.get(moment, float("nan")) / n_bars for moment in ("before", "after"))
    where = f", {findings.x} {findings.place_text(typical(findings))}" if findings.is_deep else ""
    return plots.plot_census(
        table,
        ax,
        x=x,
        title=f"{curve}{where}: {percent(before)} % dead at birth, {percent(after)} % at the end",
    )


def censuses(findings: Findings, curves: list[str]) -> Any:
    """A panel of stacked bars for each of some curves."""
    parts = [census_table(findings, curve).assign(curve=curve) for curve in curves]
    table = pd.concat(parts)
    x = "layer" if findings.is_deep else findings.x
    dead = table[table["state"] != STATES["active"]]
    n_bars = len(table[[x, "curve"]].drop_duplicates())
    before, after = (
        dead.loc[dead["moment"] == moment, "share"].sum() / n_bars for moment in ("before", "after")
    )
    where = f", {findings.x} {findings.place_text(typical(findings))}" if findings.is_deep else ""
    title = (
        f"Dead at birth{where}: {percent(before)} % of the neurons, {percent(after)} % at the end"
    )
    return plots.census_panels(table, x=x, title=title)


def losses(findings: Findings, place: Any, ax: Any = None) -> Any:
    """Median losses over steps, of the curves at one place of the horizontal axis."""
    table = _at(findings, findings.measured.losses, place)
    last = table.groupby("curve", sort=False)["q50"].last()
    low, high = (f"{last.agg(end):.1e}" for end in ("min", "max"))
    cells = findings.rates.loc[list(dict.fromkeys(table["cell"]))]
    tolerance = float(cells["tolerance"].max())
    return plots.plot_loss(
        table,
        ax,
        tolerance=None if math.isnan(tolerance) else tolerance,
        loss=", ".join(map(in_words, dict.fromkeys(cells["loss"]))),
        curve="curve",
        title=_titled(findings, place, "the median loss ends at ")
        + (low if low == high else f"{low} to {high}"),
    )


def survival(findings: Findings, place: Any, ax: Any = None) -> Any:
    """Time to success, of the curves at one place of the horizontal axis."""
    table = _at(findings, findings.survival, place)
    rates = findings.rates.loc[list(dict.fromkeys(table["cell"])), "success_rate"]
    low, high = (percent(rates.agg(end)) for end in ("min", "max"))
    share = low if low == high else f"{low} to {high}"
    title = _titled(findings, place, f"in the end {share} % have succeeded")
    return plots.plot_survival(table, ax, curve="curve", title=title, level=LEVEL)


def may_compare(findings: Findings) -> bool:
    """Whether schemes over width are all that varies: two can be held against each other."""
    return (
        "scheme" in findings.comparisons.axes
        and findings.curves == ["scheme"]
        and findings.x != "depth"
    )


def most_different(findings: Findings) -> tuple[str, str]:
    """The curves of the two schemes that differ most, wherever that is."""
    names = findings.rates.drop_duplicates("scheme").set_index("scheme")["curve"].to_dict()
    places = findings.comparisons.places
    most = places.iloc[places["difference"].abs().argmax()]
    return names[most["a"]], names[most["b"]]


def scheme_against_scheme(findings: Findings, a: str, b: str, ax: Any = None) -> Any:
    """One scheme against another, by the names of their curves."""
    scheme = findings.rates.drop_duplicates("curve").set_index("curve")["scheme"].to_dict()
    places = findings.comparisons.places
    decided = places[places["p_holm"] <= 0.05]
    gaps = pd.concat(
        sign * decided.loc[(decided["a"] == x) & (decided["b"] == y), "difference"]
        for sign, x, y in ((1, scheme[a], scheme[b]), (-1, scheme[b], scheme[a]))
    )
    won, lost = int((gaps > 0).sum()), int((gaps < 0).sum())
    return plots.plot_scheme_against_scheme(
        in_order(findings.rates, findings.x, findings.places),
        a,
        b,
        ax,
        column="curve",
        x=findings.x,
        title=f"{b}\nagainst {a}: better at {counted(won, 'width')}, worse at {lost}",
        level=LEVEL,
    )


def count_calibration(findings: Findings, ax: Any = None) -> Any:
    """How often each number of active neurons was seen, against its law."""
    verdict = next(verdict for verdict in findings.verdicts if verdict.law == COUNTS)
    title = "Active neurons at birth are as many as theory says"
    if not verdict.holds:
        cells = counted(len(findings.measured.count_tests), "cell")
        title = f"Active neurons at birth break their law in {verdict.statistic} of {cells}"
    return plots.plot_count_calibration(
        findings.measured.count_shares, ax, title=title, level=LEVEL
    )


def _curves(findings: Findings, most: int | None = None) -> pd.DataFrame:
    """The rates of the first curves; of those with one place alone only if there are no others."""
    n_places = findings.rates.groupby("curve")[findings.x].transform("size")
    rates = findings.rates[n_places > 1] if (n_places > 1).any() else findings.rates
    rates = in_order(rates, findings.x, findings.places)
    return rates if most is None else rates[rates["curve"].isin(_first(rates["curve"], most))]


def _at(findings: Findings, table: pd.DataFrame, place: Any) -> pd.DataFrame:
    """The rows of a table by cell of the first `MOST_LINES` curves at a place, with `curve`.

    At None those of all places, as curves.
    """
    if place is None:
        cells = findings.rates[findings.x].map(lambda at: f"{findings.x} {findings.place_text(at)}")
    else:
        cells = findings.rates.loc[findings.rates[findings.x] == place, "curve"]
    curve = cells[cells.isin(_first(cells, MOST_LINES))].to_dict()
    part = table[table["cell"].isin(curve)]
    return part.assign(curve=[curve[cell] for cell in part["cell"]])


def _titled(findings: Findings, place: Any, text: str) -> str:
    """A finding, after the place of which it is."""
    if place is None:
        return text[0].upper() + text[1:]
    return f"{findings.x.capitalize()} {findings.place_text(place)}: {text}"


def _first(values: pd.Series, most: int) -> list[str]:
    return list(dict.fromkeys(values))[:most]
