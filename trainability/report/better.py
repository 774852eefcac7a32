"""Which strategy is better, by how much, and how sure that is: in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trainability.findings.labels import quoted, short
from trainability.findings.places import TEXTS, WIDTHS
from trainability.findings.study import Findings
from trainability.report.text import all_of, joined, percent, points
from trainability.study.axes import label

DECIDED = 0.05
"""Corrected p-value up to which a difference is called one."""
NOUNS = {
    "scheme": "initializations",
    "network": "networks",
    "activation": "activations",
    "penalty": "penalties",
    "optimizer": "optimizers",
    "loss": "losses",
}
_SURE = (
    (1e-6, "beyond reasonable doubt"),
    (1e-3, "with strong evidence"),
    (DECIDED, "with some evidence"),
)
_MOST_NAMES = 4
_MOST_PLACES = 3


def better_sentences(findings: Findings) -> list[str]:
    """For every axis of strategies that varies, which of its values succeeds most often."""
    return [text for axis in findings.comparisons.axes for text in _sentences(findings, axis)]


def confidence(p_value: float) -> str:
    """How sure a difference with this corrected p-value is, in words.

    >>> confidence(1e-9), confidence(0.01), confidence(0.3)
    ('beyond reasonable doubt', 'with some evidence', 'but chance explains it as well')
    """
    sure = (words for limit, words in _SURE if p_value <= limit)
    return next(sure, "but chance explains it as well")


def p_value_text(p_value: float) -> str:
    """A p-value for a sentence, to one digit.

    >>> p_value_text(0.0123), p_value_text(1e-40)
    ('p = 0.01', 'p < 1e-15')
    """
    return "p < 1e-15" if p_value < 1e-15 else f"p = {p_value:.1g}"


def places_text(findings: Findings, axis: str) -> str:
    """Over what a pooled test pools: "the 8 widths studied"."""
    places = findings.comparisons.places
    places = places[places["axis"] == axis]
    names = list(places.columns[1 : places.columns.get_loc("a")])
    names = [name for name in names if places[name].nunique(dropna=False) > 1]
    # The pooled tests of a study that grew use what it declared from the start.
    which = "studied" if findings.n_looks == 1 else "declared"
    n = int(findings.comparisons.of(axis)["places"].max())
    if not names or n == 1:
        return f"the one setting {which}"
    if names == [findings.x] and findings.x not in {*findings.arguments} - {"width"}:
        return f"the {n} {findings.x if findings.x == WIDTHS else f'{findings.x}s'} {which}"
    if len(names) == 1:
        return f"the {n} {NOUNS.get(names[0], f'values of {label(names[0])}')} {which}"
    what = joined([label(name) for name in names])
    return f"the {n} combinations of {what} {which}"


def _sentences(findings: Findings, axis: str) -> list[str]:
    pairs = findings.comparisons.of(axis)
    names = quoted(short(list(dict.fromkeys([*map(str, pairs["a"]), *map(str, pairs["b"])]))))
    order = _order(pairs, list(names))
    gaps = _gaps(pairs, order[0])
    clear = [name for name in order[1:] if name in gaps and gaps[name].p_holm <= DECIDED]
    over = places_text(findings, axis)
    of = f"{len(order)} {NOUNS.get(axis, f'values of {axis}')}"
    if not clear:
        return [_nothing_clear(pairs, names, over, of)]
    equal = [name for name in order if name not in clear]
    sure = max(gaps[name].p_holm for name in clear)
    winner = names[order[0]]
    if len(order) == 2:
        text = f"{winner} succeeds more often"
    elif len(equal) == 1:
        text = f"Of {of} {winner} succeeds most often"
    else:
        best = joined([names[name] for name in equal[:_MOST_NAMES]])
        text = f"Of {of} {best} succeed most often and can't be told apart"
    first, last = clear[0], clear[-1]
    which = "it" if len(equal) == 1 else winner
    text += (
        f": on average over {over} {which} succeeds {gaps[first]} more often than {names[first]}"
    )
    if last != first:
        gap = gaps[last]
        text += f", the next, and {points(gap.difference)} ({gap.limits}) more often than "
        text += f"{names[last]}, the last"
    n = min(gap.n for gap in gaps.values())
    text += f", {confidence(sure)} ({p_value_text(sure)} by one likelihood-ratio test of the two "
    text += "curves"
    text += f", corrected for all {len(pairs)} pairs" if len(pairs) > 1 else ""
    text += f"; n = {n:,} networks each)."
    apart = _largest_by_place(findings, axis, names)
    return [text, *apart, *_reversed(findings, axis, order[0], names)]


def _order(pairs: pd.DataFrame, names: list[str]) -> list[str]:
    """The values from the best to the worst, by their mean difference from all others."""
    gains = dict.fromkeys(names, 0.0)
    for _, row in pairs.iterrows():
        gains[str(row["a"])] -= row["difference"]
        gains[str(row["b"])] += row["difference"]
    return sorted(names, key=lambda name: -gains[name])


@dataclass(frozen=True)
class _Gap:
    """How much more often one value succeeds than another, pooled over all places."""

    difference: float
    low: float
    high: float
    p_holm: float
    n: int

    def __str__(self) -> str:
        return f"{points(self.difference)} percentage points (95 % interval {self.limits})"

    @property
    def limits(self) -> str:
        return f"{points(self.low)} to {points(self.high)}"


def _gaps(pairs: pd.DataFrame, best: str) -> dict[str, _Gap]:
    """How much more often the best succeeds than each other value, by that value."""
    gaps = {}
    for row in pairs.to_dict("records"):
        a, b = str(row["a"]), str(row["b"])
        if best not in (a, b):
            continue
        sign = 1 if b == best else -1
        low, high = sorted(sign * row[f"difference_{end}"] for end in ("low", "high"))
        n = min(row["n_a"], row["n_b"])
        gaps[a if b == best else b] = _Gap(sign * row["difference"], low, high, row["p_holm"], n)
    return gaps


def _nothing_clear(pairs: pd.DataFrame, names: dict[str, str], over: str, of: str) -> str:
    widest = pairs.to_dict("records")[int(pairs["difference"].abs().to_numpy().argmax())]
    other, best = str(widest["a"]), str(widest["b"])
    if widest["difference"] < 0:
        best, other = other, best
    gap = _gaps(pairs, best)[other]
    p_text = p_value_text(float(pairs["p_holm"].min()))
    if len(pairs) == 1:
        return (
            f"The difference in success between the {of} is not certain: on average over "
            f"{over} it is {gap} in favor of {names[best]}, {p_text} by one likelihood-ratio test "
            f"of the two curves (n = {gap.n:,} networks each)."
        )
    return (
        f"No difference between the {of} is certain: on average over {over} the largest, of "
        f"{names[best]} over {names[other]}, is {gap} with n = {gap.n:,} networks "
        f"each, {p_text} at least by likelihood-ratio tests "
        f"of the curves, corrected for {all_of(len(pairs), 'pair')}."
    )


def _largest_by_place(findings: Findings, axis: str, names: dict[str, str]) -> list[str]:
    """How far apart the values are at each place, of a few that are no numbers, such as modules."""
    places = findings.comparisons.places
    places = places[places["axis"] == axis]
    if axis == findings.x:  # whose values are the places
        return []
    if (
        findings.x not in (*TEXTS, *findings.arguments)
        or not 2 <= len(findings.places) <= _MOST_PLACES
    ):
        return []
    if len(places) > len(findings.comparisons.of(axis)) * len(findings.places):
        return []  # something else varies too
    texts = []
    for place, part in places.groupby(findings.x, sort=False, observed=True):
        row = part.iloc[int(part["difference"].abs().to_numpy(dtype=float).argmax())]
        turn = 1 if row["difference"] >= 0 else -1
        best, worst = (names[str(row[side])] for side in ("ba" if turn > 0 else "ab"))
        low, high = sorted(turn * row[f"difference_{end}"] for end in ("low", "high"))
        texts.append(
            f"{points(abs(row['difference']))} percentage points (95 % interval {points(low)} to "
            f"{points(high)}; {best} over {worst}) at {findings.x} {findings.place_text(place)}"
        )
    return [f"The largest difference is {joined(texts)}."]


def _reversed(findings: Findings, axis: str, best: str, names: dict[str, str]) -> list[str]:
    """Where another value is better than the best, if that is certain anywhere."""
    places = findings.comparisons.places
    places = places[(places["axis"] == axis) & (places["p_holm"] <= DECIDED)]
    if axis == findings.x or findings.x not in places:
        return []
    ours = np.where(places["b"].astype(str) == best, 1, -1)
    involved = (places["a"].astype(str) == best) | (places["b"].astype(str) == best)
    lost = places[involved & (ours * places["difference"] < 0)]
    if lost.empty:
        return []
    texts = []
    for _, row in lost.iterrows():
        other = str(row["a"]) if str(row["b"]) == best else str(row["b"])
        gap = 100 * abs(row["difference"])
        ends = sorted(100 * abs(row[f"difference_{end}"]) for end in ("low", "high"))
        texts.append(
            f"{findings.at(row)[1:]} {names[other]} succeeds {gap:.1f} percentage points "
            f"({ends[0]:.1f} to {ends[1]:.1f}) more often"
        )
    rest = len(texts) - _MOST_PLACES
    if rest > 0:
        texts = [*texts[:_MOST_PLACES], f"so in {rest} more comparisons"]
    return [f"It is not the best everywhere: {joined(texts)} than {names[best]}."]


def rate_of(row: pd.Series, name: str) -> str:
    """A rate of a cell with its interval and its number of networks."""
    value, low, high = (float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
    return rate_text(value, low, high, int(row["n"]))


def rate_text(value: float, low: float, high: float, n: int) -> str:
    """A rate for a sentence: it never travels alone.

    >>> rate_text(0.412, 0.3813, 0.4432, 1000)
    '41.2 % (95 % interval 38.1 to 44.3, n = 1,000)'
    """
    return f"{percent(value)} % (95 % interval {percent(low)} to {percent(high)}, n = {n:,})"
