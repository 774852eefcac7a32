"""Tables as a reader sees them: numbers as text, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trainability.analysis.curves import STATES
from trainability.analysis.failures import REASONS
from trainability.findings.study import Findings

MOST_ROWS = 1000
"""Rows of a table on the page; the file has all."""


@dataclass(frozen=True)
class Shown:
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


def percent(value: float) -> str:
    """A probability in percent, without the sign: 0 and 100 only where it is 0 or 1.

    >>> percent(0.35844), percent(0.99996), percent(1.0), percent(1e-9)
    ('35.8', '99.996', '100', '<0.001')
    """
    if pd.isna(value):
        return "-"
    if value in (0, 1):
        return f"{100 * value:.0f}"
    for digits in (1, 2, 3):
        text = f"{100 * value:.{digits}f}"
        if float(text) not in (0, 100):
            return text
    return "<0.001" if value < 0.5 else ">99.999"


def with_interval(value: float, low: float, high: float) -> str:
    """A probability and its interval, in percent."""
    return "-" if pd.isna(value) else f"{percent(value)} [{percent(low)}, {percent(high)}]"


def p_text(p_value: float) -> str:
    """A p-value with two digits.

    >>> p_text(0.0), p_text(0.01234)
    ('< 1e-300', '0.012')
    """
    if pd.isna(p_value):
        return "-"
    return "< 1e-300" if p_value < 1e-300 else f"{p_value:.2g}"


def rates_table(found: Findings) -> Shown:
    """Every cell."""
    body = []
    for _, row in found.rates.iterrows():
        success, trainable, born_dead, collapsed = (
            with_interval(*(row[f"{rate}_rate{end}"] for end in ("", "_low", "_high")))
            for rate in ("success", "trainable", "born_dead", "collapsed")
        )
        theory = percent(row["trainability"])
        if row["trainability_se"] > 0:
            theory += f" ± {100 * row['trainability_se']:.2g}"
        method = ("bound, " if row["is_bound"] else "") + row["trainability_method"]
        place = [row["curve"], f"{row[found.x]:g}", f"{row['n']:,}"]
        body.append([*place, success, theory, method, trainable, born_dead, collapsed])
    intervals = ", ".join(dict.fromkeys(found.rates["interval"]))
    return Shown(
        "rates",
        "In percent of all networks that were started, with intervals of 95 % each (success: "
        f"{intervals}). Trainability: theory's probability that enough neurons are not "
        "permanently dead at birth, how it was computed, and its standard error if it was "
        "sampled; trainable: the measured share. Collapsed: constant on the data after training, "
        "of the networks that did not diverge.",
        [_curve_head(found), found.x, "n", "success %", "trainability %", "by", "trainable %",
         "born dead %", "collapsed %"],
        body,
    )  # fmt: skip


def boundaries_table(found: Findings) -> Shown:
    """Where success crosses the rate that was sought."""
    body = []
    for _, row in found.boundaries.iterrows():
        sides = []
        for side in ("from", "to"):
            rate = (row[f"rate_{side}{end}"] for end in ("", "_low", "_high"))
            sides += [f"{row[side]:g}", with_interval(*rate)]
        body.append([row["where"], row["axis"], *sides, "yes" if row["located"] else "not yet"])
    return Shown(
        "boundaries",
        "Neighbors in the grid with success rates on both sides of the level, in percent with "
        "intervals of 95 % each. Located: there is nothing left between them, or the settings "
        "differ by less than 5 %.",
        ["where", "along", "from", "success %", "to", "success %", "located"],
        body,
        n_text=2,
    )


def activity_table(found: Findings) -> Shown:
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
        for _, row in found.fits.activity.iterrows()
    ]
    return Shown(
        "effective_activity",
        "success = P(Bin(width, q) ≥ need), by maximum likelihood over the widths, with "
        "profile-likelihood intervals of 95 %. 1 - p: theory's probability that a neuron is born "
        "alive. A small p-value of the fit says that one number does not explain the curve.",
        [_curve_head(found), "n", "effective activity q", "born alive 1 - p", "deviance / df",
         "fit p"],
        body,
    )  # fmt: skip


def models_table(found: Findings) -> Shown:
    """All models of every curve, the best first."""
    body = []
    for curve, part in found.fits.models.groupby("curve", sort=False):
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
                    _number(row["deviance"]),
                    f"{row['degrees_of_freedom']}",
                    p_text(row["p_value"]),
                    _number(gap),
                ]
            )
    return Shown(
        "models",
        "Six models of success over width, by maximum likelihood: the trainability itself, with a "
        "lapse (a share that fails whatever the width), with an effective activity q, "
        "and each with a spread between cells. AIC: above that of the curve's best model. "
        "Likelihood-ratio tests of nested models: model_comparisons.csv; where each "
        "model misses: residuals.csv.",
        [_curve_head(found), "model", "fitted", "deviance", "df", "fit p", "AIC"],
        body,
        n_text=3,
    )


def widths_table(found: Findings) -> Shown:
    """The widths needed."""
    body = []
    for _, row in found.fits.widths.iterrows():
        fitted = "-"
        if not pd.isna(row["width"]):
            fitted = _number(row["width"])
            if row["width_low"] < row["width_high"]:
                fitted += f" [{_number(row['width_low'])}, {_number(row['width_high'])}]"
        body.append(
            [
                row["curve"],
                f"{100 * row['success_probability']:g} %",
                fitted,
                _number(row["width_measured"]),
                _number(row["width_trainability"]),
            ]
        )
    return Shown(
        "widths_needed",
        "By the fit: the least width at which P(Bin(width, q) ≥ need) reaches the probability, "
        "with the interval that follows from that of q; only as good as the fit. Measured: the "
        "least studied width whose interval lies wholly at or above it (-: none). "
        "By trainability alone: the least width at which theory allows it.",
        [_curve_head(found), "success", "by the fit", "measured", "by trainability alone"],
        body,
    )


def laws_table(found: Findings) -> Shown:
    """The tests of theory."""
    body = [
        [verdict.law, verdict.verdict, p_text(verdict.p_value), f"{verdict.false_alarm_rate:.0e}"]
        for verdict in found.verdicts
    ]
    return Shown(
        "laws",
        "Exact tests, over all cells together. A law that holds is called broken once in a "
        "million studies. Cell by cell: count_tests.csv, rates.csv.",
        ["law", "verdict", "p", "false alarms"],
        body,
        n_text=2,
    )


def failures_table(found: Findings) -> Shown:
    """Why trainable networks failed."""
    body = []
    for curve, part in found.failures.groupby("curve", sort=False):
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
    return Shown(
        "failures",
        "Trainable networks that failed, in percent by what befell them, with intervals of 95 % "
        "each. Lost neurons: at the end fewer active neurons are left than the task needs. Out of "
        "steps: enough are active, and the loss still fell by more than 1 % between the last two "
        "checkpoints. Local minimum: enough are active, and the loss has stalled.",
        [_curve_head(found), "failed", *REASONS],
        body,
    )


def census_table(found: Findings, at: float) -> Shown:
    """The census of every layer before and after training: all widths, or of deep networks one."""
    rates = found.rates
    cells = rates[rates[found.x] == at] if found.is_deep else rates
    census = found.measured.census
    census = census[census["cell"].isin(cells.index)]
    share = census.set_index(["cell", "layer", "moment", "state"])["share"].to_dict()
    n_layers = census.groupby("cell")["layer"].max().to_dict()
    body = []
    for cell, row in cells.iterrows():
        for layer in range(1, n_layers.get(cell, 0) + 1):
            body.append(
                [
                    row["curve"],
                    f"{row[found.x]:g}",
                    f"{layer}",
                    *(
                        f"{percent(share.get((cell, layer, 'before', state), np.nan))} → "
                        f"{percent(share.get((cell, layer, 'after', state), np.nan))}"
                        for state in STATES.values()
                    ),
                ]
            )
    return Shown(
        "census",
        "Percent of a hidden layer's neurons before → after training. "
        "Tentatively dead: another setting of the layers before it could revive the neuron; "
        "permanently dead: none can. The file has standard errors and all cells.",
        [_curve_head(found), found.x, "layer", *STATES.values()],
        body,
    )


def survival_table(found: Findings, at: float) -> Shown:
    """Steps until shares of the networks have succeeded, at one place of the horizontal axis."""
    cells = found.rates[found.rates[found.x] == at]
    shares = (0.1, 0.5, 0.9)
    body = []
    for cell, row in cells.iterrows():
        part = found.survival[found.survival["cell"] == cell]
        reached = [part.loc[part["survival"] <= 1 - share, "step"].min() for share in shares]
        last = part.iloc[-1]
        left = (last["survival"], last["survival_low"], last["survival_high"])
        body.append([row["curve"], f"{row['n']:,}", *map(_number, reached), with_interval(*left)])
    return Shown(
        "survival",
        "The step of the curve's grid by which a share of all networks has succeeded (-: not "
        "within the budget), and the percent that have not succeeded at the end. Kaplan-Meier; "
        "networks without success are censored at the budget.",
        [_curve_head(found), "n", *(f"{100 * share:g} %" for share in shares), "never %"],
        body,
    )


def losses_table(found: Findings, at: float) -> Shown:
    """Quantiles of the loss at the end, at one place of the horizontal axis."""
    cells = found.rates[found.rates[found.x] == at]
    quantiles = ["q10", "q25", "q50", "q75", "q90"]
    body = []
    for cell, row in cells.iterrows():
        last = found.measured.losses[found.measured.losses["cell"] == cell].iloc[-1]
        body.append(
            [row["curve"], f"{last['n']:,}", f"{last['step']:,}"]
            + [f"{last[name]:.2e}" for name in quantiles]
        )
    return Shown(
        "losses",
        "Quantiles of the loss over all networks at the last step. A network "
        "stops once it succeeds and keeps its loss; one that diverged counts as infinite.",
        [_curve_head(found), "n", "step", *(f"{name[1:]} %" for name in quantiles)],
        body,
    )


def comparisons_table(found: Findings) -> Shown:
    """Pairs of schemes, summed up over all places at which they were compared."""
    body = []
    for (a, b), part in found.comparisons.groupby(["a", "b"], sort=False):
        decided = part[part["p_holm"] <= 0.05]
        widest = part.iloc[part["difference"].abs().argmax()]
        gap = [100 * widest[name] for name in
               ("difference", "difference_low", "difference_high")]  # fmt: skip
        place = f"{widest[found.x]:g}" if found.x in widest else "-"
        body.append(
            [
                str(a),
                str(b),
                "pairs" if part["paired"].all() else "independent",
                f"{int((decided['difference'] < 0).sum())}",
                f"{int((decided['difference'] > 0).sum())}",
                f"{len(part) - len(decided)}",
                f"{gap[0]:+.1f} [{gap[1]:+.1f}, {gap[2]:+.1f}]",
                place,
            ]
        )
    return Shown(
        "comparisons",
        "At how many places a or b succeeds more often, by exact tests at 5 % that are "
        "Holm-corrected over all comparisons of the study, and the largest difference, b minus a, "
        "in percentage points with its interval. Cells that share their initializations are "
        "compared pair by pair (McNemar), others as independent samples (Fisher).",
        ["a", "b", "samples", "a better", "b better", "undecided", "largest difference",
         f"at {found.x}"],
        body,
        n_text=3,
    )  # fmt: skip


def published_table(found: Findings) -> Shown:
    """Published numbers beside ours."""
    body = []
    for _, row in found.published.iterrows():
        gap = [100 * row[f"difference{end}"] for end in ("", "_low", "_high")]
        inside = f" [{gap[1]:+.1f}, {gap[2]:+.1f}]" if np.isfinite(gap[1]) else ""
        body.append(
            [
                row["source"],
                f"{row['scheme']}, width {row['width']}",
                row["quantity"].replace("_", " "),
                row["differs"] or "nothing",
                percent(row["published"]),
                percent(row["ours"]),
                f"{gap[0]:+.1f}{inside}",
            ]
        )
    return Shown(
        "published",
        "In percent; the difference, ours minus theirs, in percentage points with an interval of "
        "95 % where their number of networks is known.",
        ["source", "cell", "quantity", "what differs", "published", "ours", "difference"],
        body,
        n_text=4,
    )


def _curve_head(found: Findings) -> str:
    return ", ".join(name.replace("_", " ") for name in found.curves)


def _number(value: float) -> str:
    if pd.isna(value):
        return "-"
    return "∞" if np.isinf(value) else f"{value:,.4g}" if value % 1 else f"{value:,.0f}"
