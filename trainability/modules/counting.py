"""The dead neurons of copies of a module: all copies at once, by what `inspect` knows of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from trainability.death.status import ACTIVE, TENTATIVE
from trainability.modules.data import Batch
from trainability.modules.flow import Flow, Rectified
from trainability.modules.following import follow
from trainability.modules.modes import RECTIFYING
from trainability.networks.copies import Copies, Layout

MOST_EXAMPLES = 64
"""On which a module is looked at to learn what feeds what."""


@dataclass(frozen=True)
class Anatomy:
    """Where the neurons of a module are: what feeds which ReLU.

    Args:
        flow: What passes through one copy have shown.
        layers: Names of the layers behind each ReLU, in the order of flow.
        neurons: Indices of the neurons of each.
    """

    flow: Flow
    layers: tuple[str, ...]
    neurons: tuple[np.ndarray, ...]

    @property
    def is_seen(self) -> bool:
        """Whether every neuron shows in a call of a function that copies make alike."""
        seen = [call.neurons for call in self.flow.calls if call is not None]
        covered = set(np.concatenate(seen).tolist()) if seen else set()
        return all(covered.issuperset(neurons.tolist()) for neurons in self.neurons)


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
    rectified = flow.neurons.rectified
    groups = {names: flow.groups[names] for names in flow.order}
    neurons = {names: at[rectified[at]] for names, at in groups.items()}
    return Anatomy(flow, tuple(" + ".join(names) for names in neurons), tuple(neurons.values()))


class _Ranges(TorchFunctionMode):
    """The least and the largest output of each neuron's ReLU in one pass of one copy."""

    def __init__(self, calls: Sequence[Rectified | None]) -> None:
        super().__init__()
        self._calls = iter(calls)
        self._ends: list[Tensor] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        outputs = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") in RECTIFYING:
            call = next(self._calls, None)
            if call is not None:
                lines = outputs.detach().movedim(call.axis, 0).flatten(1)
                self._ends += [lines.amin(1), lines.amax(1)]
        return outputs

    def results(self) -> list[Tensor]:
        return self._ends


def statuses_of_copies(
    anatomy: Anatomy, copies: Copies, x: Tensor, *, batch_statistics: bool
) -> list[np.ndarray]:
    """Who is active and who is dead at the points, without a proof that a death is permanent.

    Args:
        anatomy: Of the module.
        copies: R of them, with finite parameters.
        x: Points, shape (N, d_in).
        batch_statistics: Whether normalizations use the statistics of the points, as the first
            step of training does, or running ones.

    Returns:
        int8, ACTIVE or TENTATIVE, of shape (R, neurons) for each ReLU.
    """
    low, high = _ranges(anatomy, copies, x, batch_statistics)
    dead = (high <= 0) | (low == high)
    status = np.where(dead, TENTATIVE, ACTIVE).astype(np.int8)
    return [status[:, neurons] for neurons in anatomy.neurons]


def _ranges(
    anatomy: Anatomy, copies: Copies, x: Tensor, batch_statistics: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest output of each neuron's ReLU, shape (R, neurons of the module)."""
    calls = anatomy.flow.calls
    shape = (copies.n_networks, len(anatomy.flow.neurons))
    low, high = np.full(shape, np.inf), np.full(shape, -np.inf)
    for rows, trained, kept in copies.tiles():
        with torch.no_grad():
            _, _, ends = copies.layout.run(
                trained, kept, x, batch_statistics=batch_statistics, watch=lambda: _Ranges(calls)
            )
        pairs = iter(ends)
        for call in calls:
            if call is None:
                continue
            real = call.neurons >= 0
            place = np.ix_(rows, call.neurons[real])  # a neuron may come twice
            least, largest = (
                next(pairs)[: len(rows)].double().cpu().numpy()[:, real] for _ in range(2)
            )
            np.minimum.at(low, place, least)
            np.maximum.at(high, place, largest)
    return low, high
