"""A pass: a few points per lane through a network and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from trainability.training.gpu.plan import WarpPlan
from trainability.training.gpu.sums import HeldSums, Sums
from trainability.training.gpu.warp import Warp
from trainability.training.ops.simd import Index, Value, Variable

NewSums = Callable[[Index], Sums | HeldSums]


@dataclass(frozen=True)
class Batch:
    """The points of a pass in a lane.

    Args:
        x: Inputs by feature and point.
        y: Targets by output and point.
        scales: By point; 0 for those that fill up.
    """

    x: list[list[Value]]
    y: list[list[Value]]
    scales: list[Value]


class Pass(ABC):
    """Writes a pass.

    Args:
        plan: What is specialized.
        warp: What is written to.
        on: The arithmetic of the rules.
    """

    def __init__(self, plan: WarpPlan, warp: Warp, on) -> None:
        self.plan = plan
        self.warp = warp
        self.code = warp.code
        self.on = on
        self.points = range(plan.points)

    @abstractmethod
    def loss(self, batch: Batch, total: Variable) -> None:
        """Add the loss of the points to `total`, before its factor."""

    @abstractmethod
    def gradients(self, batch: Batch, total: Variable, new_sums: NewSums) -> None:
        """The same, and the gradients of all parameters.

        Args:
            batch: The points.
            total: What the loss is added to.
            new_sums: Sums whose chunks are counted from the one that is given.
        """

    def activated(self, z: list[Value]) -> list[Value]:
        return [self.plan.activation.value(self.on, value) for value in z]

    def kept(self, z: list[Value], h: list[Value]) -> list[Value]:
        """What the backward pass needs of a neuron."""
        return h if self.plan.activation.keeps == "output" else z

    def outputs_of(self, kept: list[Value]) -> list[Value]:
        """A neuron's outputs from what was kept of it."""
        return kept if self.plan.activation.keeps == "output" else self.activated(kept)

    def backward(self, deltas: list[Value], kept: list[Value]) -> list[Value]:
        activation = self.plan.activation
        return [
            activation.backward(self.on, delta, value)
            for delta, value in zip(deltas, kept, strict=True)
        ]

    def deltas(
        self, outputs: list[list[Value]], batch: Batch, total: Variable
    ) -> list[list[Value]]:
        """Derivatives of the loss by the outputs, by output and point."""
        loss, on = self.plan.loss, self.on
        deltas: list[list[Value]] = [[] for _ in outputs]
        so_far = total.get()
        for p in self.points:
            at = [row[p] for row in outputs]
            targets = [row[p] for row in batch.y]
            groups = [range(len(at))] if loss.by_rows else [[o] for o in range(len(at))]
            for group in groups:
                parts, so_far = loss.accumulate(
                    on, [at[o] for o in group], [targets[o] for o in group], batch.scales[p], so_far
                )
                for o, part in zip(group, parts, strict=True):
                    deltas[o].append(part)
        total.set(so_far)
        return deltas


class Reader:
    """Parameters of a network, read in fours, each four once.

    Args:
        warp: What is written to.
        first: Where index 0 lies, a multiple of four.
    """

    def __init__(self, warp: Warp, first: Index = 0) -> None:
        self._warp = warp
        self._first = first
        self._fours: dict[int, list[Value]] = {}

    def __getitem__(self, index: int) -> Value:
        four = index // 4
        if four not in self._fours:
            first = 4 * four
            self._fours[four] = self._warp.parameters(self._first + first, 4)
        return self._fours[four][index % 4]


def combined(weights: list[Value], inputs: list[list[Value]], bias: Value) -> list[Value]:
    """The pre-activations of a neuron by point."""
    sums = [bias] * len(inputs[0])
    for weight, row in zip(weights, inputs, strict=True):
        sums = [weight.fma(value, so_far) for value, so_far in zip(row, sums, strict=True)]
    return sums
