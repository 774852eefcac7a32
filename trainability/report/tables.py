"""Tables as a reader sees them: numbers as text, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trainability.analysis.curves import STATES
from trainability.analysis.failures import REASONS
from trainability.findings.labels import short
from trainability.findings.study import Findings
from trainability.report.better import DECIDED, places_text
from trainability.report.text import number, p_text, percent, with_interval

MOST_ROWS = 1000
"""Rows of a table on the page; the file has all."""


@dataclass(frozen=True)
class TableView:
    """A table on the page.

    Args:
        name: Of its CSV file, without the suffix.
        note: What the columns mean.
        header: Names of the columns.
        body: Rows of text.
        n_text: How many of the first columns are words, aligned left.
    """

    name: str
    note: str
    header: list[str]
    body: list[list[str]]
    n_text: int = 1

    @property
    def is_grouped(self) -> bool:
        """Whether several rows belong together."""
        return len({entries[0] for entries in self.body}) < len(self.body)


def rates_table(findings: Findings) -> TableView:
    """Every cell."""
    body = []
    for _, row in findings.rates.iterrows():
        success, trainable, born_dead, collapsed = (
            with_interval(*(row[f"{rate}_rate{end}"] for end in ("", "_low", "_high")))
            for rate in ("success", "trainable", "born_dead", "collapsed")
        )
        theory = "-" if pd.isna(row["trainability"]) else percent(row["trainability"])
        if row["trainability_se"] > 0:
            theory += f" ± {100 * row['trainability_se']:.2g}"
        method = ("bound, " if row["is_bound"] else "") + row["trainability_method"]
        place = [row["curve"], findings.place_text(row[findings.x]), f"{row['n']:,}"]
        body.append([*place, success, theory, method, trainable, born_dead, collapsed])
    intervals = ", ".join(dict.fromkeys(findings.rates["interval"]))
    return TableView(
        "rates",
        "In percent of all networks that were started, with intervals of 95 % each (success: "
        f"{intervals}). Trainability: theory's probability that enough neurons are not "
        "permanently dead at birth, how it was computed, and its standard error if it was "
        "sampled (-: theory bounds nothing, and why); trainable: the measured share. Collapsed: "
        "constant on the data after training, of the networks that did not diverge.",
        [curve_head(findings), findings.x, "n", "success %", "trainability %", "by", "trainable %",
         "born dead %", "collapsed %"],
        body,
    )  # fmt: skip


def boundaries_table(findings: Findings) -> TableView:
    """Where success crosses the rate that was sought."""
    body = []
    for _, row in findings.boundaries.iterrows():
        sides = []
        for side in ("from", "to"):
            rate = (row[f"rate_{side}{end}"] for end in ("", "_low", "_high"))
            sides += [f"{row[side]:g}", with_interval(*rate)]
        body.append([row["where"], row["axis"], *sides, "yes" if row["located"] else "not yet"])
    return TableView(
        "boundaries",
        "Neighbors in the grid with success rates on both sides of the level, in percent with "
        "intervals of 95 % each. Located: there is nothing left between them, or the settings "
        "differ by less than 5 %.",
        ["where", "along", "from", "success %", "to", "success %", "located"],
        body,
        n_text=2,
    )


def activity_table(findings: Findings) -> TableView:
    """The effective activity of every curve."""
    body = [
        [
            row["curve"],
            f"{row['n']:,}",
            f"{row['q']:.3f} [{row['q_low']:.3f}, {row['q_high']:.3f}]",
            f"{row['born_alive']:.3f}",
            f"{row['deviance']:.1f} / {row['degrees_of_freedom']}",
            p_text(row["p_value"]),
        ]
        for _, row in findings.fits.activity.iterrows()
    ]
    return TableView(
        "effective_activity",
        "q: the probability with which a neuron becomes useful, if a network succeeds once it has "
        "as many useful neurons as the task needs; by maximum likelihood over the widths, with its "
        "profile-likelihood interval of 95 %. Born alive: theory's probability that a neuron is "
        "not dead at birth. Misfit: the deviance of the curve, to be compared with its degrees of "
        "freedom; a small p says that one number does not explain the curve.",
        [curve_head(findings), "n", "effective activity q", "born alive", "misfit / freedom",
         "p of the fit"],
        body,
    )  # fmt: skip


def models_table(findings: Findings) -> TableView:
    """All models of every curve, the best first."""
    body = []
    for curve, part in findings.fits.models.groupby("curve", sort=False):
        best = part["aic"].min()
        for _, row in part.sort_values("aic").iterrows():
            values = [
                f"{name} {row[name]:.3g}"
                for name in ("q", "lapse", "overdispersion")
                if not pd.isna(row[name])
            ]
            gap = row["aic"] - best if np.isfinite(row["aic"]) else np.inf
            body.append(
                [
                    str(curve),
                    row["model"],
                    ", ".join(values) or "none",
                    number(row["deviance"]),
                    f"{row['degrees_of_freedom']}",
                    p_text(row["p_value"]),
                    number(gap),
                ]
            )
    return TableView(
        "models",
        "Six models of success over width, by maximum likelihood: the trainability itself, with a "
        "lapse (a share that fails whatever the width), with an effective activity q, "
        "and each with a spread between cells; where theory bounds nothing, those of q alone. "
        "AIC: above that of the curve's best model. Likelihood-ratio tests of nested models: "
        "model_comparisons.csv; where each model misses: residuals.csv.",
        [curve_head(findings), "model", "fitted", "deviance", "df", "fit p", "AIC"],
        body,
        n_text=3,
    )


def widths_table(findings: Findings) -> TableView:
    """The widths needed."""
    body = []
    for _, row in findings.fits.widths.iterrows():
        fitted = "-"
        if not pd.isna(row["width"]):
            fitted = number(row["width"])
            if row["width_low"] < row["width_high"]:
                fitted += f" [{number(row['width_low'])}, {number(row['width_high'])}]"
        body.append(
            [
                row["curve"],
                f"{100 * row['success_probability']:g} %",
                fitted,
                number(row["width_measured"]),
                number(row["width_trainability"]),
            ]
        )
    return TableView(
        "widths_needed",
        "By the fit: the least width at which the fitted curve reaches the probability, "
        "with the interval that follows from that of q; only as good as the fit. Measured: the "
        "least studied width whose interval lies wholly at or above it (-: none). "
        "By trainability alone: the least width at which theory allows it.",
        [curve_head(findings), "success", "by the fit", "measured", "by trainability alone"],
        body,
    )


def laws_table(findings: Findings) -> TableView:
    """The tests of theory."""
    body = [
        [verdict.law, verdict.verdict, p_text(verdict.p_value), f"{verdict.false_alarm_rate:.0e}"]
        for verdict in findings.tested
    ]
    return TableView(
        "laws",
        "Exact tests, over all cells together. A law that holds is called broken once in a "
        "million studies. Cell by cell: count_tests.csv, rates.csv.",
        ["law", "verdict", "p", "false alarms"],
        body,
        n_text=2,
    )


def failures_table(findings: Findings) -> TableView:
    """Why trainable networks failed."""
    body = []
    for curve, part in findings.failures.groupby("curve", sort=False):
        shares = part.set_index("reason").to_dict("index")
        failed = int(part["n_failed"].iloc[0])
        body.append(
            [
                str(curve),
                f"{failed:,}",
                *(
                    with_interval(*(shares[reason][f"share{end}"] for end in ("", "_low", "_high")))
                    for reason in REASONS
                ),
            ]
        )
    return TableView(
        "failures",
        "Trainable networks that failed, in percent by why they did, with intervals of 95 % "
        "each. Lost neurons: at the end fewer active neurons are left than the task needs. Out of "
        "steps: enough are active, and the loss still fell by more than 1 % between the last two "
        "checkpoints. Local minimum: enough are active, and the loss has stalled.",
        [curve_head(findings), "failed", *REASONS],
        body,
    )


def census_table(findings: Findings, at: Any) -> TableView:
    """The census of every layer before and after training: all widths, or of deep networks one."""
    rates = findings.rates
    cells = rates[rates[findings.x] == at] if findings.is_deep and at is not None else rates
    census = findings.measured.census
    census = census[census["cell"].isin(cells.index)]
    share = census.set_index(["cell", "layer", "moment", "state"])["share"].to_dict()
    n_layers = census.groupby("cell")["layer"].max().to_dict()
    body = []
    for cell, row in cells.iterrows():
        for layer in range(1, n_layers.get(cell, 0) + 1):
            body.append(
                [
                    row["curve"],
                    findings.place_text(row[findings.x]),
                    f"{layer}",
                    *(
                        f"{percent(share.get((cell, layer, 'before', state), np.nan))} → "
                        f"{percent(share.get((cell, layer, 'after', state), np.nan))}"
                        for state in STATES.values()
                    ),
                ]
            )
    return TableView(
        "census",
        "Percent of a hidden layer's neurons before → after training. "
        "Tentatively dead: another setting of the layers before it could revive the neuron; "
        "permanently dead: none can. The file has standard errors and all cells.",
        [curve_head(findings), findings.x, "layer", *STATES.values()],
        body,
    )


def survival_table(findings: Findings, at: Any) -> TableView:
    """Steps until shares of the networks have succeeded, at one place of the horizontal axis."""
    cells, head = _rows_at(findings, at)
    shares = (0.1, 0.5, 0.9)
    body = []
    for cell, row in cells.iterrows():
        part = findings.survival[findings.survival["cell"] == cell]
        reached = [part.loc[part["survival"] <= 1 - share, "step"].min() for share in shares]
        last = part.iloc[-1]
        left = (last["survival"], last["survival_low"], last["survival_high"])
        body.append([row["_row"], f"{row['n']:,}", *map(number, reached), with_interval(*left)])
    return TableView(
        "survival",
        "The step of the curve's grid by which a share of all networks has succeeded (-: not "
        "within the budget), and the percent that have not succeeded at the end. Kaplan-Meier; "
        "networks without success are censored at the budget.",
        [head, "n", *(f"{100 * share:g} %" for share in shares), "never %"],
        body,
    )


def losses_table(findings: Findings, at: Any) -> TableView:
    """Quantiles of the loss at the end, at one place of the horizontal axis."""
    cells, head = _rows_at(findings, at)
    quantiles = ["q10", "q25", "q50", "q75", "q90"]
    body = []
    for cell, row in cells.iterrows():
        last = findings.measured.losses[findings.measured.losses["cell"] == cell].iloc[-1]
        body.append(
            [row["_row"], f"{last['n']:,}", f"{last['step']:,}"]
            + [f"{last[name]:.2e}" for name in quantiles]
        )
    return TableView(
        "losses",
        "Quantiles of the loss over all networks at the last step. A network "
        "stops once it succeeds and keeps its loss; one that diverged counts as infinite.",
        [head, "n", "step", *(f"{name[1:]} %" for name in quantiles)],
        body,
    )


def _rows_at(findings: Findings, at: Any) -> tuple[pd.DataFrame, str]:
    """The cells at a place, at None all, with `_row`, the head of a row, and the name of these."""
    rates = findings.rates
    if at is None:
        return rates.assign(_row=rates[findings.x].map(findings.place_text)), findings.x
    cells = rates[rates[findings.x] == at]
    return cells.assign(_row=cells["curve"]), curve_head(findings)


def comparisons_table(findings: Findings, axis: str) -> TableView:
    """Pairs of values of an axis: pooled over all places, and at how many each is better."""
    pooled, places = findings.comparisons.of(axis), findings.comparisons.places
    places = places[places["axis"] == axis]
    names = short(list(dict.fromkeys([*pooled["a"].astype(str), *pooled["b"].astype(str)])))
    body = []
    for _, row in pooled.iterrows():
        pair = places[(places["a"] == row["a"]) & (places["b"] == row["b"])]
        decided = pair.loc[pair["p_holm"] <= DECIDED, "difference"]
        gap, low, high = (100 * row[f"difference{end}"] for end in ("", "_low", "_high"))
        body.append(
            [
                names[str(row["a"])],
                names[str(row["b"])],
                f"{row['n_a']:,}",
                f"{gap:+.1f} [{low:+.1f}, {high:+.1f}]",
                p_text(row["p_holm"]),
                f"{int((decided < 0).sum())}",
                f"{int((decided > 0).sum())}",
                f"{len(pair) - len(decided)}",
            ]
        )
    paired = bool(places["paired"].any())
    sharing = int(pooled["sharing"].max())
    return TableView(
        "pooled_comparisons",
        "Difference: how much more often b succeeds than a, in percentage points, on average over "
        f"{places_text(findings, axis)}, with its interval of 95 %. p: of one "
        "likelihood-ratio test that both have one curve, whatever its shape, corrected for all "
        "pairs (Holm)"
        + (f", in which {sharing} places that share their initializations count as one"
           if sharing > 1 else "")
        + ". Then at how many places one of the two is better by a test of that place alone"
        + (" (McNemar's, pair by pair, where networks share their initializations, else Fisher's)"
           if paired else " (Fisher's)")
        + f", corrected for all of them at {100 * DECIDED:g} %. Place by place: comparisons.csv.",
        ["a", "b", "n each", "b minus a, points", "p", "a better", "b better", "undecided"],
        body,
        n_text=2,
    )  # fmt: skip


def curve_head(findings: Findings) -> str:
    return ", ".join(name.replace("_", " ") for name in findings.curves)
