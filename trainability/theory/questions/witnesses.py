"""Whether networks are born dead on many points, for a small part of the work of looking at all.

A network is alive as soon as every layer has a neuron that is active at some point: a few points
bear witness for most networks. Only where these fail are all points looked at, and only up to the
first layer that is dead.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trainability.domains import Domain

Layers = Sequence[tuple[np.ndarray, np.ndarray]]
"""W of shape (R, fan_out, fan_in) and b of shape (R, fan_out), first hidden layer to last."""

_N_WITNESSES = 64
_NUMBERS_AT_ONCE = 2**17
"""So many stay in the caches of a core."""


def witnesses(x: np.ndarray) -> np.ndarray:
    """Some of the points, shape (at most 64, d): the outermost in many directions, and others.

    Args:
        x: Points of shape (N, d).
    """
    if len(x) <= _N_WITNESSES:
        return x
    directions = np.random.default_rng(0).standard_normal((x.shape[1], _N_WITNESSES // 2))
    outermost = ((x - x.mean(axis=0)) @ directions).argmax(axis=0)
    others = np.linspace(0, len(x) - 1, _N_WITNESSES // 2).astype(int)
    return x[np.unique(np.concatenate([outermost, others]))]


def born_dead_networks(
    layers: Layers, domain: Domain, x: np.ndarray, few: np.ndarray
) -> tuple[np.ndarray, int]:
    """Which networks have a hidden layer that is wholly dead, and what it took to know.

    Args:
        layers: The hidden layers of R networks.
        domain: On which the first layer is looked at, exactly.
        x: Points of it, shape (N, d), on which the layers behind are looked at.
        few: Some of them: whose answer is asked first.

    Returns:
        Whether each network is born dead, bool of shape (R,), exactly as if all points had been
        looked at; and the numbers that were computed.
    """
    unknown = np.ones(len(layers[0][0]), dtype=bool)
    unknown[_survivors(layers, None, few, np.arange(len(unknown)))[0]] = False
    spent = len(unknown) * _numbers(layers, few)
    dead = np.zeros(len(unknown), dtype=bool)
    indices = np.flatnonzero(unknown)
    size = max(1, _NUMBERS_AT_ONCE // (len(x) * max(w.shape[1] for w, _ in layers)))
    for start in range(0, len(indices), size):
        chosen = indices[start : start + size]
        alive, numbers = _survivors(layers, domain, x, chosen)
        dead[chosen] = True
        dead[alive] = False
        spent += numbers
    return dead, spent


def _survivors(
    layers: Layers, domain: Domain | None, x: np.ndarray, indices: np.ndarray
) -> tuple[np.ndarray, int]:
    """Those of some networks that have no dead layer on x, and the numbers computed."""
    image: np.ndarray = x.T[None]
    spent = 0
    for t, (w, b) in enumerate(layers):
        before = w[indices] @ image
        before += b[indices][:, :, None]
        spent += before.size
        if t == 0 and domain is not None:
            lives = (b[indices] + domain.support(w[indices]) > 0).any(axis=1)
        else:
            lives = (before.max(axis=2) > 0).any(axis=1)
        if not lives.all():
            indices, before = indices[lives], before[lives]
        image = np.maximum(before, 0, out=before)
        if not len(indices):
            break
    return indices, spent


def _numbers(layers: Layers, x: np.ndarray) -> int:
    return len(x) * sum(w.shape[1] for w, _ in layers)
