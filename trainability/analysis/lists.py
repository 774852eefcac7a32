"""Columns of lists, such as one number for each layer or checkpoint."""

from __future__ import annotations

import numpy as np
import pandas as pd


def flattened(lists: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All values of a column of lists as floats, and where every list starts and ends."""
    parts = lists.to_list()
    ends = np.cumsum([len(part) for part in parts], dtype=int)
    values = np.concatenate(parts).astype(float) if parts else np.empty(0)
    return values, np.append(0, ends)[:-1], ends
