"""The sentences of a report; every number in them comes from a table."""

from __future__ import annotations

import pandas as pd

from trainability.analysis.laws import Verdict
from trainability.findings.study import Findings
from trainability.findings.verdicts import BOUND
from trainability.report.shown import percent

MOST_PLACES = 4
"""Places that a sentence names."""


def headline(found: Findings) -> str:
    """The finding in a line, for the figure."""
    n = len(found.rates)
    verdict = _bound(found)
    if not verdict.holds:
        return f"Success exceeds the theoretical trainability in {verdict.statistic} of {n} cells"
    return f"Success stays below the theoretical trainability in {_all(n, 'cell')}"


def answer(found: Findings) -> list[str]:
    """What was found, in sentences; the first one says it in short."""
    first = _first_deep(found) if found.is_deep else _first_shallow(found)
    sentences = [boundary_sentence(found), first, _bound_sentence(found)]
    if len(found.fits.activity):
        sentences.append(activity_sentence(found))
    law = found.verdicts[0].verdict.removeprefix("Holds: ")
    sentences.append(law[0].upper() + law[1:])
    sentences.append(failures_sentence(found))
    return [sentence for sentence in sentences if sentence]


def progress(found: Findings) -> str:
    """What is missing, or nothing."""
    if found.is_complete:
        return ""
    return (
        f"Unfinished: {found.n_networks:,} of {found.n_wanted:,} networks in {len(found.rates)} "
        f"of {len(found.cells)} cells. What follows holds for these."
    )


def boundary_sentence(found: Findings) -> str:
    """Where success crosses the rate that the study was refined for; empty if it was not."""
    if found.refined is None:
        return ""
    which = f"{100 * found.refined:g} %"
    table = found.boundaries
    if table.empty:
        above = found.rates["success_rate"] >= found.refined
        side = "at or above it in" if above.all() else "below it in" if not above.any() else ""
        rest = f": it is {side} {_all(len(above), 'cell')}" if side else ""
        return f"Success crosses {which} between no two neighbors of the grid{rest}."
    places = [
        f"{row['axis']} {row['from']:g} and {row['to']:g} ({row['where']})"
        for _, row in table.iterrows()
    ]
    text = f"Success crosses {which} between {_list(places[:MOST_PLACES])}"
    if len(places) > MOST_PLACES:
        text += f", and in {len(places) - MOST_PLACES} more places"
    open_ = int((~table["located"]).sum())
    return text + (f"; {open_} of {len(places)} not yet located." if open_ else ".")


def activity_sentence(found: Findings) -> str:
    """The effective activity against the activity at birth."""
    table = _of_several_widths(found, found.fits.activity)
    good = int((table["p_value"] > 0.01).sum())
    n_curves = "the curve" if len(table) == 1 else f"{good} of {len(table)} curves"
    if len(table) == 1:
        n_curves += "" if good else " badly"
    below = (table["q_high"] < table["born_alive"]).all()
    least, most = (percent(table["born_alive"].agg(end)) for end in ("min", "max"))
    alive = f"{least} %" if least == most else f"{least} to {most} %"
    fit = (
        f"; with this one number P(Bin(width, q) ≥ need) fits {n_curves} (fit p > 0.01)"
        if table["p_value"].notna().any()
        else ""
    )
    return (
        f"A neuron becomes useful with probability q = {_range(table, 'q', '.3f')}, "
        + ("less often than it is born alive" if below else "and is born alive")
        + f" ({alive}){fit}."
    )


def failures_sentence(found: Findings) -> str:
    """Why trainable networks fail."""
    counts = found.failures.groupby("reason", sort=False)["count"].sum()
    n = int(counts.sum())
    if not n:
        return "No trainable network failed."
    told = {
        "local minimum": "sit in a local minimum with enough neurons alive",
        "lost neurons": "lost neurons that they needed",
        "out of steps": "ran out of steps",
        "diverged": "diverged",
    }
    shares = (counts / n).sort_values(ascending=False)
    parts = [f"{percent(share)} % {told[str(why)]}" for why, share in shares.items() if share]
    return f"Of {n:,} trainable networks that failed, {_list(parts)}."


def comparison_sentence(found: Findings) -> str:
    """How many comparisons are decided."""
    table = found.comparisons
    decided = int((table["p_holm"] <= 0.05).sum())
    paired = int(table["paired"].sum())
    how = f", {paired:,} of them pair by pair" if paired else ""
    return (
        f"{decided:,} of {len(table):,} comparisons of two schemes{how} are decided at 5 %, "
        "Holm-corrected over all of them."
    )


def undecided_sentence(found: Findings) -> str:
    """How many neurons the census could not settle."""
    rates = found.rates
    neurons = int((rates["n"] * rates["width"] * (rates["depth"] - 1)).sum())
    open_ = int(rates["undecided_init"].sum()), int(rates["undecided_final"].sum())
    if not any(open_):
        return f"The census settled every one of the {neurons:,} neurons, before and after."
    return (
        f"The census could not settle {open_[0]:,} of {neurons:,} neurons before training and "
        f"{open_[1]:,} after; they are counted as samples of the domain say."
    )


def typical(found: Findings) -> float:
    """Where along the horizontal axis the curves are told apart best: success nearest to 1/2."""
    means = found.rates.groupby(found.x)[["success_rate", "trainable_rate"]].mean()
    rate = "success_rate" if means["success_rate"].max() > 0.05 else "trainable_rate"
    return float((means[rate] - 0.5).abs().idxmin())


def _first_shallow(found: Findings) -> str:
    widths = _of_several_widths(found, found.fits.widths)
    if widths.empty:
        return _best(found)
    for share in (0.99, 0.9, 0.5):
        at = widths[widths["success_probability"] == share].dropna(subset=["width_measured"])
        if at.empty:
            continue
        n_curves = widths["curve"].nunique()
        which = f"{100 * share:g} %"
        text = f"Success reaches {which} at width {_range(at, 'width_measured')}"
        if len(at) < n_curves:
            text += f", within the studied widths for {len(at)} of {n_curves} curves"
        if at["width_trainability"].notna().all():
            low, high = (int(at["width_trainability"].agg(end)) for end in ("min", "max"))
            alone = f"{low}" if low == high else f"{low} to {high}"
            text += f"; trainability alone would ask for width {alone}"
        return text + "."
    return _best(found)


def _first_deep(found: Findings) -> str:
    parts = []
    for place in sorted({found.rates[found.x].min(), found.rates[found.x].max()}):
        cells = found.rates[found.rates[found.x] == place].sort_values("trainable_rate")
        low, high = cells.iloc[0], cells.iloc[-1]
        text = f"{percent(low['trainable_rate'])} % ({low['curve']})"
        if len(cells) > 1:
            text += f" to {percent(high['trainable_rate'])} % ({high['curve']})"
        parts.append(f"{text} at {found.x} {place:g}")
    return f"Trainable at birth are {_list(parts)}; {_best(found)[0].lower()}{_best(found)[1:]}"


def _best(found: Findings) -> str:
    best = found.rates.iloc[found.rates["success_rate"].argmax()]
    low, high = (percent(best[f"success_rate_{end}"]) for end in ("low", "high"))
    return (
        f"The highest success rate is {percent(best['success_rate'])} % [{low}, {high}], "
        f"of {best['curve']} at {found.x} {best[found.x]:g}."
    )


def _bound(found: Findings) -> Verdict:
    return next(verdict for verdict in found.verdicts if verdict.law == BOUND)


def _bound_sentence(found: Findings) -> str:
    verdict = _bound(found)
    if not verdict.holds:
        return f"{headline(found)}, by an exact test: {verdict.verdict}"
    rates = found.rates
    gap = (rates["trainability"] - rates["success_rate"]).sort_values()
    widest = rates.loc[gap.index[-1]]
    return (
        f"{headline(found)} ({found.n_networks:,} networks, exact test), by up to "
        f"{100 * gap.iloc[-1]:.1f} percentage points ({widest['curve']} at {found.x} "
        f"{widest[found.x]:g}: {percent(widest['success_rate'])} % of "
        f"{percent(widest['trainability'])} %)."
    )


def _of_several_widths(found: Findings, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of curves of more than one width, if there are any: single points are no curves."""
    n_cells = found.rates.groupby("curve").size()
    several = n_cells.index[n_cells > 1]
    return table[table["curve"].isin(several)] if len(several) and len(table) else table


def _range(table: pd.DataFrame, column: str, digits: str = "g") -> str:
    """The least and the largest number of a column, and whose they are."""
    ordered = table.assign(_text=[format(value, digits) for value in table[column]])
    ordered = ordered.sort_values(column, kind="stable")
    low, high = ordered["_text"].iloc[0], ordered["_text"].iloc[-1]
    if low == high:
        return low
    return " to ".join(
        f"{text} ({_whose(ordered.loc[ordered['_text'] == text, 'curve'], len(table))})"
        for text in (low, high)
    )


def _whose(curves: pd.Series, n: int) -> str:
    return _list(list(curves)) if len(curves) <= 2 else f"{len(curves)} of {n} curves"


def _all(n: int, noun: str) -> str:
    return f"the one {noun}" if n == 1 else f"all {n:,} {noun}s"


def _list(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
