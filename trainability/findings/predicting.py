"""Success as theory predicts it, beside what was measured, and the test that the two are close."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from trainability.analysis.comparisons import holm
from trainability.analysis.laws import bound_tests
from trainability.analysis.predicted import LAW, predict_success
from trainability.errors import StorageError
from trainability.storage import Storage
from trainability.study import Cell

CLOSE = 0.03
"""How far success may be from its prediction, which is an approximation and no identity."""
PREDICTED = f"Success is as theory predicts it, within {100 * CLOSE:g} percentage points."

_RECORD = "predicted_success"


def with_predicted_success(
    rates: pd.DataFrame, cells: Mapping[str, Cell], study: str, storage: Storage
) -> pd.DataFrame:
    """The rates with `predicted_success` and `predicted_success_se`, NaN where there is none.

    A prediction takes about a second of a CPU, so it is kept beside the rows. Where that can't be
    written it is made anew the next time.

    Args:
        rates: One row per cell, indexed by its id.
        cells: The cells, by id.
        study: The study's name.
        storage: Where its rows are.
    """
    stored = storage.read_record(study, _RECORD, _parse, lost={}) or {}
    made = predict_success(cell for id_, cell in cells.items() if id_ not in stored)
    if made:
        stored |= {id_: (p.value, p.standard_error) for id_, p in made.items()}
        record = {"law": LAW, "cells": {id_: list(entry) for id_, entry in stored.items()}}
        with contextlib.suppress(StorageError):
            storage.write_record(study, _RECORD, json.dumps(record, indent=1))
    values = [stored.get(str(id_), (math.nan, math.nan)) for id_ in rates.index]
    return rates.assign(
        predicted_success=[value for value, _ in values],
        predicted_success_se=[error for _, error in values],
    )


def _parse(record: Any) -> dict[str, tuple[float, float]]:
    if record["law"] != LAW:
        return {}
    entries = {str(id_): (float(p), float(error)) for id_, (p, error) in record["cells"].items()}
    if not all(0 <= p <= 1 and 0 <= error <= 1 for p, error in entries.values()):
        raise ValueError("a probability is out of range")
    return entries


def prediction_tests(rates: pd.DataFrame, x: str, n_looks: int, level: float) -> pd.DataFrame:
    """Prediction against measurement in the cells that are predicted; no rows if none is.

    Args:
        rates: One row per cell, with `curve`, `predicted_success` and its standard error.
        x: The column along which curves run.
        n_looks: How often a cell was looked at before it stopped, at most.
        level: Of the intervals.

    Returns:
        Indexed by cell: `curve`, the column `x`, `n`, `predicted_success` with `_se`,
        `success_rate` with `_low` and `_high`; `difference`, measured minus predicted, with limits
        that hold both errors (Newcombe 1998, Statistics in Medicine 17, 873-890, method 10);
        `p_value` of the exact test that success is within `CLOSE` of the prediction, which gets
        the benefit of its sampling error, and `p_holm` over the cells.
    """
    rates = rates[rates["predicted_success"].notna()]
    ends = {"lower": -CLOSE, "upper": CLOSE}
    bounds = {end: (rates["predicted_success"] + far).clip(0, 1) for end, far in ends.items()}
    errors = {f"{end}_se": rates["predicted_success_se"] for end in ends}
    tests = bound_tests(rates.assign(**bounds, **errors), "successes", "lower", "upper")
    columns = ["curve", x, "n", "predicted_success", "predicted_success_se"]
    measured = ["success_rate", "success_rate_low", "success_rate_high"]
    table = rates[list(dict.fromkeys([*columns, *measured]))].copy()
    predicted, rate, low, high = (
        table[name].to_numpy(dtype=float) for name in ("predicted_success", *measured)
    )
    half_width = -special.ndtri((1 - level) / 2) * table["predicted_success_se"].to_numpy(
        dtype=float
    )
    table["difference"] = rate - predicted
    table["difference_low"] = rate - predicted - np.hypot(rate - low, half_width)
    table["difference_high"] = rate - predicted + np.hypot(high - rate, half_width)
    table["p_value"] = np.minimum(1.0, tests["p_value"].to_numpy(dtype=float) * n_looks)
    table["p_holm"] = holm(table["p_value"])
    return table
