"""The kernel of a warp: everything that its networks do in training, from first step to last.

Parameters lie in shared memory, a lane keeps the moments of those that it owns, and nothing is
read from or written to a GPU's memory in between but the points.
"""

from __future__ import annotations

from trainability.training.contract import goes_on
from trainability.training.gpu.deep import DeepPass
from trainability.training.gpu.passes import Batch
from trainability.training.gpu.plan import WarpPlan
from trainability.training.gpu.shallow import ShallowPass
from trainability.training.gpu.sums import HeldSums, Sums, total
from trainability.training.gpu.warp import Threads, Vectors, Warp
from trainability.training.ops.lanes import ThreadArithmetic
from trainability.training.ops.simd import FLOAT, INT, POINTER, Index, Value

TRAIN = {
    "state": POINTER,
    "state_stride": INT,
    "rows": POINTER,
    "n_rows": INT,
    "losses": POINTER,
    "steps": POINTER,
    "live": POINTER,
    "x": POINTER,
    "y": POINTER,
    "scales": POINTER,
    "n_passes": INT,
    "first_step": INT,
    "n_steps": INT,
    "tolerance": FLOAT,
    "numbers": POINTER,
    "factors": POINTER,
    "order": POINTER,
    "n_points": INT,
    "batch_size": INT,
    "steps_per_epoch": INT,
    "batch_scale": FLOAT,
    "n_own_passes": INT,
    "table_x": POINTER,
    "table_y": POINTER,
}
"""Arguments of the function `train`.

state: float32, (1 + moments, R, places): parameters and moments in the order of the plan;
`state_stride` numbers from one of them to the next. rows: int64, (n_rows,): the networks that
train. losses (float32), steps (int32, updates of this call) and live (int32, whether it goes on):
(n_rows,), written. x: (passes, d_in, points, lanes), y likewise, scales: (passes, points, lanes).
numbers: of the optimizer; factors: (n_steps, factors). From `order` on for minibatches: int32,
(epochs, n_rows, n_points), the orders of the epochs that these steps touch.
"""


def source(plan: WarpPlan, threads: bool) -> str:
    """LLVM assembly with the function `train`, for threads of a GPU or for vectors of a CPU."""
    warp = Threads(plan.memory, plan.warps, plan.registers) if threads else Vectors(plan.memory)
    _Kernel(plan, warp).train()
    return str(warp.code)


class _Kernel:
    given: dict[str, Value]

    def __init__(self, plan: WarpPlan, warp: Warp) -> None:
        self.plan = plan
        self.warp = warp
        self.code = warp.code
        self.on = ThreadArithmetic(warp.code)
        kind = ShallowPass if plan.shallow else DeepPass
        self.a_pass = kind(plan, warp, self.on)

    def train(self) -> None:
        code, plan, warp = self.code, self.plan, self.warp
        with warp.function("train", TRAIN) as self.given:
            given = self.given
            self.upper = {
                1 << bit: (warp.lane & (1 << bit)) > 0 for bit in range(plan.lanes.bit_length() - 1)
            }
            inside = warp.slot < given["n_rows"]
            slot = inside.choose(warp.slot, warp.slot.like(given["n_rows"] - 1))
            row = warp.gather(given["rows"], slot, INT)
            self.wide_lane = warp.lane.to(code.vector(INT), "zext")
            at = row * len(plan.order) + self.wide_lane
            self.live = code.variable(inside)
            self.loss = code.variable(code.constant(0.0))
            self.count = code.variable(code.constant(0, code.vector("i32")))
            self.moments = []
            for c in range(plan.chunks):
                place = at + c * plan.lanes
                warp.set_parameters(c * plan.lanes, warp.gather(given["state"], place))
                self.moments.append([])
                for moment in range(plan.optimizer.n_moments):
                    moment_at = place + given["state_stride"] * (moment + 1)
                    self.moments[-1].append(code.variable(warp.gather(given["state"], moment_at)))
            warp.fence()
            self.numbers = [code.splat(given["numbers"], k) for k in range(plan.n_numbers)]
            if not plan.full_batch:
                first_batch = given["first_step"] % given["steps_per_epoch"]
                self.batch_of_epoch = code.variable(first_batch)
                self.nth_epoch = code.variable(code.constant(0, INT))
            if plan.single_pass and plan.full_batch:
                self.only_batch = self.batch(code.constant(0, INT))
            with code.loop(given["n_steps"] + 1) as step:
                gradients = self.gradients() if plan.full_batch else self.minibatch(step, slot)
                code.leave_loop_when(step.equals(given["n_steps"]))
                self.update(step, gradients)
                warp.fence()
            for c in range(plan.chunks):
                place = at + c * plan.lanes
                parameters = warp.own_parameters(c * plan.lanes)
                warp.scatter(parameters, given["state"], place, inside)
                for moment, variable in enumerate(self.moments[c], 1):
                    moment_at = place + given["state_stride"] * moment
                    warp.scatter(variable.get(), given["state"], moment_at, inside)
            first = inside & warp.lane.equals(0)
            warp.scatter(self.loss.get(), given["losses"], slot, first)
            warp.scatter(self.count.get(), given["steps"], slot, first)
            live = self.live.get().to(code.vector("i32"), "zext")
            warp.scatter(live, given["live"], slot, first)

    def look(self, loss: Value) -> None:
        """Note the loss of the live networks; those that fit or diverged stop."""
        live = self.live.get()
        self.loss.set(live.choose(loss, self.loss.get()))
        self.live.set(goes_on(live, loss, self.given["tolerance"]))
        self.code.leave_loop_when(self.warp.any(self.live.get()).equals(0))

    def gradients(self) -> list[Value]:
        """Of all points, by chunk, after a look at the loss."""
        code, plan = self.code, self.plan
        amount = code.variable(code.constant(0.0))
        if plan.single_pass:
            chunks = self.one_pass(self.only_batch, amount)
        else:
            chunks = self.many_passes(self.given["n_passes"], self.batch, amount)
        loss = total(self.warp, amount.get(), plan.lanes) * plan.loss.factor
        self.look(loss)
        return chunks

    def one_pass(self, batch: Batch, amount) -> list[Value]:
        """Gradients by chunk; where loops computed them, they are read from where they lie."""
        chunks: dict[int, Value] = {}

        def ready(first: Index, c: int, value: Value) -> None:
            if self.plan.looped:
                self.store_chunk(first + c, value)
            else:
                assert isinstance(first, int)
                chunks[first + c] = value

        self.a_pass.gradients(batch, amount, lambda first: self.sums(first, ready))
        if self.plan.looped:
            return [self.stored_chunk(c) for c in range(self.plan.chunks)]
        return [chunks[c] for c in range(self.plan.chunks)]

    def many_passes(self, n_passes: Value, batch_of, amount) -> list[Value]:
        code, plan = self.code, self.plan
        zero = code.constant(0.0)
        totals = []
        if plan.held:
            return self.held_passes(n_passes, batch_of, amount)
        if plan.looped:
            for c in range(plan.chunks):
                self.store_chunk(c, zero)
        else:
            totals = [code.variable(zero) for _ in range(plan.chunks)]

        def ready(first: Index, c: int, value: Value) -> None:
            if plan.looped:
                self.store_chunk(first + c, self.stored_chunk(first + c) + value)
            else:
                assert isinstance(first, int)
                totals[first + c].set(totals[first + c].get() + value)

        with code.loop(n_passes) as index:
            self.a_pass.gradients(batch_of(index), amount, lambda first: self.sums(first, ready))
        if plan.looped:
            return [self.stored_chunk(c) for c in range(plan.chunks)]
        return [place.get() for place in totals]

    def held_passes(self, n_passes: Value, batch_of, amount) -> list[Value]:
        code, plan = self.code, self.plan
        held = HeldSums(code, plan.n_parameters)
        with code.loop(n_passes) as index:
            self.a_pass.gradients(batch_of(index), amount, lambda _: held.restart())
        chunks: dict[int, Value] = {}
        held.release(Sums(self.warp, plan.lanes, self.upper, chunks.__setitem__))
        return [chunks[c] for c in range(plan.chunks)]

    def sums(self, first: Index, ready) -> Sums:
        return Sums(self.warp, self.plan.lanes, self.upper, lambda c, value: ready(first, c, value))

    def store_chunk(self, c: Index, value: Value) -> None:
        self.warp.store(c + self.plan.stored_values * self.plan.points, [value])

    def stored_chunk(self, c: Index) -> Value:
        return self.warp.load(c + self.plan.stored_values * self.plan.points, 1)[0]

    def batch(self, index: Index) -> Batch:
        """The points of a pass over all of them."""
        plan, warp, given = self.plan, self.warp, self.given
        lane = self.wide_lane

        def rows(name: str, n: int) -> list[list[Value]]:
            return [
                [
                    warp.gather(
                        given[name], lane + ((index * n + i) * plan.points + p) * plan.lanes
                    )
                    for p in range(plan.points)
                ]
                for i in range(n)
            ]

        return Batch(rows("x", plan.sizes[0]), rows("y", plan.sizes[-1]), rows("scales", 1)[0])

    def minibatch(self, step: Value, slot: Value) -> list[Value]:
        """The gradients of a step's minibatch; at the start of an epoch a look at the loss."""
        code, plan, warp, given = self.code, self.plan, self.warp, self.given
        batch, nth = self.batch_of_epoch.get(), self.nth_epoch.get()
        with code.when(batch.equals(0) | step.equals(given["n_steps"])):
            amount = code.variable(code.constant(0.0))
            with code.loop(given["n_passes"]) as index:
                self.a_pass.loss(self.batch(index), amount)
            loss = total(warp, amount.get(), plan.lanes) * plan.loss.factor
            live = self.live.get()
            self.loss.set(live.choose(loss, self.loss.get()))
            self.live.set(goes_on(live, loss, given["tolerance"]))
        code.leave_loop_when(warp.any(self.live.get()).equals(0))
        # The orders of the epochs end with the last step.
        code.leave_loop_when(step.equals(given["n_steps"]))
        following = batch + 1
        ends = following.equals(given["steps_per_epoch"])
        self.batch_of_epoch.set(ends.choose(following.like(0), following))
        self.nth_epoch.set(nth + ends.to(INT, "zext"))
        first = (slot + nth * given["n_rows"]) * given["n_points"] + batch * given["batch_size"]
        size = given["batch_size"]

        def points(index: Index) -> Batch:
            x: list[list[Value]] = [[] for _ in range(plan.sizes[0])]
            y: list[list[Value]] = [[] for _ in range(plan.sizes[-1])]
            scales = []
            for p in range(plan.points):
                place = self.wide_lane + (index * plan.points + p) * plan.lanes
                counts = place < size
                place = counts.choose(place, place.like(size - 1))
                point = warp.gather(given["order"], first + place, "i32")
                point = point.to(code.vector(INT), "zext")
                for name, rows in (("table_x", x), ("table_y", y)):
                    for i, row in enumerate(rows):
                        row.append(warp.gather(given[name], point * len(rows) + i))
                scale = code.fill(given["batch_scale"])
                scales.append(counts.choose(scale, scale.like(0.0)))
            return Batch(x, y, scales)

        amount = code.variable(code.constant(0.0))
        if plan.single_pass:
            return self.one_pass(points(code.constant(0, INT)), amount)
        return self.many_passes(given["n_own_passes"], points, amount)

    def update(self, step: Index, gradients: list[Value]) -> None:
        """One update of the live networks."""
        code, plan, warp, given = self.code, self.plan, self.warp, self.given
        optimizer = plan.optimizer
        n_factors = optimizer.factors(0, 1).shape[1]
        factors = [code.splat(given["factors"], step * n_factors + k) for k in range(n_factors)]
        numbers = self.numbers[: len(optimizer.numbers())]
        live = self.live.get()
        warp.fence()
        for c, gradient in enumerate(gradients):
            old = warp.own_parameters(c * plan.lanes)
            moments = [variable.get() for variable in self.moments[c]]
            gradient = self.penalized(c, old, gradient)
            new = optimizer.update(self.on, old, gradient, moments, numbers, factors)
            for variable, value in zip(self.moments[c], moments, strict=True):
                variable.set(value)
            warp.set_parameters(c * plan.lanes, live.choose(new, old))
        self.count.set(self.count.get() + live.to(code.vector("i32"), "zext"))

    def penalized(self, c: int, parameter: Value, gradient: Value) -> Value:
        """The gradient of loss and penalty; chunks hold weights and biases."""
        plan = self.plan
        if plan.penalty is None:
            return gradient
        numbers = self.numbers[len(plan.optimizer.numbers()) :]
        flags = plan.weights[c * plan.lanes : (c + 1) * plan.lanes]
        kinds = {
            bool(flag): plan.penalty.gradient(self.on, parameter, gradient, bool(flag), numbers)
            for flag in set(flags.tolist())
        }
        if len(kinds) == 1:
            return kinds.popitem()[1]
        bits = sum(1 << t for t, flag in enumerate(flags) if flag)
        bits -= (bits >> 31) << 32  # As LLVM writes an i32.
        mask = self.code.constant(bits, self.warp.lane.kind) >> self.warp.lane
        return ((mask & 1) > 0).choose(kinds[True], kinds[False])
