"""How the width that a share of success takes grows with the number of samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

DRAWS_BEYOND = 50
"""Tables of rates that are drawn beyond either end of an interval: how likely the truth lies there
is then known to 1/sqrt(50), some 14 % of it."""
MOST_DRAWS = 200_000
"""In all: at more than a hundred looks fewer lie beyond the ends, which are coarser then."""
LEAST_SIZES = 3
"""Numbers of samples from which on a power is fitted."""


@dataclass(frozen=True)
class Power:
    """The power of the number of samples with which a width grows.

    Args:
        widths: One row per number of samples: `n_train`, `width` with `width_low` and
            `width_high`; NaN where success crosses the share at no studied width.
        power: Slope of log width over log samples, by least squares; NaN with fewer than
            `LEAST_SIZES` widths.
        low, high: Its interval.
        n: Networks behind it.
    """

    widths: pd.DataFrame
    power: float
    low: float
    high: float
    n: int


def power_of_samples(cells: pd.DataFrame, share: float, level: float = 0.95) -> Power:
    """The width at which success crosses a share, for every number of samples, and its growth.

    Between two studied widths the logit of success, of (k + 1/2)/(n + 1), is taken to be linear in
    the logarithm of the width; what counts is the last crossing. Intervals are percentiles over
    `n_draws` tables of rates from their posterior under Jeffreys' prior, Beta(k + 1/2,
    n - k + 1/2), always the same ones; what crosses in fewer of the draws than `level` has none.

    Args:
        cells: One row per cell: `n_train`, `width`, `successes`, `n`.
        share: Within (0, 1), such as 0.9.
        level: Of every interval.
    """
    rng, draws_each = np.random.default_rng(0), n_draws(level)
    tail = 100 * (1 - level) / 2
    rows, drawn = [], []
    for size, part in cells.groupby("n_train", sort=True):
        part = part.sort_values("width")
        k, n = (part[name].to_numpy(dtype=float) for name in ("successes", "n"))
        at = np.log(part["width"].to_numpy(dtype=float))
        best = _crossing(at, ((k + 0.5) / (n + 1))[None], share)[0]
        draws = _crossing(at, rng.beta(k + 0.5, n - k + 0.5, (draws_each, len(k))), share)
        crosses = np.isfinite(best) and np.isfinite(draws).mean() >= level
        limits = np.nanpercentile(draws, [tail, 100 - tail]) if crosses else [np.nan, np.nan]
        rows.append([size, *np.exp([best if crosses else np.nan, *limits])])
        drawn.append(draws)
    widths = pd.DataFrame(rows, columns=["n_train", "width", "width_low", "width_high"])
    crossed = widths["width"].notna().to_numpy()
    n_networks = int(cells["n"].sum())
    if crossed.sum() < LEAST_SIZES:
        return Power(widths, np.nan, np.nan, np.nan, n_networks)
    x = np.log(widths["n_train"].to_numpy(dtype=float)[crossed])
    y = np.log(widths["width"].to_numpy(dtype=float)[crossed])
    slopes = _slope(x, np.stack(drawn, axis=1)[:, crossed])
    low, high = np.nanpercentile(slopes, [tail, 100 - tail])
    return Power(widths, float(_slope(x, y[None])[0]), float(low), float(high), n_networks)


def n_draws(level: float) -> int:
    """Tables of rates that are drawn for intervals of a level.

    >>> n_draws(0.95), n_draws(0.999)
    (2000, 100000)
    """
    return min(round(2 * DRAWS_BEYOND / (1 - level)), MOST_DRAWS)


def _crossing(at: np.ndarray, rates: np.ndarray, share: float) -> np.ndarray:
    """Where rates, shape (draws, widths), last rise above a share; NaN where they never do."""
    logit = special.logit(np.clip(rates, 1e-12, 1 - 1e-12)) - special.logit(share)
    rises = (logit[:, :-1] < 0) & (logit[:, 1:] >= 0)
    if not rises.shape[1]:
        return np.full(len(rates), np.nan)
    last = rises.shape[1] - 1 - rises[:, ::-1].argmax(axis=1)
    row = np.arange(len(rates))
    before, after = logit[row, last], logit[row, last + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        place = at[last] - before / (after - before) * (at[last + 1] - at[last])
    return np.where(rises.any(axis=1), place, np.nan)


def _slope(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    centered = x - x.mean()
    return y @ centered / (centered @ centered)
