"""What passes through a module have shown: its layers, its neurons, and what was not understood.

Whatever was not seen to be constant may change in training, and whatever was not understood
counts as used elsewhere: an unknown module costs proofs, never truth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

CONSTANT, DATA, UNKNOWN = 0, 1, 2
"""What a tensor depends on: nothing, the data alone, or more, be it chance or what is unseen."""

NO_NEURON, MIXED = -1, -2
"""Codes of numbers that belong to no neuron, or to several, or to nobody knows which."""
ALTERED, RECTIFIED = 1, 2
"""Flags of a code: more than shape and pooling has changed the number; it was through a ReLU."""


@dataclass
class Neurons:
    """One entry per neuron that was seen; a number's code is its neuron's index << 2 | flags.

    Args:
        low: Smallest output of its ReLU over the data.
        high: Largest.
        rectified: Whether it feeds a ReLU.
        altered: Whether more than shape and pooling lies between the neuron and that ReLU.
        strict: Whether that ReLU passes a gradient also where its input is exactly 0.
        touched: Whether that ReLU has passed a gradient somewhere on the data.
        used_before: Whether its pre-activation goes elsewhere than into a ReLU.
        used_after: Whether its ReLU's output goes elsewhere than into a layer.
    """

    low: np.ndarray = field(default_factory=lambda: np.zeros(0))
    high: np.ndarray = field(default_factory=lambda: np.zeros(0))
    rectified: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    altered: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    strict: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    touched: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    used_before: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    used_after: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))

    def __len__(self) -> int:
        return len(self.low)

    def add(self, n: int) -> np.ndarray:
        """Indices of n new neurons."""
        first = len(self)
        for name, start in (("low", np.inf), ("high", -np.inf)):
            setattr(self, name, np.append(getattr(self, name), np.full(n, start)))
        for name in (
            "rectified", "altered", "strict", "touched", "used_before", "used_after",
        ):  # fmt: skip
            setattr(self, name, np.append(getattr(self, name), np.zeros(n, bool)))
        return np.arange(first, first + n)

    def spend(self, codes: np.ndarray) -> None:
        """Note that numbers with these codes go into something that is no layer and no ReLU."""
        codes = codes[codes >= 0]
        through = codes & RECTIFIED > 0
        self.used_before[codes[~through] >> 2] = True
        self.used_after[codes[through] >> 2] = True


@dataclass
class AffineUse:
    """How an affine layer is used, over all passes.

    Args:
        weight: Its weight.
        bias: Its bias, or None.
        neurons: Indices of its neurons.
        groups: Of a convolution, else 1.
        level: What its input depends on: CONSTANT, DATA or UNKNOWN.
        non_negative: No number of its input can ever be negative, whatever the parameters.
        columns: Code of each input feature or channel.
        is_plain: A neuron's numbers are the entries of `weight` and `bias` at its index, both
            parameters, and gradients are torch's own.
    """

    weight: Tensor
    bias: Tensor | None
    neurons: np.ndarray
    groups: int
    level: int
    non_negative: bool
    columns: np.ndarray
    is_plain: bool

    def merge(self, other: AffineUse) -> None:
        """Know of both uses only what holds for each."""
        self.level = max(self.level, other.level)
        self.non_negative &= other.non_negative
        self.is_plain &= other.is_plain and self.weight is other.weight
        self.is_plain &= self.bias is other.bias and self.groups == other.groups
        if self.columns.shape != other.columns.shape:
            self.is_plain = False
        else:
            self.columns = np.where(self.columns == other.columns, self.columns, MIXED)


@dataclass(frozen=True)
class Rectified:
    """What a call of a ReLU gave out.

    Args:
        axes: Of its output, along which its neurons lie; never the first, of the examples.
        neurons: Indices of them, int64, flattened over these axes; -1 where there is none.
    """

    axes: tuple[int, ...]
    neurons: np.ndarray

    def ends(self, values: Tensor, end: Callable[..., Tensor]) -> Tensor:
        """The least or the largest number of each neuron, by `torch.amin` or `torch.amax`."""
        rest = tuple(axis for axis in range(values.ndim) if axis not in self.axes)
        return end(values, rest).flatten()


@dataclass
class Flow:
    """What was seen in passes through a module.

    Args:
        neurons: Of all layers and sums of layers.
        groups: Indices of the neurons, by the names of the layers whose sum a ReLU takes.
        layers: By name, in the order of their first use.
        order: Groups in the order in which a ReLU first took them.
        not_looked_at: Places of ReLUs that could not be attributed, and why.
        doubts: Why nothing is shown to be permanent, if so.
        n_uses: Of every parameter by a layer of its own, by id, over all passes.
        used_otherwise: Ids of parameters that something else than their layer uses or changes.
        moving: Names of layers whose silent neurons got a gradient: by neuron of the layer.
        n_passes: Passes seen.
        calls: Calls of torch's functions in the pass that counts that are a ReLU and nothing else,
            by the name of the function and by which call of it that was, from 0; in their order.
        n_calls: Calls of each of torch's functions in that pass that take numbers, be they a
            ReLU or not, by its name.
    """

    neurons: Neurons = field(default_factory=Neurons)
    groups: dict[tuple[str, ...], np.ndarray] = field(default_factory=dict)
    layers: dict[str, AffineUse] = field(default_factory=dict)
    order: list[tuple[str, ...]] = field(default_factory=list)
    not_looked_at: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, None] = field(default_factory=dict)
    n_uses: Counter[int] = field(default_factory=Counter)
    used_otherwise: set[int] = field(default_factory=set)
    moving: dict[str, np.ndarray] = field(default_factory=dict)
    n_passes: int = 0
    calls: dict[tuple[str, int], Rectified] = field(default_factory=dict)
    n_calls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._owner: dict[int, tuple[str, ...]] = {}
        self._sums: dict[tuple[int, int], int] = {}
        self._made: list[tuple[Tensor, Tensor, np.ndarray]] = []
        self._loose: set[int] = set()

    @property
    def loose(self) -> set[int]:
        """Neurons with a ReLU in the pass that counts that is not among `calls`."""
        self.loosen()
        return self._loose

    def loosen(self) -> None:
        """Note that the ReLUs since the last call that was noted belong to none."""
        for *_, neurons in self._made:
            self._loose.update(neurons.tolist())
        self._made.clear()

    def note_call(self, name: str, result: Any) -> None:
        """Note that a function of torch's was called, before which `loosen` was.

        Args:
            name: Of the function.
            result: What it gave out.
        """
        key = name, self.n_calls[name]
        self.n_calls[name] += 1
        if len(self._made) != 1 or not isinstance(result, Tensor):
            return
        codes, after, _ = self._made[0]
        rectified = along_axes(codes)
        same = after.data_ptr() == result.data_ptr() and after.shape == result.shape
        if same and rectified is not None:
            self.calls[key] = rectified
            self._made.clear()

    def owns(self, name: str) -> bool:
        """Whether the layer's numbers are parameters that serve it alone, once in every pass."""
        use = self.layers[name]
        return use.is_plain and all(
            self.n_uses[id(p)] == self.n_passes and id(p) not in self.used_otherwise
            for p in (use.weight, use.bias)
            if p is not None
        )

    def doubt(self, reason: str) -> None:
        """Note why nothing is shown to be permanent."""
        self.doubts[reason] = None

    def neurons_of(self, name: str, n: int) -> np.ndarray | None:
        """Indices of a layer's n neurons; None if it had another number of them before."""
        if (name,) not in self.groups:
            self.groups[name,] = self.neurons.add(n)
            self._owner.update(dict.fromkeys(self.groups[name,].tolist(), (name,)))
        indices = self.groups[name,]
        return indices if len(indices) == n else None

    def sums(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Indices of the neurons that are sums of pairs of neurons, element by element."""
        pairs, where = np.unique(np.stack([one, other]), axis=1, return_inverse=True)
        indices = np.array([self._sum(int(a), int(b)) for a, b in pairs.T], np.int64)
        return indices[where.reshape(-1)]

    def _sum(self, one: int, other: int) -> int:
        pair = (one, other)
        if pair not in self._sums:
            names = tuple(dict.fromkeys(self._owner[one] + self._owner[other]))
            (index,) = self.neurons.add(1).tolist()
            self._sums[pair] = index
            self._owner[index] = names
            others = self.groups.get(names, np.zeros(0, np.int64))
            self.groups[names] = np.append(others, index)
        return self._sums[pair]

    def rectify(
        self,
        codes: Tensor,
        before: Tensor | None,
        after: Tensor,
        counts: bool,
    ) -> None:
        """Note what a ReLU gave out for the numbers with these codes.

        Args:
            codes: int32, of the outputs' shape.
            before: The ReLU's inputs where it passes a gradient at 0, else None.
            after: Its outputs.
            counts: Whether the outputs are those on the data.
        """
        indices, low, high = _ranges(codes, after)
        if not len(indices):
            return
        if counts:
            self._made.append((codes, after, indices >> 2))
        neurons = self.neurons
        for owner in dict.fromkeys(self._owner[index] for index in (indices >> 2).tolist()):
            if owner not in self.order:
                self.order.append(owner)
        at = indices >> 2
        # One neuron may come twice, with different flags.
        neurons.rectified[at] = True
        neurons.altered[at[indices & ALTERED > 0]] = True
        touched = high > 0
        if before is not None:
            neurons.strict[at] = True
            touched = _ranges(codes, before)[2] >= 0
        if counts:
            with np.errstate(invalid="ignore"):
                # NaN stays NaN.
                np.minimum.at(neurons.low, at, low)
                np.maximum.at(neurons.high, at, high)
            neurons.touched[at[touched | ~np.isfinite(high)]] = True


def takes_numbers(name: str, args: Iterable[Any]) -> bool:
    """Whether a call of a function with these arguments may be a ReLU.

    Not that of attributes, which whoever watches reads too, and not what is done to integers:
    normalizations count their passes in some modes only.
    """
    return name != "__get__" and any(
        isinstance(arg, Tensor) and arg.is_floating_point() for arg in args
    )


def _bare(codes: Tensor) -> Tensor:
    """Where codes are of neurons that were not through a ReLU."""
    return (codes >= 0) & (codes & RECTIFIED == 0)


def along_axes(codes: Tensor) -> Rectified | None:
    """The neurons of an output with these codes, if they are the same for every example."""
    if not codes.numel():
        return None
    axes = tuple(
        axis for axis in range(codes.ndim) if not bool((codes == codes.narrow(axis, 0, 1)).all())
    )
    if 0 in axes:
        return None
    lines = codes[tuple(slice(None) if axis in axes else 0 for axis in range(codes.ndim))].flatten()
    rectifies = _bare(lines)
    neurons = torch.where(rectifies, lines >> 2, NO_NEURON)
    return Rectified(axes, neurons.long().cpu().numpy()) if bool(rectifies.any()) else None


def _ranges(codes: Tensor, values: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The codes of neurons not yet rectified, and the least and the largest value of each."""
    values = values.detach()
    for axis in (1, -1) if codes.ndim > 1 else ():
        lines = codes.movedim(axis, 0).flatten(1)
        if lines.numel() and bool((lines == lines[:, :1]).all()):
            low, high = torch.aminmax(values.movedim(axis, 0).flatten(1), dim=1)
            codes, pairs = lines[:, 0], torch.stack([low, high])
            break
    else:
        codes = codes.flatten()
        pairs = values.flatten().expand(2, -1)
    kept = _bare(codes)
    names, where = torch.unique(codes[kept], return_inverse=True)
    # NaN of one of a neuron's numbers must show in its range.
    pairs = pairs[:, kept].to(torch.float64)
    low = torch.full((len(names),), torch.inf, dtype=torch.float64, device=pairs.device)
    low = low.scatter_reduce(0, where, pairs[0], "amin")
    high = torch.full_like(low, -torch.inf).scatter_reduce(0, where, pairs[1], "amax")
    return names.long().cpu().numpy(), low.cpu().numpy(), high.cpu().numpy()
