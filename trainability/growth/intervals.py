"""Intervals that stay valid for cells whose number of networks depends on what they did."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trainability.analysis.sequences import confidence_sequence
from trainability.growth.rounds import successes_by_block
from trainability.growth.rule import LOST, Growth
from trainability.seeds import BLOCK_SIZE

EXACT = "exact"
AT_STOP = "exact, where the rule stopped"
AT_ALL_TIMES = "confidence sequence"
_RATES = {
    "success_rate": ("successes", "n"),
    "trainable_rate": ("n_trainable", "n"),
    "born_dead_rate": ("n_born_dead", "n"),
    "collapsed_rate": ("n_collapsed", "n_collapse_known"),
}


def with_valid_intervals(
    rates: pd.DataFrame, networks: pd.DataFrame, growth: Growth | None, level: float
) -> tuple[pd.DataFrame, int]:
    """A table of rates whose intervals cover although the study grew until they were narrow.

    A cell that stopped where the rule says gets the rule's own interval of the success rate. One
    that has not stopped yet, or that has more networks than that, gets a confidence sequence, and
    so do the rates that the rule does not look at.

    Args:
        rates: From `success_rates`, with exact intervals for a fixed number of networks.
        networks: Every network's `cell`, `replicate` and `success`.
        growth: The rule by which the study has grown, or None. Where it is `LOST`, intervals are
            those that hold however a study grew.
        level: Of every interval.

    Returns:
        The table with `interval`, the kind of that of the success rate, and `n_wanted` networks by
        the rule (those that are there without one); and the largest number of times that a cell
        was looked at before it stopped, 1 without a rule.
    """
    if growth is LOST:
        return _at_all_times(rates, level), int(rates["n"].max()) // BLOCK_SIZE
    if growth is None or growth.stopping is None:
        return rates.assign(interval=EXACT, n_wanted=rates["n"]), 1
    looks = {
        str(cell): growth.looks(
            successes_by_block(part["replicate"].to_numpy(), part["success"].to_numpy())
        )
        for cell, part in networks.groupby("cell", observed=True, sort=False)
    }
    table = rates.copy()
    table["n_wanted"] = [looks[str(cell)][-1] * BLOCK_SIZE for cell in rates.index]
    stopped = (table["n"] == table["n_wanted"]).to_numpy()
    n = rates["n"]
    for rate in _RATES:
        low, high = _sequence(rates, rate, level)
        if rate == "success_rate":
            at_stop = growth.stopping.interval(rates["successes"], n)
            low, high = np.where(stopped, at_stop[0], low), np.where(stopped, at_stop[1], high)
        table[f"{rate}_low"], table[f"{rate}_high"] = low, high
    table["interval"] = np.where(stopped, AT_STOP, AT_ALL_TIMES)
    return table, max(map(len, looks.values()))


def _sequence(rates: pd.DataFrame, rate: str, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Limits that hold at all times; NaN where nothing is known."""
    count, of = _RATES[rate]
    has_any = (rates[of] > 0).to_numpy()
    limits = confidence_sequence(rates[count], np.maximum(rates[of], 1), level)
    low, high = (np.where(has_any, limit, np.nan) for limit in limits)
    return low, high


def _at_all_times(rates: pd.DataFrame, level: float) -> pd.DataFrame:
    table = rates.assign(interval=AT_ALL_TIMES, n_wanted=rates["n"])
    for rate in _RATES:
        low, high = _sequence(rates, rate, level)
        table[f"{rate}_low"], table[f"{rate}_high"] = low, high
    return table
