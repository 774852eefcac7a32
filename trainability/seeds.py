"""From identity to random stream; nothing else in this package creates randomness.

A stream is keyed by the study's seed, by a text that holds what determines the numbers
(the *identity*), by a purpose and by an index. Who draws, where, when and in which company
does not matter.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from trainability.lazy import numpy as np

BLOCK_SIZE = 256
"""Replicates per block, the unit in which randomness is drawn."""

Purpose = Literal["initialization", "order", "sampling", "tuning", "analysis", "data"]
_PURPOSES: dict[Purpose, int] = {
    "initialization": 0,
    "order": 1,
    "sampling": 2,
    "tuning": 3,
    "analysis": 4,
    "data": 5,
}
_GOLDEN = 0x9E3779B97F4A7C15


def stream(seed: int, identity: str, purpose: Purpose, index: int = 0) -> np.random.Generator:
    """A generator that depends on nothing but its arguments.

    Args:
        seed: The study's seed, >= 0.
        identity: Text that determines the numbers; two texts give independent streams.
        purpose: What the numbers are for; two purposes give independent streams.
        index: The block, or another number >= 0 that tells streams of one identity apart.
    """
    digest = hashlib.sha256(identity.encode()).digest()
    words = tuple(int(word) for word in np.frombuffer(digest[:16], dtype="<u4"))
    sequence = np.random.SeedSequence(seed, spawn_key=(*words, _PURPOSES[purpose], index))
    return np.random.Generator(np.random.Philox(sequence))


def order_keys(seed: int, identity: str, block: int) -> np.ndarray:
    """Keys of a block's minibatch orders, one of 64 bits per replicate: shape (BLOCK_SIZE,)."""
    return stream(seed, identity, "order", block).integers(
        0, 2**64, size=BLOCK_SIZE, dtype=np.uint64
    )


def mix64(values: np.ndarray | np.uint64) -> np.ndarray:
    """SplitMix64's finalizer (Steele, Lea & Flood 2014), elementwise on uint64, modulo 2^64."""
    z = np.asarray(values, dtype=np.uint64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def batch_order(keys: np.ndarray, epoch: int, n_points: int) -> np.ndarray:
    """The order in which each replicate visits the training points in one epoch.

    Fisher-Yates, driven by a SplitMix64 stream per (key, epoch); an index below k is taken from
    the upper 32 bits by multiplication, whose bias is below k / 2^32. A pure function of key and
    epoch, so that any engine may compute it for any subset of replicates.

    Args:
        keys: uint64, shape (R,), from `order_keys`.
        epoch: Epoch, counted from 0.
        n_points: N, the number of training points.

    Returns:
        int32, shape (R, N): a permutation of 0..N-1 in every row.
    """
    golden = np.uint64(_GOLDEN)
    with np.errstate(over="ignore"):
        state = mix64(keys ^ mix64(np.uint64(epoch) + golden))
        order = np.tile(np.arange(n_points, dtype=np.int32), (len(keys), 1))
        rows = np.arange(len(keys))
        for last in range(n_points - 1, 0, -1):
            state = state + golden
            upper = mix64(state) >> np.uint64(32)
            chosen = ((upper * np.uint64(last + 1)) >> np.uint64(32)).astype(np.int64)
            swapped = order[rows, chosen]
            order[rows, chosen] = order[:, last]
            order[:, last] = swapped
    return order
