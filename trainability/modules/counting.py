"""The dead neurons of copies of a module: all copies at once, by what `inspect` knows of one."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from trainability.death.status import ACTIVE, TENTATIVE
from trainability.modules.data import Batch
from trainability.modules.flow import Flow, takes_numbers
from trainability.modules.following import follow
from trainability.modules.proofs import is_chain, statuses
from trainability.networks.copies import AFFINE_FUNCTIONS, Copies, Layout

MOST_EXAMPLES = 64
"""On which a module is looked at to learn what feeds what."""


@dataclass(frozen=True)
class Anatomy:
    """Where the neurons of a module are: what feeds which ReLU.

    Args:
        module: The copy that was looked at.
        flow: What passes through it have shown.
        groups: The names of the layers behind each ReLU, in the order of flow.
        is_chain: Whether the module is a plain chain of layers and ReLU.
    """

    module: nn.Module
    flow: Flow
    groups: tuple[tuple[str, ...], ...]
    is_chain: bool

    @property
    def layers(self) -> tuple[str, ...]:
        """A name for each ReLU."""
        return tuple(" + ".join(names) for names in self.groups)

    @cached_property
    def is_seen(self) -> bool:
        """Whether every ReLU is a call of a function, which copies make alike."""
        return not self.flow.loose

    @cached_property
    def parameters(self) -> dict[int, str]:
        """Names of the module's parameters by their ids."""
        return {id(value): name for name, value in self.module.named_parameters()}


def dissect(module: nn.Module, layout: Layout, x: np.ndarray) -> Anatomy:
    """Learn what feeds what, on some of the training points.

    Args:
        module: A copy, as it was born.
        layout: How it takes its inputs.
        x: Training inputs, shape (N, d_in).
    """
    points = torch.from_numpy(x[:MOST_EXAMPLES])
    batch = Batch(layout.inputs(points), {}, len(points))
    flow = follow(module, [batch], batch_statistics=True)
    return Anatomy(module, flow, tuple(flow.order), is_chain(flow))


class _OtherCallsError(Exception):
    """A pass calls a function more or less often than where the anatomy was seen."""


class _Ranges(TorchFunctionMode):
    """What each neuron's ReLU sees and gives out in one pass of one copy.

    Its least and its largest output, and its largest input.
    """

    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self._calls, self._wanted = flow.calls, flow.n_calls
        self._n_calls: Counter[str] = Counter()
        self._ends: dict[tuple[str, int], list[Tensor]] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in AFFINE_FUNCTIONS or not takes_numbers(name, (*args, *kwargs.values())):
            return func(*args, **kwargs)
        key = name, self._n_calls[name]
        self._n_calls[name] += 1
        call = self._calls.get(key)
        if call is None:
            return func(*args, **kwargs)
        # Before, for it may be written over.
        inputs = [a.detach().clone() for a in (*args, *kwargs.values()) if isinstance(a, Tensor)]
        outputs = func(*args, **kwargs)
        # With a mask, or zeros, beside the input: where that is negative the least is.
        taken = [
            call.ends(t, torch.amax)
            for t in inputs
            if t.shape == outputs.shape and t.is_floating_point()
        ]
        given = outputs.detach()
        low, high = call.ends(given, torch.amin), call.ends(given, torch.amax)
        self._ends[key] = [low, high, torch.stack(taken).amin(0) if taken else high]
        return outputs

    def results(self) -> list[Tensor]:
        if self._n_calls != self._wanted:
            raise _OtherCallsError
        return [end for key in self._calls for end in self._ends[key]]


def statuses_of_copies(
    anatomy: Anatomy, copies: Copies, x: Tensor, *, batch_statistics: bool, proofs: bool = True
) -> list[np.ndarray]:
    """Who is active, tentatively and permanently dead at the points, by the rules of `inspect`.

    Args:
        anatomy: Of the module.
        copies: R of them, with finite parameters.
        x: Points, shape (N, d_in).
        batch_statistics: Whether normalizations use the statistics of the points, as the first
            step of training does, or running ones.
        proofs: Whether deaths may be permanent: what training does to parameters without a
            gradient may revive whom it leaves alone.

    Returns:
        int8, of shape (R, neurons) for each ReLU.
    """
    if not anatomy.groups:
        return []
    # Copies that are not stacked may decide by their numbers which way they take.
    decides = bool(anatomy.flow.doubts) and not copies.layout.stacked
    status = None
    if anatomy.is_seen and not decides:
        status = _together(anatomy, copies, x, batch_statistics, proofs)
    if status is None:
        status = _one_by_one(anatomy, copies, x, batch_statistics)
    if not proofs:
        status = [np.minimum(of, TENTATIVE) for of in status]
    return status


def _together(
    anatomy: Anatomy, copies: Copies, x: Tensor, batch_statistics: bool, proofs: bool
) -> list[np.ndarray] | None:
    """By passes through all copies; None where neurons lie otherwise on more points."""
    ends = _ranges(anatomy, copies, x, batch_statistics)
    if ends is None:
        return None
    low, high, taken = ends
    dead = (high <= 0) | (low == high)
    rectified = anatomy.flow.neurons.rectified
    status = []
    for names in anatomy.groups:
        at = anatomy.flow.groups[names]
        status.append(np.where(dead[:, at[rectified[at]]], TENTATIVE, ACTIVE).astype(np.int8))
    doubtful = np.flatnonzero((dead & rectified).any(axis=1))
    if proofs and len(doubtful) and not anatomy.flow.doubts:
        moving = _moving(anatomy, copies[doubtful], x)
        for index, copy in enumerate(doubtful):
            moves = {name: of[index] for name, of in moving.items()}
            flow = _flow_of_copy(
                anatomy, copies, int(copy), (low[copy], high[copy], taken[copy]), moves
            )
            by_group, _ = statuses(flow)
            for of, names in zip(status, anatomy.groups, strict=True):
                of[copy] = by_group[names]
    return status


def _flow_of_copy(
    anatomy: Anatomy, copies: Copies, index: int,
    ends: tuple[np.ndarray, np.ndarray, np.ndarray], moving: dict[str, np.ndarray],
) -> Flow:  # fmt: skip
    """What was seen of the module, with the numbers of one copy."""
    flow, (low, high, taken) = anatomy.flow, ends
    state = dict(zip(copies.layout.trained, copies.trained, strict=True))
    state |= dict(zip(copies.layout.kept, copies.kept, strict=True))

    def own(parameter: Tensor | None) -> Tensor | None:
        name = None if parameter is None else anatomy.parameters.get(id(parameter))
        return parameter if name is None else state[name][index]

    uses, n_uses = {}, Counter()
    for name, use in flow.layers.items():
        weight = own(use.weight)
        assert weight is not None
        uses[name] = replace(use, weight=weight, bias=own(use.bias))
        for value in (uses[name].weight, uses[name].bias):
            n_uses[id(value)] = flow.n_passes if flow.owns(name) else -1
    # Some forms of a ReLU pass a gradient at 0 as well.
    passes = np.where(flow.neurons.strict, taken >= 0, high > 0)
    touched = passes | ~np.isfinite(high)
    neurons = replace(flow.neurons, low=low, high=high, touched=touched)
    return replace(
        flow, neurons=neurons, layers=uses, n_uses=n_uses, used_otherwise=set(), moving=moving
    )


def _moving(anatomy: Anatomy, copies: Copies, x: Tensor) -> dict[str, np.ndarray]:
    """Whose weights or bias get a gradient in training mode: bool, (R, neurons), by layer."""
    layout = copies.layout
    places = {
        name: [
            layout.trained.index(anatomy.parameters[id(p)])
            for p in (use.weight, use.bias)
            if p is not None and anatomy.parameters.get(id(p)) in layout.trained
        ]
        for name, use in anatomy.flow.layers.items()
    }
    moving = {
        name: np.zeros((copies.n_networks, len(use.neurons)), bool)
        for name, use in anatomy.flow.layers.items()
    }
    chance = torch.Generator().manual_seed(0)
    for rows, trained, kept in copies.tiles():
        leaves = [tensor.detach().requires_grad_() for tensor in trained]
        with torch.enable_grad():
            outputs, _, _ = layout.run(leaves, kept, x, training=True)
        wanted = torch.randn(outputs.shape, generator=chance).to(outputs.device)
        gradients = torch.autograd.grad(outputs, leaves, wanted, allow_unused=True)
        for name, at in places.items():
            for place in at:
                gradient = gradients[place]
                if gradient is not None and gradient.shape[1] == moving[name].shape[1]:
                    moves = (
                        (gradient[: len(rows)].flatten(2) != 0)
                        if gradient.ndim > 2
                        else (gradient[: len(rows), :, None] != 0)
                    )
                    moving[name][rows] |= moves.any(dim=2).cpu().numpy()
    return moving


def _one_by_one(
    anatomy: Anatomy, copies: Copies, x: Tensor, batch_statistics: bool
) -> list[np.ndarray]:
    """By passes through each copy, where what they do alike can't be seen by its functions."""
    module, layout = copy.deepcopy(anatomy.module), copies.layout
    batch = Batch(layout.inputs(x.cpu()), {}, len(x))
    rectified = anatomy.flow.neurons.rectified
    # Neurons that a copy goes around give nothing out, until it takes another way.
    unused = {
        names: np.full(int(rectified[at].sum()), TENTATIVE, np.int8)
        for names, at in anatomy.flow.groups.items()
    }
    of_copies: list[list[np.ndarray]] = []
    for index in range(copies.n_networks):
        names = (*layout.trained, *layout.kept)
        tensors = (*copies.trained, *copies.kept)
        state = {name: t[index].cpu() for name, t in zip(names, tensors, strict=True)}
        module.load_state_dict(state, strict=False)
        by_group, _ = statuses(follow(module, [batch], batch_statistics=batch_statistics))
        of_copies.append([by_group.get(names, unused[names]) for names in anatomy.groups])
    return [np.stack(of) for of in zip(*of_copies, strict=True)]


def _ranges(
    anatomy: Anatomy, copies: Copies, x: Tensor, batch_statistics: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The least and largest output of each neuron's ReLU, and its largest input: (R, neurons).

    None where functions are called more or less often than where the anatomy was seen, as by a
    module that takes its points in parts, or where a ReLU gives out another number of neurons.
    """
    flow = anatomy.flow
    shape = (copies.n_networks, len(anatomy.flow.neurons))
    low, high, taken = (np.full(shape, end) for end in (np.inf, -np.inf, -np.inf))
    for rows, trained, kept in copies.tiles():
        with torch.no_grad():
            try:
                _, _, ends = copies.layout.run(
                    trained, kept, x, batch_statistics=batch_statistics, watch=lambda: _Ranges(flow)
                )
            except _OtherCallsError:
                return None
        seen = iter(ends)
        for call in flow.calls.values():
            real = call.neurons >= 0
            place = np.ix_(rows, call.neurons[real])  # a neuron may come twice
            for kept_ends, keep in ((low, np.minimum), (high, np.maximum), (taken, np.maximum)):
                own = next(seen)[: len(rows)].double().cpu().numpy()
                if own.shape[1] != len(real):
                    return None
                keep.at(kept_ends, place, own[:, real])
    return low, high, taken
