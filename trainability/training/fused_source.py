"""The fused kernel: everything that a group of networks does in training, in one function.

The network index is the vector lane. A pass takes a few points through the network and back,
written out, so that weights and gradients are loaded once for all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Literal

from trainability.training.simd import FLOAT, INT, POINTER, Code, Index, Value, Variable

Rule = Literal["sgd", "momentum", "adam"]


_GOLDEN = 0x9E3779B97F4A7C15

EVALUATE = {
    "parameters": POINTER,
    "outputs": POINTER,
    "x": POINTER,
    "y": POINTER,
    "scales": POINTER,
    "n_passes": INT,
    "losses": POINTER,
}
"""Arguments of the function `evaluate`, which writes the losses.

Parameters have shape (parameters, lanes); `outputs` is scratch. For the points see `Points`.
"""

TRAIN = EVALUATE | {
    "gradients": POINTER,
    "moment": POINTER,
    "square": POINTER,
    "settings": POINTER,
    "schedule": POINTER,
    "first_step": INT,
    "n_steps": INT,
    "tolerance": FLOAT,
    "steps": POINTER,
    "live": POINTER,
    "keys": POINTER,
    "order": POINTER,
    "table_x": POINTER,
    "table_y": POINTER,
    "n_points": INT,
    "batch_size": INT,
    "steps_per_epoch": INT,
    "own_x": POINTER,
    "own_y": POINTER,
    "own_scales": POINTER,
    "n_own_passes": INT,
}
"""Arguments of the function `train`.

Gradients (scratch), moment and square have the shape of the parameters. `settings` holds
beta1, 1 - beta1, beta2, 1 - beta2 and epsilon, or the momentum; `schedule` has per step the
step size, negative, and Adam's correction of the second moment. `losses` gets the last loss
that was looked at, `steps` (int32) the number of updates; `live` (int32) tells which networks
train, and which are still training afterwards. From `keys` on: for minibatches only.
"""


@dataclass(frozen=True)
class Plan:
    """What a kernel is specialized for.

    Args:
        sizes: d_in, the hidden widths, d_out.
        rule: The update rule.
        full_batch: Whether every step sees all points.
        lanes: Networks side by side.
        points: Points per pass.
    """

    sizes: tuple[int, ...]
    rule: Rule
    full_batch: bool
    lanes: int
    points: int

    @cached_property
    def layers(self) -> list[PlannedLayer]:
        fans = list(pairwise(self.sizes))
        weights = [0, *accumulate(into * out + out for into, out in fans)]
        outputs = [0, *accumulate(out * self.points for _, out in fans)]
        return [
            PlannedLayer(into, out, weights[i], weights[i] + into * out, outputs[i])
            for i, (into, out) in enumerate(fans)
        ]

    @property
    def n_parameters(self) -> int:
        """Weights and biases of one network, in the order W1, b1, W2, b2, ..."""
        return sum(into * out + out for into, out in pairwise(self.sizes))

    @property
    def rows(self) -> int:
        """Neurons that the forward pass holds in registers."""
        return 2

    @property
    def columns(self) -> int:
        """Neurons that the backward pass holds in registers, of which AVX-512 has 32, others 16."""
        return 3 if self.lanes == 16 else 1

    @property
    def unroll(self) -> bool:
        """Whether loops over neurons are worth writing out: it makes the smallest faster."""
        return self.n_parameters <= 64

    @property
    def n_outputs(self) -> int:
        """Vectors that the outputs of all layers take in a pass."""
        return sum(self.sizes[1:]) * self.points

    @property
    def n_moments(self) -> int:
        return {"sgd": 0, "momentum": 1, "adam": 2}[self.rule]


@dataclass(frozen=True)
class PlannedLayer:
    """Sizes of a layer, and where its numbers lie, counted in vectors."""

    fan_in: int
    fan_out: int
    weights: int
    biases: int
    outputs: int


@dataclass(frozen=True)
class Points:
    """Where a pass finds its points.

    x has shape (passes, d_in, points), y (passes, d_out, points), both of single numbers that
    all lanes share, or of vectors if `own`; scales has shape (passes, points).
    """

    x: Value
    y: Value
    scales: Value
    own: bool = False


def source(plan: Plan) -> str:
    """LLVM assembly with the functions `train` and `evaluate`."""
    code = Code(plan.lanes)
    kernel = _Kernel(plan, code)
    kernel.evaluate()
    kernel.train()
    return str(code)


class _Kernel:
    def __init__(self, plan: Plan, code: Code) -> None:
        self.plan = plan
        self.code = code

    def evaluate(self) -> None:
        code = self.code
        with code.function("evaluate", EVALUATE) as self.given:
            loss = self.loss(self.all_points(), self.given["n_passes"])
            code.store(loss, self.given["losses"], 0)

    def train(self) -> None:
        """Some steps of a group; networks whose entry in `live` is 0 stay as they are."""
        code, plan = self.code, self.plan
        with code.function("train", TRAIN) as self.given:
            given = self.given
            flags = code.load(given["live"], 0, code.vector("i32"))
            self.live = code.variable(flags > 0)
            self.known = code.variable(code.load(given["losses"], 0))
            self.count = code.variable(code.load(given["steps"], 0, code.vector("i32")))
            with code.loop(plan.n_parameters) as k:
                code.store(code.constant(0.0), given["gradients"], k)
            with code.loop(given["n_steps"]) as step:
                if plan.full_batch:
                    self.look(self.loss_and_gradients(self.all_points(), given["n_passes"]))
                    code.leave_loop_when(self.live.get().any().equals(0))
                else:
                    self.minibatch(step)
                self.update(step)
            code.store(self.known.get(), given["losses"], 0)
            code.store(self.count.get(), given["steps"], 0)
            code.store(self.live.get().to(code.vector("i32"), "zext"), given["live"], 0)

    def minibatch(self, step: Index) -> None:
        """The gradients of the minibatch of a step; at the start of an epoch a look at the loss."""
        code, given = self.code, self.given
        at = given["first_step"] + step
        epoch, batch = at // given["steps_per_epoch"], at % given["steps_per_epoch"]
        starts = batch.equals(0)
        with code.when(starts):
            self.look(self.loss(self.all_points(), given["n_passes"]))
        code.leave_loop_when(self.live.get().any().equals(0))
        with code.when(starts | at.equals(given["first_step"])):
            shuffle(code, given["keys"], epoch, given["n_points"], given["order"])
        self.gather(batch)
        own = Points(given["own_x"], given["own_y"], given["own_scales"], own=True)
        self.loss_and_gradients(own, given["n_own_passes"])

    def gather(self, batch: Value) -> None:
        """Copy the points of a minibatch to where each network finds its own."""
        code, given, points = self.code, self.given, self.plan.points
        d_in, d_out = self.plan.sizes[0], self.plan.sizes[-1]
        size = given["batch_size"]
        with code.loop(given["n_own_passes"]) as index, code.loop(points) as p:
            place = index * points + p
            place = (place < size).choose(place, size - 1)
            row = (batch * size + place) * code.lanes
            for lane in range(code.lanes):
                point = code.load(given["order"], row + lane, "i32").to(INT, "zext")
                for name, width in (("x", d_in), ("y", d_out)):
                    with code.loop(width) as i:
                        value = code.load(given[f"table_{name}"], point * width + i, FLOAT)
                        to = ((index * width + i) * points + p) * code.lanes + lane
                        code.store(value, given[f"own_{name}"], to)

    def all_points(self) -> Points:
        return Points(self.given["x"], self.given["y"], self.given["scales"])

    def look(self, loss: Value) -> None:
        """Note the loss of the live networks; those that fit or diverged stop."""
        live = self.live.get()
        self.known.set(live.choose(loss, self.known.get()))
        self.live.set(live & (loss > self.given["tolerance"]) & (loss < math.inf))

    def loss(self, points: Points, n_passes: Value) -> Value:
        total = self.code.variable(self.code.constant(0.0))
        with self.code.loop(n_passes) as index:
            self.forward(points, index, total)
        return total.get() * 0.5

    def loss_and_gradients(self, points: Points, n_passes: Value) -> Value:
        total = self.code.variable(self.code.constant(0.0))
        with self.code.loop(n_passes) as index:
            self.forward(points, index, total)
            self.backward(points, index)
        return total.get() * 0.5

    def forward(self, points: Points, index: Index, total: Variable) -> None:
        """Add twice the loss of a pass to `total`; leave d loss / d output in the last layer."""
        code, plan, given = self.code, self.plan, self.given
        for number, layer in enumerate(plan.layers):
            last = number == len(plan.layers) - 1
            for j, n_rows in code.blocks(layer.fan_out, plan.rows):
                rows = range(n_rows)
                biases = [code.load(given["parameters"], layer.biases + j + r) for r in rows]
                sums = [[code.variable(bias) for _ in range(plan.points)] for bias in biases]
                with code.loop(layer.fan_in) as i:
                    inputs = self.inputs(points, index, number, i)
                    for r in rows:
                        at = layer.weights + (j + r) * layer.fan_in + i
                        weight = code.load(given["parameters"], at)
                        for value, place in zip(inputs, sums[r], strict=True):
                            place.set(weight.fma(value, place.get()))
                for r in rows:
                    at = layer.outputs + (j + r) * plan.points
                    for p, place in enumerate(sums[r]):
                        output = place.get()
                        if last:
                            output = self.output_delta(points, index, j + r, p, output, total)
                        else:
                            output = output.relu()
                        code.store(output, given["outputs"], at + p)

    def output_delta(
        self, points: Points, index: Index, o: Index, p: int, output: Value, total: Variable
    ) -> Value:
        difference = output - self.target(points, index, o, p)
        delta = difference * self.code.splat(points.scales, index * self.plan.points + p)
        total.set(delta.fma(difference, total.get()))
        return delta

    def backward(self, points: Points, index: Index) -> None:
        """Add the gradients of a pass; a layer's d loss / d input replaces its inputs."""
        code, plan, given = self.code, self.plan, self.given
        for number in reversed(range(1, len(plan.layers))):
            layer, before = plan.layers[number], plan.layers[number - 1]
            for i, n_columns in code.blocks(layer.fan_in, plan.columns):
                columns = range(n_columns)
                inputs = [self.inputs(points, index, number, i + q) for q in columns]
                zero = code.constant(0.0)
                sums = [[code.variable(zero) for _ in range(plan.points)] for _ in columns]
                with code.loop(layer.fan_out) as j:
                    deltas = self.deltas(layer, j)
                    for q in columns:
                        at = layer.weights + j * layer.fan_in + i + q
                        self.add_product(at, deltas, inputs[q])
                        weight = code.load(given["parameters"], at)
                        for delta, place in zip(deltas, sums[q], strict=True):
                            place.set(weight.fma(delta, place.get()))
                for q in columns:
                    masked = [
                        (value > 0.0).choose(place.get(), zero)
                        for value, place in zip(inputs[q], sums[q], strict=True)
                    ]
                    if number > 1:
                        for p, delta in enumerate(masked):
                            code.store(
                                delta, given["outputs"], before.outputs + (i + q) * plan.points + p
                            )
                    else:
                        self.add_first_layer(points, index, i + q, masked)
            with code.loop(layer.fan_out) as j:
                self.add_sum(layer.biases + j, self.deltas(layer, j))

    def add_first_layer(self, points: Points, index: Index, j: Index, deltas: list[Value]) -> None:
        layer = self.plan.layers[0]
        with self.code.loop(layer.fan_in) as i:
            at = layer.weights + j * layer.fan_in + i
            self.add_product(at, deltas, self.inputs(points, index, 0, i))
        self.add_sum(layer.biases + j, deltas)

    def add_product(self, at: Index, deltas: list[Value], inputs: list[Value]) -> None:
        gradients = self.given["gradients"]
        gradient = self.code.load(gradients, at)
        for delta, value in zip(deltas, inputs, strict=True):
            gradient = delta.fma(value, gradient)
        self.code.store(gradient, gradients, at)

    def add_sum(self, at: Index, deltas: list[Value]) -> None:
        while len(deltas) > 1:
            pairs = [a + b for a, b in zip(deltas[::2], deltas[1::2], strict=False)]
            deltas = pairs + deltas[len(pairs) * 2 :]
        gradients = self.given["gradients"]
        self.code.store(self.code.load(gradients, at) + deltas[0], gradients, at)

    def update(self, step: Index) -> None:
        """One update of the live networks; leaves the gradients 0."""
        code, plan, given = self.code, self.plan, self.given
        step_size = code.splat(given["schedule"], step * 2)
        correction = code.splat(given["schedule"], step * 2 + 1)
        settings = [code.splat(given["settings"], k) for k in range(5)]
        beta1, rest1, beta2, rest2, epsilon = settings
        live = self.live.get()
        with code.loop(plan.n_parameters) as k:
            direction = code.load(given["gradients"], k)
            code.store(code.constant(0.0), given["gradients"], k)
            if plan.rule == "momentum":
                direction = beta1.fma(code.load(given["moment"], k), direction)
                direction = direction.without_denormals()
                code.store(direction, given["moment"], k)
            elif plan.rule == "adam":
                moment = beta1.fma(code.load(given["moment"], k), rest1 * direction)
                square = beta2.fma(code.load(given["square"], k), rest2 * direction * direction)
                # A dead neuron's moments shrink to the smallest float and would stay there.
                moment, square = moment.without_denormals(), square.without_denormals()
                code.store(moment, given["moment"], k)
                code.store(square, given["square"], k)
                direction = moment / square.sqrt().fma(correction, epsilon)
            old = code.load(given["parameters"], k)
            code.store(live.choose(step_size.fma(direction, old), old), given["parameters"], k)
        self.count.set(self.count.get() + live.to(code.vector("i32"), "zext"))

    def inputs(self, points: Points, index: Index, number: int, i: Index) -> list[Value]:
        """Input i of layer `number` at the points of a pass."""
        code, plan, given = self.code, self.plan, self.given
        if number:
            at = plan.layers[number - 1].outputs + i * plan.points
            return [code.load(given["outputs"], at + p) for p in range(plan.points)]
        at = (index * plan.sizes[0] + i) * plan.points
        return [self.point(points, points.x, at + p) for p in range(plan.points)]

    def target(self, points: Points, index: Index, o: Index, p: int) -> Value:
        at = (index * self.plan.sizes[-1] + o) * self.plan.points + p
        return self.point(points, points.y, at)

    def point(self, points: Points, base: Value, at: Index) -> Value:
        return self.code.load(base, at) if points.own else self.code.splat(base, at)

    def deltas(self, layer: PlannedLayer, j: Index) -> list[Value]:
        at = layer.outputs + j * self.plan.points
        return [self.code.load(self.given["outputs"], at + p) for p in range(self.plan.points)]


def shuffle(code: Code, keys: Value, epoch: Value, n_points: Value, order: Value) -> None:
    """Write the order of `seeds.batch_order` to `order`, int32, shape (points, lanes)."""
    state = _mix64(code.load(keys, 0, code.vector(INT)) ^ _mix64(epoch + _GOLDEN))
    state = code.variable(state)
    with code.loop(n_points) as n:
        code.store(code.fill(n.to("i32", "trunc")), order, n)
    with code.loop(n_points - 1) as done:
        last = n_points - 1 - done
        state.set(state.get() + _GOLDEN)
        upper = _mix64(state.get()) >> 32
        chosen = (upper * (last + 1)) >> 32
        for lane in range(code.lanes):
            here = last * code.lanes + lane
            there = chosen.lane(lane) * code.lanes + lane
            kept = code.load(order, here, "i32")
            code.store(code.load(order, there, "i32"), order, here)
            code.store(kept, order, there)


def _mix64(z: Value) -> Value:
    """As `seeds.mix64`."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB
    return z ^ (z >> 31)
