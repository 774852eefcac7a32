"""The fused kernel: everything that a group of networks does in training, in one function.

The network index is the vector lane. A pass takes a few points through the network and back,
written out, so that weights and gradients are loaded once for all of them. Sizes are constants,
the number of points, of steps and all settings are arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from trainability.training.contract import goes_on
from trainability.training.cpu.extremes import Extremes
from trainability.training.cpu.plan import EVALUATE, Plan, PlannedLayer
from trainability.training.cpu.shuffle import Shuffle
from trainability.training.cpu.update_blocks import update_all
from trainability.training.cpu.write_update import write_update
from trainability.training.ops.gather import gathered_pairs
from trainability.training.ops.simd import Code, Index, Lazy, Value, Variable
from trainability.training.ops.vectors import VectorArithmetic


@dataclass(frozen=True)
class Points:
    """Where a pass finds its points: those of all lanes, or every lane's own.

    Shared x has shape (passes, d_in, points), y (passes, d_out, points), both of single numbers.
    Own points are gathered pass by pass, as vectors of shape (d_in + d_out, points), from the
    places in the order that begin with `own_from`. Scales have shape (passes, points).
    """

    x: Value
    y: Value
    scales: Value
    own_from: Value | None = None


def source(plan: Plan) -> str:
    """LLVM assembly with the functions `train` and `evaluate`."""
    code = Code(plan.lanes)
    kernel = _Kernel(plan, code)
    kernel.evaluate()
    kernel.train()
    return str(code)


class _Kernel:
    """Writes the two functions; `given` are the arguments of the one that is being written."""

    given: dict[str, Value]

    def __init__(self, plan: Plan, code: Code) -> None:
        self.plan = plan
        self.code = code
        self.on = VectorArithmetic(code)
        self.extremes = Extremes(plan, code, self.own_numbers) if plan.has_extremes else None

    def evaluate(self) -> None:
        code = self.code
        with code.function("evaluate", EVALUATE) as self.given:
            loss = self.loss(self.all_points(), self.given["n_passes"])
            code.store(loss, self.given["losses"], 0)

    def train(self) -> None:
        """Some steps of a group; networks whose entry in `live` is 0 stay as they are."""
        code, plan = self.code, self.plan
        with code.function("train", plan.arguments) as self.given:
            given = self.given
            flags = code.load(given["live"], 0, code.vector("i32"))
            self.live = code.variable(flags > 0)
            self.last_loss = code.variable(code.load(given["losses"], 0))
            self.count = code.variable(code.load(given["steps"], 0, code.vector("i32")))
            with code.loop(plan.n_parameters) as k:
                code.store(code.constant(0.0), given["gradients"], k)
            if not plan.full_batch:
                self.shuffle = Shuffle(code, given["keys"], given["n_points"], given["order"])
            with code.loop(given["n_steps"]) as step:
                if plan.full_batch:
                    self.look(self.loss_and_gradients(self.all_points(), given["n_passes"]))
                    code.leave_loop_when(self.live.get().any().equals(0))
                else:
                    self.minibatch(step)
                self.update(step)
            code.store(self.last_loss.get(), given["losses"], 0)
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
        is_first = at.equals(given["first_step"])
        with code.when(starts | is_first):
            with code.when(is_first):
                self.shuffle.begin(epoch)
            self.shuffle.finish(self.plan.finishes)
            self.shuffle.begin(epoch + 1)
        first = self.shuffle.first_of(epoch) + batch * given["batch_size"]
        own = Points(given["own"], given["own"], given["own_scales"], own_from=first)
        self.loss_and_gradients(own, given["n_own_passes"])

    def gather(self, points: Points, index: Value) -> None:
        """Copy the own points of a pass to where each network finds them, all networks at once."""
        if points.own_from is None:
            return
        code, given, plan = self.code, self.given, self.plan
        n_pairs = plan.n_own // 2
        for p in range(plan.points):
            place = index * plan.points + p
            # What fills up the last pass counts for nothing.
            place = (place < given["batch_size"]).choose(place, given["batch_size"] - 1)
            row = code.load(given["order"], points.own_from + place, code.vector("i32")) * n_pairs
            with code.loop(n_pairs) as pair:
                column = row + pair.to("i32", "trunc")
                for half, values in enumerate(gathered_pairs(code, given["table"], column)):
                    code.store(values, given["own"], (pair * 2 + half) * plan.points + p)

    def all_points(self) -> Points:
        return Points(self.given["x"], self.given["y"], self.given["scales"])

    def look(self, loss: Value) -> None:
        """Note the loss of the live networks; those that fit or diverged stop."""
        live = self.live.get()
        self.last_loss.set(live.choose(loss, self.last_loss.get()))
        self.live.set(goes_on(live, loss, self.given["tolerance"]))

    def loss(self, points: Points, n_passes: Value) -> Value:
        total = self.code.variable(self.code.constant(0.0))
        with self.code.loop(n_passes) as index:
            self.forward(points, index, total, for_backward=False)
        return self.mean(total)

    def loss_and_gradients(self, points: Points, n_passes: Value) -> Value:
        if self.extremes is not None and self.extremes.over_points:
            self.look_for_extremes(self.extremes, points, n_passes)
        total = self.code.variable(self.code.constant(0.0))
        with self.code.loop(n_passes) as index:
            self.gather(points, index)
            self.forward(points, index, total, for_backward=True)
            self.backward(points, index)
        return self.mean(total)

    def look_for_extremes(self, extremes: Extremes, points: Points, n_passes: Value) -> None:
        """A forward pass of the hidden layers over all points."""
        outputs = self.given["outputs"]
        extremes.begin(outputs)
        with self.code.loop(n_passes) as index:
            self.gather(points, index)
            for number, layer in enumerate(self.plan.layers[:-1]):
                self.forward_layer(points, index, number, None, for_backward=True)
                extremes.look(outputs, layer, self.counts(points, index))
        extremes.end(outputs)

    def counts(self, points: Points, index: Index) -> list[Value]:
        """Masks of the points of a pass that do not only fill it up."""
        return [self.scale(points.scales, index, p) > 0.0 for p in range(self.plan.points)]

    def mean(self, total: Variable) -> Value:
        factor = self.plan.loss.factor
        return total.get() if factor == 1 else total.get() * factor

    def forward(self, points: Points, index: Index, total: Variable, for_backward: bool) -> None:
        """Add the losses of a pass to `total`; leave d loss / d output in the last layer."""
        of_pass = self.code.variable(self.code.constant(0.0))
        for number, layer in enumerate(self.plan.layers):
            self.forward_layer(points, index, number, of_pass, for_backward)
            if for_backward and self.extremes is not None and number < len(self.plan.layers) - 1:
                counts = self.counts(points, index)
                self.extremes.over_neurons(self.given["outputs"], layer, counts)
        if self.plan.loss.by_rows:
            self.whole_rows(points, index, of_pass)
        total.set(total.get() + of_pass.get())

    def forward_layer(
        self,
        points: Points,
        index: Index,
        number: int,
        of_pass: Variable | None,
        for_backward: bool,
    ) -> None:
        """The outputs of a layer at the points of a pass; of the last, its deltas and losses."""
        code, plan, given = self.code, self.plan, self.given
        layer = plan.layers[number]
        for j, n_rows in code.blocks(layer.fan_out, plan.rows):
            rows = [j + r for r in range(n_rows)]
            biases = [code.load(given["parameters"], layer.biases + row) for row in rows]
            sums = [[code.variable(bias) for _ in range(plan.points)] for bias in biases]
            with code.loop(layer.fan_in) as i:
                inputs = self.inputs(points, index, number, i)
                for row, places in zip(rows, sums, strict=True):
                    weight = code.load(given["parameters"], layer.weight(row, i))
                    for value, place in zip(inputs, places, strict=True):
                        place.set(weight.fma(value, place.get()))
            for row, places in zip(rows, sums, strict=True):
                outputs = [place.get() for place in places]
                if number < len(plan.layers) - 1:
                    if for_backward and plan.keeps_inputs:
                        self.store_at_points(outputs, layer.kept, row)
                    outputs = [plan.activation.value(self.on, output) for output in outputs]
                elif not plan.loss.by_rows:
                    assert of_pass is not None
                    targets = self.targets(points, index, row)
                    losses = [([o], [t]) for o, t in zip(outputs, targets, strict=True)]
                    outputs = [d for [d] in self.deltas(points, index, losses, of_pass)]
                self.store_outputs(layer, row, outputs)

    def whole_rows(self, points: Points, index: Index, total: Variable) -> None:
        """Replace the outputs of the last layer by their deltas, all of a point together."""
        layer, d_out = self.plan.layers[-1], self.plan.sizes[-1]
        outputs = zip(*[self.outputs(layer, o) for o in range(d_out)], strict=True)
        rows = [self.targets(points, index, o) for o in range(d_out)]
        targets = zip(*rows, strict=True)
        losses = [(list(o), list(t)) for o, t in zip(outputs, targets, strict=True)]
        deltas = list(self.deltas(points, index, losses, total))
        for o, values in enumerate(zip(*deltas, strict=True)):
            self.store_outputs(layer, o, list(values))

    def deltas(
        self,
        points: Points,
        index: Index,
        losses: list[tuple[list[Value], list[Value]]],
        total: Variable,
    ) -> Iterator[list[Value]]:
        """The deltas of outputs and targets, point by point; adds the losses to `total`."""
        code = self.code
        for p, (outputs, targets) in enumerate(losses):
            place = (points.scales, index, p)
            scale = Lazy(code, code.vector(), lambda place=place: self.scale(*place))
            deltas, new = self.plan.loss.accumulate(self.on, outputs, targets, scale, total.value)
            total.set(new)
            yield deltas

    def scale(self, scales: Value, index: Index, p: int) -> Value:
        return self.code.splat(scales, index * self.plan.points + p)

    def backward(self, points: Points, index: Index) -> None:
        """Add the gradients of a pass; d loss / d input of a layer replaces its inputs."""
        code, plan, given = self.code, self.plan, self.given
        zero = code.constant(0.0)
        for number in reversed(range(1, len(plan.layers))):
            layer = plan.layers[number]
            for i, n_columns in code.blocks(layer.fan_in, plan.columns):
                columns = [i + q for q in range(n_columns)]
                inputs = [self.inputs(points, index, number, column) for column in columns]
                sums = [[code.variable(zero) for _ in range(plan.points)] for _ in columns]
                with code.loop(layer.fan_out) as j:
                    deltas = self.outputs(layer, j)
                    for column, values, places in zip(columns, inputs, sums, strict=True):
                        at = layer.weight(j, column)
                        self.add_products(at, deltas, values)
                        weight = code.load(given["parameters"], at)
                        for delta, place in zip(deltas, places, strict=True):
                            place.set(weight.fma(delta, place.get()))
                for column, values, places in zip(columns, inputs, sums, strict=True):
                    before = plan.layers[number - 1]
                    if plan.activation.keeps == "input":
                        values = self.load_at_points(before.kept, column)
                    deltas = [
                        plan.activation.backward(self.on, place.value, value).written()
                        for value, place in zip(values, places, strict=True)
                    ]
                    if self.extremes is not None:
                        counts = self.counts(points, index)
                        deltas = self.extremes.added(
                            given["outputs"], before, column, deltas, counts
                        )
                    if number > 1:
                        self.store_outputs(before, column, deltas)
                    else:
                        self.first_layer(points, index, column, deltas)
            with code.loop(layer.fan_out) as j:
                self.add_sum(layer.biases + j, self.outputs(layer, j))

    def first_layer(self, points: Points, index: Index, j: Index, deltas: list[Value]) -> None:
        """Its gradients are added as soon as its deltas are known, which are then forgotten."""
        layer = self.plan.layers[0]
        with self.code.loop(layer.fan_in) as i:
            self.add_products(layer.weight(j, i), deltas, self.inputs(points, index, 0, i))
        self.add_sum(layer.biases + j, deltas)

    def add_products(self, at: Index, deltas: list[Value], inputs: list[Value]) -> None:
        gradient = deltas[0] * inputs[0]
        for delta, value in zip(deltas[1:], inputs[1:], strict=True):
            gradient = delta.fma(value, gradient)
        self.add_gradient(at, gradient)

    def add_sum(self, at: Index, deltas: list[Value]) -> None:
        gradient = deltas[0]
        for delta in deltas[1:]:
            gradient = gradient + delta
        self.add_gradient(at, gradient)

    def add_gradient(self, at: Index, gradient: Value) -> None:
        """The sum over a pass comes first: it rounds less than one sum over all points."""
        total = self.code.load(self.given["gradients"], at) + gradient
        self.code.store(total, self.given["gradients"], at)

    def inputs(self, points: Points, index: Index, number: int, i: Index) -> list[Value]:
        """Input i of layer `number` at the points of a pass."""
        if number:
            return self.outputs(self.plan.layers[number - 1], i)
        if points.own_from is not None:
            return self.own(i)
        return self.at_points(points.x, index * self.plan.sizes[0] + i)

    def targets(self, points: Points, index: Index, o: Index) -> list[Value]:
        """Target o at the points of a pass."""
        if points.own_from is not None:
            return self.own(o + self.plan.sizes[0])
        return self.at_points(points.y, index * self.plan.sizes[-1] + o)

    def own(self, column: Index) -> list[Value]:
        """A column of the own points of a pass."""
        at = column * self.plan.points
        return [self.code.load(self.given["own"], at + p) for p in range(self.plan.points)]

    def outputs(self, layer: PlannedLayer, j: Index) -> list[Value]:
        """Output j of a layer at the points of a pass, or what replaced it."""
        return self.load_at_points(layer.outputs, j)

    def store_outputs(self, layer: PlannedLayer, j: Index, values: list[Value]) -> None:
        self.store_at_points(values, layer.outputs, j)

    def load_at_points(self, first: int, j: Index) -> list[Value]:
        at = first + j * self.plan.points
        return [self.code.load(self.given["outputs"], at + p) for p in range(self.plan.points)]

    def store_at_points(self, values: list[Value], first: int, j: Index) -> None:
        for p, value in enumerate(values):
            self.code.store(value, self.given["outputs"], first + j * self.plan.points + p)

    def at_points(self, base: Value, row: Index) -> list[Value]:
        """A row of the inputs or targets of all passes."""
        return [self.code.splat(base, row * self.plan.points + p) for p in range(self.plan.points)]

    def own_numbers(self) -> list[Value]:
        """The numbers of the penalty."""
        first = len(self.plan.optimizer.numbers())
        assert self.plan.penalty is not None
        n = len(self.plan.penalty.numbers())
        return [self.code.splat(self.given["settings"], first + k) for k in range(n)]

    def update(self, step: Index) -> None:
        """One update of the live networks; leaves the gradients 0."""
        code, plan, given = self.code, self.plan, self.given
        n = plan.n_factors
        factors = [code.splat(given["schedule"], step * n + k if k else step * n) for k in range(n)]
        numbers = [code.splat(given["settings"], k) for k in range(plan.n_numbers)]
        live = self.live.get()
        shuffle = None if plan.full_batch else self.shuffle

        def update(first: int | None, is_weight: bool, k: Index) -> None:
            at = k if first is None else first + k
            self.update_parameter(at, is_weight, numbers, factors, live)

        for first, n, is_weight in plan.alike:
            update_all(code, plan, shuffle, n, partial(update, first, is_weight))
        self.count.set(self.count.get() + live.to(code.vector("i32"), "zext"))

    def update_parameter(
        self, k: Index, is_weight: bool, numbers: list[Value], factors: list[Value], live: Value
    ) -> None:
        code, plan, given = self.code, self.plan, self.given
        gradient = code.load(given["gradients"], k)
        code.store(code.constant(0.0), given["gradients"], k)
        old, new = write_update(
            code,
            plan.optimizer,
            plan.penalty,
            given["parameters"],
            gradient,
            [given[name] for name in plan.moments],
            k,
            is_weight,
            numbers,
            factors,
        )
        code.store(live.choose(new, old), given["parameters"], k)
