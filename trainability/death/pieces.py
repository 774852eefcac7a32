"""Activations with any flat pieces: the first layer exactly, later layers by points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trainability.activations import Activation
from trainability.arithmetic import ARRAYS
from trainability.death.points import sample_points
from trainability.death.rounding import margin
from trainability.death.status import (
    CLOSED_FORM,
    EXACT,
    POSITIVE,
    SAMPLE,
    SILENT,
    UNKNOWN,
    Verdicts,
)
from trainability.domains import Ball, Box, Domain, Points
from trainability.errors import InputError

_CHUNK_NUMBERS = 1 << 18


def settle_by_pieces(
    activation: Activation,
    weights: Sequence[np.ndarray],
    biases: Sequence[np.ndarray],
    verdicts: Verdicts,
    domain: Domain,
    n_samples: int,
) -> None:
    """Record which pre-activations leave every flat piece (POSITIVE) or stay in one (SILENT).

    The first layer is linear, so that on a ball or a box its least and largest pre-activation
    are known in closed form. Later layers are looked at on points: all of them, where the domain
    is points; else a sample, which proves life only.

    Args:
        activation: With flat pieces.
        weights: Of the hidden layers, each of shape (R, W_t, W_{t-1}).
        biases: Of the hidden layers, each of shape (R, W_t).
        verdicts: Filled in.
        domain: Where inputs live.
        n_samples: Points to sample of a ball or a box.
    """
    if isinstance(domain, Points):
        points, certificate, otherwise = domain.x, EXACT, SILENT
    elif isinstance(domain, Ball | Box):
        points, certificate, otherwise = sample_points(domain, n_samples), SAMPLE, UNKNOWN
        largest = domain.support(weights[0]) + biases[0]
        least = biases[0] - domain.support(-weights[0])
        silent = _within(activation, least, largest, np.zeros_like(least))
        sign = np.where(silent, SILENT, POSITIVE).astype(np.int8)
        verdicts.record(0, slice(None), sign, CLOSED_FORM)
    else:
        raise InputError(f"a census wants a Ball, Box or Points, got {domain!r}")
    widest = max(points.shape[1], *(weight.shape[1] for weight in weights))
    step = max(1, _CHUNK_NUMBERS // (len(points) * widest))
    for first in range(0, len(weights[0]), step):
        rows = slice(first, first + step)
        values = np.broadcast_to(points, (len(weights[0][rows]), *points.shape))
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            w, b = weight[rows], bias[rows]
            error = margin(w, b, np.abs(values).max(axis=1))
            z = np.matmul(values, w.transpose(0, 2, 1)) + b[:, None]
            silent = _within(activation, z.min(axis=1), z.max(axis=1), error)
            sign = np.where(silent, otherwise, POSITIVE).astype(np.int8)
            verdicts.record(layer, rows, sign, certificate)
            values = np.asarray(activation.value(ARRAYS, z))


def _within(
    activation: Activation, least: np.ndarray, largest: np.ndarray, error: np.ndarray
) -> np.ndarray:
    """Whether [least, largest] lies within one flat piece, up to the rounding of its ends."""
    inside = np.zeros(least.shape, dtype=bool)
    for low, high in activation.flat:
        inside |= (least >= low - error) & (largest <= high + error)
    return inside
