"""The answer on a terminal of 80 columns."""

from __future__ import annotations

import re

import pandas as pd
from rich.console import Console

from trainability.findings.study import LEVEL, Findings
from trainability.report.published import interval_text
from trainability.report.sentences import progress

_WIDTH = 80
_COLUMN = 25


def show(findings: Findings, sentences: list[str], console: Console) -> None:
    """Print question, answer, success over trainability, and q: in sentences and narrow tables."""
    console.print(f"\n{findings.study.question}", style="bold", markup=False, emoji=False)
    for sentence in [progress(findings), *sentences]:
        if sentence:
            console.print(sentence, markup=False, emoji=False)
    console.print()
    for line in [*pivot(findings), "", *activity_lines(findings)]:
        console.print(line, markup=False, emoji=False, soft_wrap=True)


def pivot(findings: Findings) -> list[str]:
    """Success with its interval over trainability: one row per width, one column per curve.

    Of a study that has nothing to say of success, what it asks about.
    """
    rates = findings.rates
    what, texts = _success_texts(findings) if findings.is_about_success else _asked_texts(findings)
    curves = list(dict.fromkeys(rates["curve"]))
    head = max(len(findings.x), *(len(findings.place_text(place)) for place in findings.places))
    per_block = max(1, (_WIDTH - head - 1) // _COLUMN)
    lines = [what]
    for start in range(0, len(curves), per_block):
        chosen = curves[start : start + per_block]
        heads = [_broken(curve) for curve in chosen]
        depth = max(map(len, heads))
        for level in range(depth):
            words = [head[level - depth + len(head)] if level >= depth - len(head) else ""
                     for head in heads]  # fmt: skip
            lines.append(_row(findings.x if level == depth - 1 else "", words, head))
        for place in findings.places:
            entries = []
            for curve in chosen:
                cell = rates.index[(rates["curve"] == curve) & (rates[findings.x] == place)]
                entries.append(texts.get(str(cell[0]), "-") if len(cell) else "-")
            if set(entries) != {"-"}:
                lines.append(_row(findings.place_text(place), entries, head))
    lines.append(_total(rates))
    return lines


def _success_texts(findings: Findings) -> tuple[str, dict[str, str]]:
    bound = " / trainability" * findings.has_bound
    return f"success in percent [{100 * LEVEL:g} % interval]{bound}", {
        str(cell): _cell(row) for cell, row in findings.rates.iterrows()
    }


def _asked_texts(findings: Findings) -> tuple[str, dict[str, str]]:
    asked = findings.asked
    unit = " in percent" * asked.quantity.is_share
    return f"{asked.quantity.noun}{unit} [{100 * LEVEL:g} % interval]", {
        str(cell): interval_text(asked.quantity, row["value"], row["low"], row["high"])
        for cell, row in asked.cells.iterrows()
    }


def _total(rates: pd.DataFrame) -> str:
    """Over how many networks that is."""
    each = sorted(set(rates["n"]))
    per_cell = f"{each[0]:,}" if len(each) == 1 else f"{each[0]:,} to {each[-1]:,}"
    cells = f"{len(rates)} cells of {per_cell}" if len(rates) > 1 else "1 cell"
    return f"in all {rates['n'].sum():,} networks, {rates['successes'].sum():,} succeeded; {cells}"


def activity_lines(findings: Findings) -> list[str]:
    """The effective activity of every curve."""
    if not findings.has_fitted_curve:
        return []
    table = findings.fits.activity
    lines = ["probability q that a neuron becomes useful [95 %], and born alive"]
    width = min(max(map(len, table["curve"])), _WIDTH - 38)
    for _, row in table.iterrows():
        name = row["curve"] if len(row["curve"]) <= width else row["curve"][: width - 3] + "..."
        lines.append(
            f"{name:<{width}}  {row['q']:.3f} [{row['q_low']:.3f}, {row['q_high']:.3f}]"
            f"  {row['born_alive']:.3f}"
        )
    return lines


def _row(head: str, entries: list[str], width: int) -> str:
    return f"{head:>{width}}" + "".join(f"{entry:>{_COLUMN}}" for entry in entries)


def _cell(row: pd.Series) -> str:
    rate, low, high = (_short(row[f"success_rate{end}"]) for end in ("", "_low", "_high"))
    bound = "" if pd.isna(row["trainability"]) else f"/{_short(row['trainability'])}"
    return f"{rate} [{low}, {high}]{bound}"


def _short(value: float) -> str:
    """A probability in percent with one digit; 0 and 100 only where it is 0 or 1."""
    if value in (0, 1):
        return f"{100 * value:.0f}"
    return "<0.1" if value < 0.0005 else ">99.9" if value >= 0.9995 else f"{100 * value:.1f}"


def _broken(name: str) -> list[str]:
    """A name in lines that fit into a column, broken at capitals and signs, not in numbers."""
    pieces = re.findall(r"[A-Z][a-z0-9]*|[(,][^A-Z(,= ]*[= ]?|[^A-Z(,= ]+[= ]?|.", name)
    lines = [""]
    for piece in pieces:
        while len(piece) > _COLUMN - 1:
            lines.append(piece[: _COLUMN - 1])
            piece = piece[_COLUMN - 1 :]
        if len(lines[-1]) + len(piece) > _COLUMN - 1:
            lines.append("")
        lines[-1] += piece
    return [line.strip(" ,") for line in lines if line.strip(" ,")]
