"""What a penalty of extremes adds to a pass: extremes of pre-activations, and their derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable

from trainability.penalties import Penalty
from trainability.training.cpu.plan import Plan, PlannedLayer
from trainability.training.ops.simd import Code, Index, Value
from trainability.training.ops.vectors import VectorArithmetic

Place = list[Value]
"""The largest and the least, and for each how many are so, later the share of each in the
derivative."""


class Extremes:
    """Writes the parts of a kernel that know of extremes.

    In memory, four vectors lie for every hidden neuron and four for every point of a pass and
    hidden layer. Points that fill up a pass, whose scale is 0, count for nothing.

    Args:
        plan: Of the kernel; its penalty asks for extremes.
        code: The kernel's.
        numbers: The numbers of the penalty, in the function that is being written.
    """

    def __init__(self, plan: Plan, code: Code, numbers: Callable[[], list[Value]]) -> None:
        assert plan.penalty is not None
        self.penalty: Penalty = plan.penalty
        self.plan = plan
        self.code = code
        self.numbers = numbers
        self.on = VectorArithmetic(code)

    @property
    def over_points(self) -> bool:
        """Whether neurons have extremes over all points, which takes a forward pass before."""
        return "points" in self.penalty.extremes

    def begin(self, outputs: Value) -> None:
        """Forget the extremes over points."""
        for layer in self.plan.layers[:-1]:
            with self.code.loop(layer.fan_out) as j:
                self._store(outputs, self._of_neuron(layer, j), self._none())

    def look(self, outputs: Value, layer: PlannedLayer, counts: list[Value]) -> None:
        """Take the pre-activations of a pass into account.

        Args:
            outputs: Where the outputs of layers, and what they keep, lie.
            layer: A hidden layer that has kept its pre-activations.
            counts: A mask for each point of the pass.
        """
        with self.code.loop(layer.fan_out) as j:
            at = self._of_neuron(layer, j)
            place = self._load(outputs, at)
            for z, counted in zip(self._kept(outputs, layer, j), counts, strict=True):
                place = self._including(place, z, counted)
            self._store(outputs, at, place)

    def end(self, outputs: Value) -> None:
        """Turn how many neurons' points are extreme into the share of each in the derivative."""
        for layer in self.plan.layers[:-1]:
            with self.code.loop(layer.fan_out) as j:
                at = self._of_neuron(layer, j)
                self._store(outputs, at, self._shares(self._load(outputs, at)))

    def over_neurons(self, outputs: Value, layer: PlannedLayer, counts: list[Value]) -> None:
        """Find the extremes over the neurons of a hidden layer at the points of a pass."""
        if "neurons" not in self.penalty.extremes:
            return
        code = self.code
        places = [[code.variable(value) for value in self._none()] for _ in counts]
        with code.loop(layer.fan_out) as j:
            for z, place in zip(self._kept(outputs, layer, j), places, strict=True):
                old = [variable.get() for variable in place]
                for variable, value in zip(place, self._including(old, z), strict=True):
                    variable.set(value)
        zero = code.constant(0.0)
        for p, (place, counted) in enumerate(zip(places, counts, strict=True)):
            largest, least, *shares = self._shares([variable.get() for variable in place])
            on, off = (counted.choose(share, zero) for share in shares)
            self._store(outputs, self._of_point(layer, p), [largest, least, on, off])

    def added(
        self,
        outputs: Value,
        layer: PlannedLayer,
        j: Index,
        deltas: list[Value],
        counts: list[Value],
    ) -> list[Value]:
        """The deltas of hidden neuron j at the points of a pass, with those of the penalty."""
        pre = self._kept(outputs, layer, j)
        if self.over_points:
            place = self._load(outputs, self._of_neuron(layer, j))
            deltas = [
                delta + counted.choose(self._pull(place, z), self.code.constant(0.0))
                for delta, z, counted in zip(deltas, pre, counts, strict=True)
            ]
        if "neurons" in self.penalty.extremes:
            places = [self._load(outputs, self._of_point(layer, p)) for p in range(len(pre))]
            deltas = [
                delta + self._pull(place, z)
                for delta, place, z in zip(deltas, places, pre, strict=True)
            ]
        return deltas

    def _none(self) -> Place:
        constant = self.code.constant
        return [constant(-math.inf), constant(math.inf), constant(0.0), constant(0.0)]

    def _including(self, place: Place, z: Value, counted: Value | None = None) -> Place:
        """Extremes of one number more, where it counts."""
        largest, least, n_largest, n_least = place
        one = self.code.constant(1.0)
        above, below = z > largest, z < least
        ties = (z < largest).choose(n_largest, n_largest + 1.0)
        low_ties = (z > least).choose(n_least, n_least + 1.0)
        new = [
            above.choose(z, largest),
            below.choose(z, least),
            above.choose(one, ties),
            below.choose(one, low_ties),
        ]
        if counted is None:
            return new
        return [counted.choose(ours, old) for ours, old in zip(new, place, strict=True)]

    def _shares(self, place: Place) -> Place:
        largest, least, n_largest, n_least = place
        on, off = self.penalty.by_extremes(self.on, largest, least, self.numbers())
        return [largest, least, on / n_largest, off / n_least]

    def _pull(self, place: Place, z: Value) -> Value:
        """What the derivative by z has of the penalty."""
        largest, least, on, off = place
        zero = self.code.constant(0.0)
        return (z < largest).choose(zero, on) + (z > least).choose(zero, off)

    def _kept(self, outputs: Value, layer: PlannedLayer, j: Index) -> list[Value]:
        at = layer.kept + j * self.plan.points
        return [self.code.load(outputs, at + p) for p in range(self.plan.points)]

    def _of_neuron(self, layer: PlannedLayer, j: Index) -> Index:
        return j * 4 + layer.extremes

    def _of_point(self, layer: PlannedLayer, p: int) -> int:
        return layer.extremes + 4 * (layer.fan_out + p)

    def _load(self, outputs: Value, at: Index) -> Place:
        return [self.code.load(outputs, at + k if k else at) for k in range(4)]

    def _store(self, outputs: Value, at: Index, place: Place) -> None:
        for k, value in enumerate(place):
            self.code.store(value, outputs, at + k if k else at)
