"""A tuning's candidates and finalists as tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from trainability.analysis.rates import clopper_pearson
from trainability.seeds import BLOCK_SIZE
from trainability.tuning.declaration import Tuning
from trainability.tuning.result import LEVEL, Result
from trainability.tuning.space import Settings

SUFFIXES = ("", "_2")
"""Of the columns of the first and the second objective."""


def candidate_table(result: Result) -> pd.DataFrame:
    """One row per candidate, in the order in which they were proposed.

    Returns:
        A column per setting, of categories their texts, empty where a candidate has no such
        setting; `n_networks`; per objective, the second with the suffix `_2`:
        `value` in the search with its 95 % interval `low`, `high` (which does not know that the
        best were chosen for their luck), and `expected`, the surrogate's view; `hopeful`: whether
        no other is surely better; `begun`: networks trained before; `fresh`: the first objective
        on fresh seeds, NaN but for finalists.
    """
    search, tuning = result.search, result.tuning
    fresh = {entry.settings: entry.values[0].value for entry in result.evaluated_again}
    begun: dict[Settings, int] = {}
    blocks: dict[Settings, int] = {}
    trained = 0
    for batch in search.rounds:
        for settings, n in batch.blocks.items():
            begun.setdefault(settings, trained)
            trained += (n - blocks.get(settings, 0)) * BLOCK_SIZE * len(tuning.widths)
            blocks[settings] = n
    rows = []
    for standing in search.standings:
        row = columns(tuning, standing.settings)
        row |= {"n_networks": standing.n_networks}
        outcomes = search.measured[standing.settings]
        for suffix, part, expected in zip(
            SUFFIXES, tuning.objectives, standing.expected, strict=False
        ):
            estimate = part.estimate(outcomes, LEVEL, clopper_pearson)
            row |= {f"value{suffix}": estimate.value, f"low{suffix}": estimate.low}
            row |= {f"high{suffix}": estimate.high}
            row[f"expected{suffix}"] = float(part.value_of(np.array(expected)))
        row |= {"hopeful": standing.hopeful, "begun": begun[standing.settings]}
        rows.append(row | {"fresh": fresh.get(standing.settings, float("nan"))})
    return pd.DataFrame(rows)


def finalist_table(result: Result) -> pd.DataFrame:
    """One row per finalist, the default last, all on fresh seeds.

    Returns:
        `candidate` as one writes it, `is_default`, a column per setting (NaN for the default),
        `n_networks` of every width; per objective, the second with the suffix `_2`: `value`,
        `low`, `high`, `difference`, `difference_low`, `difference_high` to the default, and
        `observed`, the value that the search had seen.
    """
    tuning = result.tuning
    rows = []
    for entry in [*result.finalists, result.default]:
        is_default = entry.settings is None
        row = {"candidate": entry.name, "is_default": is_default}
        row |= columns(tuning, entry.settings)
        row["n_networks"] = tuning.n_fresh_blocks * BLOCK_SIZE
        for suffix, value, difference, observed in zip(
            SUFFIXES, entry.values, entry.differences, entry.observed, strict=False
        ):
            row |= {f"value{suffix}": value.value, f"low{suffix}": value.low}
            row |= {f"high{suffix}": value.high, f"difference{suffix}": difference.value}
            row |= {f"difference_low{suffix}": difference.low}
            row |= {f"difference_high{suffix}": difference.high, f"observed{suffix}": observed}
        rows.append(row)
    return pd.DataFrame(rows)


def columns(tuning: Tuning, settings: Settings | None) -> dict[str, Any]:
    """The settings of a candidate by name: numbers, texts of categories, NaN or "" for none."""
    values = {} if settings is None else tuning.space.active(settings)
    return {
        name: (values.get(name, float("nan")))
        if part.is_ordered
        else (tuning.space.text(name, values[name]) if name in values else "")
        for name, part in tuning.vary.items()
    }
