"""Chance inside of a module: what it drops out comes from the identity of the copy, not from torch.

torch's generators are shared by all that runs: what a copy drew would depend on its neighbors, the
device and the threads. So `dropout` in all its forms is drawn here, by SplitMix64 from the copy's
own key, in integer arithmetic that is the same on every device, stacked or not. Whatever else is
random in a module draws from torch's generators, seeded by the key, copy by copy.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

_BITS = 24
_GENERATORS = threading.RLock()
"""Held by whoever seeds the generators that all threads share."""


class Dropout(TorchFunctionMode):
    """Within, dropout is drawn from a key.

    Args:
        key: Of one copy and step: int64, shape (). May be a batched tensor, within `vmap`.
    """

    _CHANNELS = (F.dropout1d, F.dropout2d, F.dropout3d)

    def __init__(self, key: Tensor) -> None:
        super().__init__()
        self._key = key
        self._n_calls = 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is F.dropout or func in self._CHANNELS:
            return self._dropped(*args, **(kwargs or {}), by_channel=func is not F.dropout)
        return func(*args, **(kwargs or {}))

    def _dropped(
        self, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False,
        *, by_channel: bool,
    ) -> Tensor:  # fmt: skip
        if not training or p == 0:
            return input
        self._n_calls += 1
        shape = (*input.shape[:2], *(1,) * (input.ndim - 2)) if by_channel else input.shape
        index = torch.arange(int(np.prod(shape)), device=input.device)
        bits = _mixed(_mixed(self._key + self._n_calls) + index) & ((1 << _BITS) - 1)
        kept = (bits >= round(p * (1 << _BITS))).reshape(shape)
        dropped = input * kept * (1 / (1 - p) if p < 1 else 0.0)
        return input.copy_(dropped) if inplace else dropped


def _mixed(values: Tensor) -> Tensor:
    """SplitMix64's finalizer, on int64 for want of uint64: shifts fill up with zeros by masks."""
    z = values * _signed(0x9E3779B97F4A7C15)
    z = (z ^ ((z >> 30) & ((1 << 34) - 1))) * _signed(0xBF58476D1CE4E5B9)
    z = (z ^ ((z >> 27) & ((1 << 37) - 1))) * _signed(0x94D049BB133111EB)
    return z ^ ((z >> 31) & ((1 << 33) - 1))


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within, torch's, NumPy's and Python's own generators start from a seed; then as before.

    Args:
        seed: From 0 to 2^63 - 1.
    """
    with _GENERATORS, torch.random.fork_rng():
        before = random.getstate(), np.random.get_state()
        _seed_torch(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])


def _seed_torch(seed: int) -> None:
    """As `torch.manual_seed` does, which without an accelerator still notes for three kinds of them
    who has called it, line by line: most of the time that drawing a small module took.
    """
    if torch.accelerator.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)
