"""The kernel of a block: a network that outgrows a warp, its products tiled into registers."""

from __future__ import annotations

from collections.abc import Callable

from trainability.training.contract import goes_on
from trainability.training.gpu.block import Block, BlockThreads, BlockVectors
from trainability.training.gpu.block_plan import POINTS, ROW, BlockLayer, BlockPlan, Job
from trainability.training.gpu.kernel import TRAIN
from trainability.training.gpu.places import Place, chosen, parameters, tile_rows
from trainability.training.ops.lanes import ThreadArithmetic
from trainability.training.ops.simd import Index, Value, Variable

_QUADS = POINTS // 4
# Points that a thread has in a product: two fours, half a row apart.
_HALF = POINTS // 2
_UNROLL = 4


def source(plan: BlockPlan, threads: bool) -> str:
    """LLVM assembly with the function `train`, see `kernel.TRAIN`.

    x, y and scales have shapes (d_in, N), (d_out, N) and (N,), N being filled up to whole passes;
    the state has the order W1, b1, W2, b2, ...
    """
    block: Block
    if threads:
        block = BlockThreads(plan.threads, plan.n_own)
    else:
        block = BlockVectors(plan.threads, plan.n_own, plan.n_shared)
    _BlockKernel(plan, block).train()
    return str(block.code)


class _BlockKernel:
    given: dict[str, Value]

    def __init__(self, plan: BlockPlan, block: Block) -> None:
        self.plan = plan
        self.block = block
        self.code = block.code
        self.on = ThreadArithmetic(block.code)

    def train(self) -> None:
        code, plan, block = self.code, self.plan, self.block
        with block.function("train", TRAIN) as self.given:
            given = self.given
            row = code.load(given["rows"], block.slot, "i64")
            self.state_row = row * plan.n_parameters
            self.clear()
            self.load_state()
            live = code.variable(code.constant(1, "i32") > 0)
            last_loss = code.variable(code.constant(0.0, "float"))
            count = code.variable(code.constant(0, "i32"))
            if plan.single_pass and plan.full_batch:
                self.load_points(code.constant(0, "i64"))
            with code.loop(given["n_steps"] + 1) as step:
                loss = self.loss_and_gradients()
                last_loss.set(loss)
                live.set(goes_on(live.get(), loss, given["tolerance"]))
                code.leave_loop_when(live.get().equals(0))
                code.leave_loop_when(step.equals(given["n_steps"]))
                self.update(step)
                count.set(count.get() + 1)
            self.store_state()
            code.store(last_loss.get(), given["losses"], block.slot)
            code.store(count.get(), given["steps"], block.slot)
            code.store(live.get().to("i32", "zext"), given["live"], block.slot)

    def clear(self) -> None:
        """Zeros all over: what fills up rows and columns must be a number."""
        n, threads = self.plan.n_shared, self.plan.threads
        with self.block.phase() as thread, self.code.loop(-(-n // (4 * threads))) as part:
            index = (thread + (part * threads).to("i32", "trunc")) * 4
            zero = self.code.constant(0.0)
            self.block.store_four([zero] * 4, index, index < n)

    def load_state(self) -> None:
        block, given, plan = self.block, self.given, self.plan
        with block.phase() as thread:
            for job in self.plan.jobs:
                for number, layer, place in parameters(self.block, self.plan, job, thread):
                    at = self.state_place(place.flat)
                    self.set_parameter(layer, place, block.gather(given["state"], at))
                    for moment in range(plan.optimizer.n_moments):
                        moment_at = at + given["state_stride"] * (moment + 1)
                        value = block.gather(given["state"], moment_at)
                        block.set_own(self.moment(number, moment), value)

    def store_state(self) -> None:
        block, given, plan = self.block, self.given, self.plan
        with block.phase() as thread:
            for job in self.plan.jobs:
                for number, layer, place in parameters(self.block, self.plan, job, thread):
                    at = self.state_place(place.flat)
                    value = self.parameter(layer, place)
                    block.scatter(value, given["state"], at, place.mask)
                    for moment in range(plan.optimizer.n_moments):
                        moment_at = at + given["state_stride"] * (moment + 1)
                        value = block.own(self.moment(number, moment))
                        block.scatter(value, given["state"], moment_at, place.mask)

    def state_place(self, flat: Value) -> Value:
        return flat.to(self.code.vector("i64"), "zext") + self.state_row

    def moment(self, number: int, moment: int) -> int:
        return self.plan.n_gradients * (1 + moment) + number

    def load_points(self, index: Index) -> None:
        """The points of a pass over all of them, into shared memory."""
        block, given, plan = self.block, self.given, self.plan
        n_places = given["n_passes"] * POINTS
        with block.phase() as thread:
            inside = thread < POINTS
            wide = thread.to(self.code.vector("i64"), "zext") + index * POINTS
            wide = inside.choose(wide, wide * 0)
            for name, n in (("x", plan.sizes[0]), ("y", plan.sizes[-1]), ("scales", 1)):
                for i in range(n):
                    value = block.gather(given[name], wide + n_places * i)
                    block.store(value, thread + (plan.rows[name] + i * ROW), inside)

    def loss_and_gradients(self) -> Value:
        """The loss, the same in all threads; gradients stay with the threads that own them."""
        code, plan, block = self.code, self.plan, self.block
        with block.phase():
            for number in range(plan.n_gradients):
                block.set_own(number, code.constant(0.0))
            block.set_own(plan.n_own - 1, code.constant(0.0))
        if plan.single_pass:
            self.one_pass()
        else:
            with code.loop(self.given["n_passes"]) as index:
                self.load_points(index)
                self.one_pass()
        with block.phase() as thread:
            amount = block.own(plan.n_own - 1)
            for bit in range(5):
                amount = amount + block.exchanged(amount, 1 << bit)
            first = (thread & 31).equals(0)
            block.store(amount, (thread >> 5) + plan.rows["partial"], first)
        partial = plan.rows["partial"]
        total = block.load_for_all(partial)
        for k in range(1, plan.threads // 32):
            total = total + block.load_for_all(partial + k)
        return total * plan.loss.factor

    def one_pass(self) -> None:
        plan = self.plan
        for layer in plan.layers[:-1]:
            self.forward(layer)
        self.outputs()
        for layer in reversed(plan.layers):
            with self.block.phase() as thread:
                for job in plan.jobs:
                    if job.layer is layer:
                        self.gradients(job, thread)
            if layer.number:
                self.back(layer)

    def inputs_of(self, layer: BlockLayer) -> int:
        """Where the rows of a layer's inputs lie."""
        return self.plan.rows[f"h{layer.number}"] if layer.number else self.plan.rows["x"]

    def outputs_of(self, layer: BlockLayer) -> int:
        return self.plan.rows[f"h{layer.number + 1}"]

    def forward(self, layer: BlockLayer) -> None:
        """A hidden layer's values, in place of nothing: 4 neurons by 8 points per thread."""
        block, plan = self.block, self.plan
        kept = plan.rows.get(f"z{layer.number + 1}")

        def start(first: Value) -> list[list[Value]]:
            return [[bias] * 8 for bias in block.load_four(first + layer.biases)]

        def finish(sums: list[list[Value]], first: Value, point: Value, mask) -> None:
            for m, row in enumerate(sums):
                for half in range(2):
                    z = row[4 * half : 4 * half + 4]
                    place = (first + m) * ROW + point + half * _HALF
                    h = [plan.activation.value(self.on, value) for value in z]
                    block.store_four(h, place + self.outputs_of(layer), mask)
                    if kept is not None:
                        block.store_four(z, place + kept, mask)

        self.product(
            layer.fan_out, layer.fan_in, layer.columns, layer.column_stride,
            self.inputs_of(layer), start, finish,
        )  # fmt: skip

    def back(self, layer: BlockLayer) -> None:
        """d loss / d pre-activation of the layer below, in place of its values."""
        block, plan = self.block, self.plan
        below = self.inputs_of(layer)
        kept = plan.rows.get(f"z{layer.number}", below)

        def start(first: Value) -> list[list[Value]]:
            return [[self.code.constant(0.0)] * 8 for _ in range(4)]

        def finish(sums: list[list[Value]], first: Value, point: Value, mask) -> None:
            for m, row in enumerate(sums):
                for half in range(2):
                    place = (first + m) * ROW + point + half * _HALF
                    values = block.load_four(place + kept)
                    deltas = [
                        plan.activation.backward(self.on, delta, value)
                        for delta, value in zip(row[4 * half : 4 * half + 4], values, strict=True)
                    ]
                    block.store_four(deltas, place + below, mask)

        self.product(
            layer.fan_in, layer.fan_out, layer.rows, layer.row_stride, self.outputs_of(layer),
            start, finish,
        )  # fmt: skip

    def product(
        self,
        n_rows: int,
        n_terms: int,
        factors: int,
        stride: int,
        values: int,
        start: Callable[[Value], list[list[Value]]],
        finish: Callable[[list[list[Value]], Value, Value, Value | None], None],
    ) -> None:
        """sums[m][n] = start + sum over k of factors[k][m] * values[k][n], as one phase.

        Args:
            n_rows: How many m there are; rows are filled up to a multiple of four.
            n_terms: How many k there are.
            factors: Where the factors lie.
            stride: From one k to the next.
            values: Where the rows of points lie.
            start: The first value of 4 sums by 8 points, from the number of the first.
            finish: Takes the sums, the number of the first, the first point, and which threads
                have any.
        """
        code, block, plan = self.code, self.block, self.plan
        per_row = POINTS // 8
        n_tiles = -(-n_rows // 4) * per_row
        with block.phase() as thread:
            for done in range(0, n_tiles, plan.threads):
                tile, mask = chosen(self.block, thread, done, n_tiles, plan.threads)
                first = tile // per_row * 4
                point = tile % per_row * 4
                sums = [[code.variable(value) for value in row] for row in start(first)]
                for k0, n in code.blocks(n_terms, _UNROLL):
                    short = k0.to("i32", "trunc")
                    at_factors = first + (short * stride + factors)
                    at_values = point + (short * ROW + values)
                    for k in range(n):
                        row = block.load_four(at_factors + k * stride)
                        at = at_values + k * ROW
                        columns = block.load_four(at) + block.load_four(at + _HALF)
                        for factor, places in zip(row, sums, strict=True):
                            for value, place in zip(columns, places, strict=True):
                                place.set(factor.fma(value, place.get()))
                finish([[place.get() for place in row] for row in sums], first, point, mask)

    def outputs(self) -> None:
        """The outputs, their losses, and d loss / d output in the last layer's place."""
        code, block, plan = self.code, self.block, self.plan
        layer = plan.layers[-1]
        with block.phase() as thread:
            inside = thread < POINTS
            point = inside.choose(thread, thread * 0)
            sums: list[Variable] = []
            zero = block.integers(0)
            for o in range(layer.fan_out):
                sums.append(code.variable(block.load(zero + (layer.biases + o))))
            for k0, n in code.blocks(layer.fan_in, 2 * _UNROLL):
                short = k0.to("i32", "trunc")
                for k in range(n):
                    value = block.load(point + (short * ROW + (self.inputs_of(layer) + k * ROW)))
                    at = zero + (
                        short * layer.column_stride + (layer.columns + k * layer.column_stride)
                    )
                    for o, place in enumerate(sums):
                        place.set(block.load(at + o).fma(value, place.get()))
            outputs = [place.get() for place in sums]
            targets = [block.load(point + (plan.rows["y"] + o * ROW)) for o in range(layer.fan_out)]
            scale = block.load(point + plan.rows["scales"])
            so_far = total = block.own(plan.n_own - 1)
            together = (
                [range(len(outputs))] if plan.loss.by_rows else [[o] for o in range(len(outputs))]
            )
            for group in together:
                deltas, total = plan.loss.accumulate(
                    self.on, [outputs[o] for o in group], [targets[o] for o in group], scale, total
                )
                for o, delta in zip(group, deltas, strict=True):
                    block.store(delta, point + (self.outputs_of(layer) + o * ROW), inside)
            block.set_own(plan.n_own - 1, inside.choose(total, so_far))

    def gradients(self, job: Job, thread: Value) -> None:
        """Add the gradients of a pass to those that a thread has."""
        block, code, layer = self.block, self.code, job.layer
        deltas, inputs = self.outputs_of(layer), self.inputs_of(layer)
        if job.kind == "tile":
            tile, _ = chosen(self.block, thread, job.done, job.n, self.plan.threads)
            rows, columns = tile_rows(layer, tile)
            sums = [code.variable(block.own(job.first + k)) for k in range(16)]
            with code.loop(_QUADS) as quad:
                short = (quad * 4).to("i32", "trunc")
                left = [block.load_four(row * ROW + (short + deltas)) for row in rows]
                right = [block.load_four(column * ROW + (short + inputs)) for column in columns]
                for a, delta in enumerate(left):
                    for b, value in enumerate(right):
                        place = sums[4 * a + b]
                        total = place.get()
                        for p in range(4):
                            total = delta[p].fma(value[p], total)
                        place.set(total)
            for k, place in enumerate(sums):
                block.set_own(job.first + k, place.get())
            return
        item, _ = chosen(self.block, thread >> 2, job.done, job.n, self.plan.threads // 4)
        quarter = (thread & 3) * 4
        if job.kind == "biases":
            at = quarter + item * ROW + deltas
            others = None
        else:
            at = quarter + item // layer.fan_in * ROW + deltas
            others = quarter + item % layer.fan_in * ROW + inputs
        place = code.variable(code.constant(0.0))
        with code.loop(_QUADS // 4) as quad:
            short = (quad * 16).to("i32", "trunc")
            left = block.load_four(at + short)
            total = place.get()
            if others is None:
                for value in left:
                    total = total + value
            else:
                for delta, value in zip(left, block.load_four(others + short), strict=True):
                    total = delta.fma(value, total)
            place.set(total)
        total = place.get()
        for distance in (1, 2):
            total = total + block.exchanged(total, distance)
        block.set_own(job.first, block.own(job.first) + total)

    def parameter(self, layer: BlockLayer, place: Place) -> Value:
        return self.block.load(place.by_column)

    def set_parameter(self, layer: BlockLayer, place: Place, value: Value) -> None:
        self.block.store(value, place.by_column, place.mask)
        if place.i is not None and layer.number:
            self.block.store(value, place.by_row, place.mask)

    def update(self, step: Index) -> None:
        code, plan, block, given = self.code, self.plan, self.block, self.given
        n_factors = plan.optimizer.factors(0, 1).shape[1]
        factors = [code.splat(given["factors"], step * n_factors + k) for k in range(n_factors)]
        numbers = [code.splat(given["numbers"], k) for k in range(plan.n_numbers)]
        n_own = len(plan.optimizer.numbers())
        numbers, own = numbers[:n_own], numbers[n_own:]
        with block.phase() as thread:
            for job in plan.jobs:
                for number, layer, place in parameters(self.block, self.plan, job, thread):
                    old = self.parameter(layer, place)
                    gradient = block.own(number)
                    if plan.penalty is not None:
                        is_weight = job.kind != "biases"
                        gradient = plan.penalty.gradient(self.on, old, gradient, is_weight, own)
                    places = [self.moment(number, m) for m in range(plan.optimizer.n_moments)]
                    moments = [block.own(moment) for moment in places]
                    new = plan.optimizer.update(self.on, old, gradient, moments, numbers, factors)
                    for moment, value in zip(places, moments, strict=True):
                        block.set_own(moment, value)
                    self.set_parameter(layer, place, new)
