"""The sentences of a report; every number in them comes from a table."""

from __future__ import annotations

from typing import Any

import pandas as pd

from trainability.analysis.laws import Verdict
from trainability.checks import counted
from trainability.findings.asked import SUCCESS
from trainability.findings.places import WIDTHS
from trainability.findings.predicting import CLOSE
from trainability.findings.study import Findings
from trainability.findings.verdicts import BOUND
from trainability.report.along import varying_axes
from trainability.report.asked import asked_sentences
from trainability.report.better import better_sentences, rate_of
from trainability.report.published import published_sentence
from trainability.report.text import all_of, joined, percent

MOST_PLACES = 4
"""Places that a sentence names."""
MOST_SHOWN = 7
"""Places of one curve that a figure shows as curves."""
GOOD_FIT = 0.01
"""p-value of a fit from which on it is called good."""
_REASONS = {
    "local minimum": "are stuck with enough active neurons (their loss has stalled)",
    "lost neurons": "lost neurons that they needed while they were trained",
    "out of steps": "ran out of steps while their loss still fell",
    "diverged": "diverged",
}


def headline(findings: Findings) -> str:
    """The finding in a line, for the figure."""
    n = len(findings.bounded)
    verdict = _bound(findings)
    if not verdict.holds:
        where = f"{verdict.statistic} of {counted(n, 'cell')}"
        return f"Success exceeds the theoretical trainability in {where}"
    if not findings.has_bound:
        low, high = (percent(findings.rates["success_rate"].agg(end)) for end in ("min", "max"))
        return f"Success is {low} %" if low == high else f"Success is from {low} to {high} %"
    which = " that it bounds" * (n < len(findings.rates))
    return f"Success stays below the theoretical trainability in {all_of(n, 'cell')}{which}"


def answer(findings: Findings) -> list[str]:
    """What was found, in sentences; the first answers the question: what is better, how wide."""
    asked, published = asked_sentences(findings), published_sentence(findings)
    if not findings.is_about_success:
        born = [_born_sentence(findings)] if findings.is_deep else []
        steps = f"{int(findings.rates['max_steps'].max()):,}"
        none = f"No network succeeded within {steps} step{'s' * (steps != '1')} of training."
        return [*asked, *filter(None, [published, *born]), none]
    suffices = "" if findings.is_deep else _widths_sentence(findings)
    widths = _deep_sentences(findings) if findings.is_deep else [suffices or _best(findings)]
    if (
        suffices
        and findings.asked.quantity.name == SUCCESS
        and varying_axes(findings)[:1] == ["width"]
    ):
        asked, widths = [suffices], []
    return [
        *asked,
        *better_sentences(findings),
        *filter(None, [published, boundary_sentence(findings), *widths]),
        _bound_sentence(findings),
        *([prediction_sentence(findings)] if len(findings.predictions) else []),
        *([activity_sentence(findings)] if findings.has_fitted_curve else []),
        *filter(
            None,
            [
                unfitted_sentence(findings),
                _untrainable_sentence(findings),
                failures_sentence(findings),
            ],
        ),
    ]


def progress(findings: Findings) -> str:
    """What is missing, or nothing."""
    if findings.is_complete:
        return ""
    return (
        f"Unfinished: {findings.n_networks:,} of {findings.n_wanted:,} networks in "
        f"{len(findings.rates)} of {counted(len(findings.cells), 'cell')}. What "
        "follows holds for these."
    )


def boundary_sentence(findings: Findings) -> str:
    """Where success crosses the rate that the study was refined for; empty if it was not."""
    if findings.refined is None:
        return ""
    which = f"{100 * findings.refined:g} %"
    table = findings.boundaries
    if table.empty:
        above = findings.rates["success_rate"] >= findings.refined
        side = "at or above it in" if above.all() else "below it in" if not above.any() else ""
        rest = f": it is {side} {all_of(len(above), 'cell')}" if side else ""
        return f"Success crosses {which} between no two neighbors of the grid{rest}."
    places = [
        f"{row['axis']} {row['from']:g} and {row['to']:g} ({row['where']})"
        for _, row in table.iterrows()
    ]
    text = f"Success crosses {which} between {joined(places[:MOST_PLACES])}"
    if len(places) > MOST_PLACES:
        text += f", and in {len(places) - MOST_PLACES} more places"
    open_ = int((~table["located"]).sum())
    return text + (f"; {open_} of {len(places)} not yet located." if open_ else ".")


def activity_sentence(findings: Findings) -> str:
    """The effective activity against the activity at birth, every symbol explained."""
    table = _of_several_widths(findings, findings.fits.activity)
    needs = sorted(set(table["need"]))
    need = f"{needs[0]}" if len(needs) == 1 else f"{needs[0]} to {needs[-1]}"
    neurons = "neuron is" if needs == [1] else "neurons are"
    text = (
        f"If each neuron becomes useful with a probability q, "
        f"independently, and a network succeeds once at least {need} {neurons} useful, then "
        f"q = {_range(table, 'q', '.3f', limits=True)}"
    )
    born = table["born_alive"].dropna()
    if len(born):
        least, most = percent(born.min()), percent(born.max())
        alive = f"{least} %" if least == most else f"{least} to {most} %"
        below = (table["q_high"] < table["born_alive"]).all()
        text += f"; theory has a neuron born alive with {alive}" + (", so not every neuron that "
            "is born alive becomes useful" if below else "")  # fmt: skip
    fits = table["p_value"].dropna()
    if len(fits):
        good = int((fits > GOOD_FIT).sum())
        which = "the curve" if len(fits) == 1 else f"{good} of {len(fits)} curves"
        badly = " badly" if len(fits) == 1 and not good else ""
        text += f". That one number describes {which}{badly} (p > {GOOD_FIT:g} of a "
        text += "chi-squared test of fit)"
    return text + "."


def unfitted_sentence(findings: Findings) -> str:
    """Which networks are in no fit over width, for they have no one width; empty if all have."""
    if findings.x != WIDTHS or not (findings.has_fitted_curve or findings.has_widths):
        return ""
    rates = findings.rates
    wide = list(dict.fromkeys(rates.loc[rates["width"].isna(), WIDTHS]))
    if not wide:
        return ""
    named = joined(wide if len(wide) <= MOST_PLACES else [*wide[:MOST_PLACES], "others"])
    return f"Networks of widths {named} have no one width: no fit over width holds them."


def failures_sentence(findings: Findings) -> str:
    """Why trainable networks fail; empty if none did."""
    counts = findings.failures.groupby("reason", sort=False)["count"].sum()
    n = int(counts.sum())
    if not n:
        return ""
    shares = (counts / n).sort_values(ascending=False)
    parts = [f"{percent(share)} % {_REASONS[str(why)]}" for why, share in shares.items() if share]
    failed = int((findings.rates["n"] - findings.rates["successes"]).sum())
    those = "the one network that failed" if n == 1 else f"{n:,} networks that failed"
    # Without a bound all are trainable by construction, as a rule: it would say nothing.
    if findings.has_bound or n < failed:
        those += f" although {'it was' if n == 1 else 'they were'} trainable at birth"
    return f"Of {those}, {joined(parts)}."


def undecided_sentence(findings: Findings) -> str:
    """How many neurons the census could not settle."""
    rates = findings.rates
    # By what was counted, for only the census knows how many neurons a module has.
    counted = findings.measured.census.query("moment == 'before'")
    neurons = round((counted["n"] * counted["mean"]).sum())
    if not neurons:
        return "There is no neuron that could be dead."
    open_ = int(rates["undecided_init"].sum()), int(rates["undecided_final"].sum())
    if not any(open_):
        return f"The census settled every one of the {neurons:,} neurons, before and after."
    return (
        f"The census could not settle {open_[0]:,} of {neurons:,} neurons before training and "
        f"{open_[1]:,} after; they are counted as samples of the domain say."
    )


def typical(findings: Findings) -> Any:
    """Where along the horizontal axis the curves are told apart best: success nearest to 1/2."""
    means = findings.rates.groupby(findings.x)[["success_rate", "trainable_rate"]].mean()
    rate = "success_rate" if means["success_rate"].max() > 0.05 else "trainable_rate"
    return (means[rate].reindex(findings.places) - 0.5).abs().idxmin()


def shown_place(findings: Findings) -> Any:
    """The place of which losses and times are shown: the typical one, or None for all places of
    one curve, which then take the part of curves."""
    one = findings.rates["curve"].nunique() == 1 and 1 < len(findings.places) <= MOST_SHOWN
    return None if one else typical(findings)


def _widths_sentence(findings: Findings) -> str:
    """The least widths studied that suffice, and those that theory asks for; empty if none do."""
    if not findings.has_widths:
        return ""
    widths = _of_several_widths(findings, findings.fits.widths)
    n_curves = widths["curve"].nunique()
    parts, shares = [], []
    for share in (0.9, 0.99):
        at = widths[widths["success_probability"] == share].dropna(subset=["width_measured"])
        if at.empty:
            continue
        shares.append(share)
        text = f"width {_range(at, 'width_measured')} suffices for {100 * share:g} % success"
        if len(at) < n_curves:
            text += f" ({len(at)} of {n_curves} curves; the others do not reach it)"
        parts.append(text)
    if not parts:
        return ""
    studied = sorted(set(findings.rates["width"].dropna()))
    if len(studied) > 12:
        listed = f"{studied[0]:g} to {studied[-1]:g}"
    else:
        listed = joined([f"{width:g}" for width in studied])
    text = f"Of the widths studied ({listed}), {joined(parts)}: there the whole 95 % interval of "
    text += "success is as high"
    alone = widths[widths["success_probability"] == shares[0]]["width_trainability"]
    if alone.notna().all():
        low, high = (f"{alone.agg(end):g}" for end in ("min", "max"))
        text += (
            f"; theory's bound, the trainability, would allow {100 * shares[0]:g} % from width "
            f"{low if low == high else f'{low} to {high}'} on"
        )
    return text + "."


def _deep_sentences(findings: Findings) -> list[str]:
    is_answered = findings.asked.quantity.name == SUCCESS and _is_one(
        findings.rates["success_rate"]
    )
    return [_born_sentence(findings), "" if is_answered else _best(findings)]


def _born_sentence(findings: Findings) -> str:
    """What share is trainable at birth; empty where no neuron can be dead."""
    if not findings.has_bound:
        return ""
    parts, rates = [], findings.bounded
    ordered = [place for place in findings.places if place in set(rates[findings.x])]
    for place in dict.fromkeys((ordered[0], ordered[-1])):
        cells = rates[rates[findings.x] == place].sort_values("trainable_rate")
        low, high = cells.iloc[0], cells.iloc[-1]
        alike = low["trainable_rate"] == high["trainable_rate"]
        text = f"{rate_of(low, 'trainable_rate')} with "
        text += low["curve"] if len(cells) == 1 or not alike else f"all {len(cells)}"
        if not alike:
            text += f" to {rate_of(high, 'trainable_rate')} with {high['curve']}"
        parts.append(f"{text} at {findings.x} {findings.place_text(place)}")
    return f"Trainable at birth, with enough neurons not dead for good, are {joined(parts)}."


def _is_one(rates: pd.Series) -> bool:
    """Whether several cells have one and the same rate."""
    return len(rates) > 1 and rates.nunique() == 1


def _best(findings: Findings) -> str:
    best = findings.rates.iloc[findings.rates["success_rate"].argmax()]
    rate = rate_of(best, "success_rate")
    return f"The highest success rate is {rate}, of {best['curve']}{findings.at(best)}."


def _untrainable_sentence(findings: Findings) -> str:
    law = findings.verdicts[0]
    if not law.n:
        return ""
    text = law.verdict.removeprefix("Holds: ")
    return text[0].upper() + text[1:]


def _bound(findings: Findings) -> Verdict:
    return next(verdict for verdict in findings.verdicts if verdict.law == BOUND)


def _bound_sentence(findings: Findings) -> str:
    verdict = _bound(findings)
    if not verdict.holds:
        return f"{headline(findings)}, by an exact test: {verdict.verdict}"
    if not findings.has_bound:
        reasons = list(dict.fromkeys(findings.rates["trainability_method"]))
        return f"Theory bounds nothing here: {joined(reasons)}."
    rates = findings.bounded
    gap = (rates["trainability"] - rates["success_rate"]).sort_values()
    widest = rates.loc[gap.index[-1]]
    where = findings.at(widest)
    text = (
        f"{headline(findings)} (the probability that enough neurons are not dead for good at "
        f"birth, an upper bound of success; {int(rates['n'].sum()):,} networks, exact test)"
    )
    if gap.iloc[-1] <= 0:
        return text + "."
    rate = rate_of(widest, "success_rate")
    return text + (
        f", by up to {100 * gap.iloc[-1]:.1f} percentage points: {widest['curve']}{where} succeeds "
        f"in {rate} of {percent(widest['trainability'])} %."
    )


def prediction_sentence(findings: Findings) -> str:
    """How near success is to what theory predicts, in the cells that it predicts."""
    table = findings.predictions
    gaps = 100 * table["difference"].abs()
    farthest = table.loc[gaps.idxmax()]
    where = f"{farthest['curve']}, {findings.x} {findings.place_text(farthest[findings.x])}"
    n, close = len(table), int((gaps <= 100 * CLOSE).sum())
    which = all_of(n, "cell") + " that it covers" * (n < len(findings.rates))
    if close < n and n > 1:
        which = which.replace("all", f"{close:,} of" if close else "none of")
    how = f"to within {100 * CLOSE:g} percentage points of what was measured in {which}"
    if close < n == 1:
        how = f"in {which}, but not {how.rpartition(' in ')[0]}"
    return (
        "From the initialization, the task and the settings of Adam alone, theory predicts success "
        f"{how}. It is {gaps.max():.1f} off at most ({where}: predicted "
        f"{percent(farthest['predicted_success'])} %, measured "
        f"{percent(farthest['success_rate'])} %)."
    )


def _of_several_widths(findings: Findings, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of curves of more than one width, if there are any: single points are no curves."""
    n_cells = findings.rates.groupby("curve").size()
    several = n_cells.index[n_cells > 1]
    return table[table["curve"].isin(several)] if len(several) and len(table) else table


def _range(table: pd.DataFrame, column: str, digits: str = "g", limits: bool = False) -> str:
    """The least and the largest number of a column, and whose they are."""
    ordered = table.assign(_text=[format(value, digits) for value in table[column]])
    ordered = ordered.sort_values(column, kind="stable")
    if limits:
        ordered["_shown"] = [
            f"{row['_text']} [{row[f'{column}_low']:{digits}}, {row[f'{column}_high']:{digits}}]"
            for _, row in ordered.iterrows()
        ]
    else:
        ordered["_shown"] = ordered["_text"]
    ends = ordered.iloc[0], ordered.iloc[-1]
    if ends[0]["_text"] == ends[1]["_text"]:
        return str(ends[0]["_shown"])
    texts = []
    for end in ends:
        curves = ordered.loc[ordered["_text"] == end["_text"], "curve"]
        texts.append(f"{end['_shown']} ({_whose(curves, len(table))})")
    return " to ".join(texts)


def _whose(curves: pd.Series, n: int) -> str:
    return joined(list(map(str, curves))) if len(curves) <= 3 else f"{len(curves)} of {n} curves"
