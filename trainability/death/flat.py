"""Parameters of many networks as one array, for compiled loops over networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def flattened(weights: Sequence[np.ndarray], biases: Sequence[np.ndarray]) -> np.ndarray:
    """All parameters of each network in a row: weights and biases of one layer after another.

    Args:
        weights: Of the hidden layers, each of shape (R, W_t, W_{t-1}).
        biases: Of the hidden layers, each of shape (R, W_t).

    Returns:
        Shape (R, number of parameters).
    """
    n_networks = len(weights[0])
    return np.concatenate(
        [a.reshape(n_networks, -1) for pair in zip(weights, biases, strict=True) for a in pair],
        axis=1,
    )
