"""Scheme against scheme, and published numbers beside ours."""

from __future__ import annotations

from math import comb

import numpy as np
import pandas as pd

from trainability.analysis.comparisons import compare, difference, holm
from trainability.findings.places import WIDTHS, width_axis
from trainability.study import AXES, Study

MOST_PAIRS = 20_000
"""Pairs of cells that are compared at most; more say nothing to a reader."""


def compare_schemes(
    rates: pd.DataFrame, networks: pd.DataFrame, n_looks: int, level: float
) -> pd.DataFrame:
    """All pairs of schemes at every point of the other axes, Holm-corrected over all of them.

    Args:
        rates: One row per cell, with its identity.
        networks: Every network's `cell`, `replicate` and `success`.
        n_looks: How often a cell was looked at before it stopped, at most: intervals and p-values
            hold at any of these looks at both cells (Bonferroni).
        level: Of every interval.

    Returns:
        As `comparisons.compare`; no rows for one scheme, or with more than `MOST_PAIRS` pairs.
    """
    identity = list(rates.columns[: rates.columns.get_loc("n")])
    axes = _other_axes(rates)
    sizes = rates.groupby(axes, dropna=False).size() if axes else pd.Series([len(rates)])
    n_pairs = sum(comb(int(size), 2) for size in sizes)
    if not 0 < n_pairs <= MOST_PAIRS or rates["scheme"].nunique() < 2:
        return pd.DataFrame()
    codes = rates.index.get_indexer(networks["cell"].cat.categories)[networks["cell"].cat.codes]
    rows = networks.filter(["cell", "replicate", "success", "trainable", "steps"])
    rows = rows.assign(cell=rows["cell"].astype(object), status="ok", born_dead=False)
    for name in identity:
        values = pd.Categorical(rates[name])
        rows[name] = pd.Categorical.from_codes(values.codes[codes], categories=values.categories)
    family = n_looks**2
    table = compare(rows, "scheme", 1 - (1 - level) / family, tuple(axes) or ("task",))
    table["p_value"] = np.minimum(1.0, table["p_value"] * family)
    table["p_holm"] = holm(table["p_value"])
    return table


def paper_beside_ours(study: Study, rates: pd.DataFrame, level: float) -> pd.DataFrame:
    """Published numbers beside the cells that they are about, and beside no others.

    Returns:
        One row per published number that a cell answers: `source`, `quantity`, `scheme`, `width`,
        `differs` (from our setting, in words), `published`, `published_n`, `ours`, `n`, and
        `difference` (ours minus published) with `difference_low` and `difference_high` at `level`
        (NaN where the number of networks was not published).
    """
    counts = {
        "success_rate": "successes",
        "trainable_rate": "n_trainable",
        "born_dead_rate": "n_born_dead",
    }
    found = []
    for entry in study.published:
        cells = rates[rates["scheme"] == str(entry.scheme)]
        # A number that is not declared for a task or a depth is about a study's only one.
        for name, value in (("task", entry.task and str(entry.task)), ("depth", entry.depth)):
            if value is not None:
                cells = cells[cells[name] == value]
        for width, value in entry.values:
            at = (
                cells[WIDTHS] == str(width) if isinstance(width, tuple) else cells["width"] == width
            )
            for _, cell in cells[at].iterrows():
                n, k = int(cell["n"]), int(cell[counts[entry.quantity]])
                limits = (np.nan, np.nan)
                if entry.n:
                    limits = difference(round(value * entry.n), entry.n, k, n, level)[1:]
                found.append(
                    [entry.source, entry.quantity, cell["scheme"], width, entry.differs, value,
                     entry.n, k / n, n, k / n - value, *map(float, limits)]
                )  # fmt: skip
    names = ["source", "quantity", "scheme", "width", "differs", "published", "published_n"]
    names += ["ours", "n", "difference", "difference_low", "difference_high"]
    return pd.DataFrame(found, columns=names)


def _other_axes(rates: pd.DataFrame) -> list[str]:
    return [
        name
        for name in (width_axis(rates) if axis == "width" else axis for axis in AXES)
        if name != "scheme" and name in rates and len(rates.drop_duplicates(subset=name)) > 1
    ]
