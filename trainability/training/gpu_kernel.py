"""Triton source of the fused GPU kernel: whole trainings of narrow networks in one function.

A program is a tile of networks by points: each network's points are dealt to a few threads, which
all hold its parameters and moments in registers, through all steps of a call. Loops over neurons
are written out, since registers have no index; loops over points and steps are not.
"""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from itertools import accumulate, pairwise
from types import ModuleType

from trainability.training.rules import Rule

_NAMES = {
    "sgd": ("parameter",),
    "momentum": ("parameter", "moment"),
    "adam": ("parameter", "moment", "square"),
}

# IEEE division and root: Triton's operators approximate both. `maximum` must not hide a NaN.
_MODULE = '''\
import triton
import triton.language as tl


@triton.jit(do_not_specialize=["n_rows", "n_points"])
def evaluate(
    n_rows, parameters, rows, losses, x, y, n_points,
    NETWORKS: tl.constexpr, LANES: tl.constexpr,
):
    """Write the loss of the networks `rows`."""
    $head
    $load_parameters
    $loss
    tl.store(losses + slot, loss, mask=here & (lane == 0))


@triton.jit(
    do_not_specialize=[
        "n_rows", "n_points", "first_step", "n_steps", "batch_size", "steps_per_epoch"
    ]
)
def train(
    n_rows, $state, rows, losses, steps, live_after, x, y, n_points, first_step, n_steps,
    tolerance, settings, schedule, order, batch_size, steps_per_epoch,
    NETWORKS: tl.constexpr, LANES: tl.constexpr,
):
    """Train the networks `rows` for some steps; see `fused_gpu` for the arguments."""
    $head
    $load_state
    live = tl.where(here, 1, 0)
    count = tl.zeros([NETWORKS, LANES], tl.int32)
    known = tl.zeros([NETWORKS, LANES], tl.float32)
    $load_settings
    n_live = tl.max(tl.max(live, 1), 0)
    done = 0
    while (done < n_steps) & (n_live > 0):
        $gradients
        step_size = tl.load(schedule + 2 * done)
        correction = tl.load(schedule + 2 * done + 1)
        $update
        count += live
        n_live = tl.max(tl.max(live, 1), 0)
        done += 1
    $store_state
    tl.store(losses + slot, known, mask=here & (lane == 0))
    tl.store(steps + slot, count, mask=here & (lane == 0))
    tl.store(live_after + slot, live, mask=here & (lane == 0))
'''

_HEAD = """\
slot = tl.program_id(0) * NETWORKS + tl.arange(0, NETWORKS)[:, None]
lane = tl.arange(0, LANES)[None, :]
slot, lane = tl.broadcast(slot, lane)
here = slot < n_rows
row = tl.load(rows + slot, mask=here, other=0)"""

_LOOK = """\
known = tl.where(live > 0, loss, known)
live = tl.where((loss > tolerance) & (loss < float("inf")), live, 0)"""

# The last pass is filled up with a point that counts for nothing, but is one of the others.
_ALL_POINTS = """\
scale = tl.where(first + lane < n_points, 2.0 / (n_points * {n_out}), 0.0)
point = tl.minimum(first + lane, n_points - 1)"""

_OWN_POINTS = """\
scale = tl.where(first + lane < batch_size, 2.0 / (batch_size * {n_out}), 0.0)
place = epoch * n_points + batch * batch_size + tl.minimum(first + lane, batch_size - 1)
point = tl.load(order + place.to(tl.int64) * n_rows + slot, mask=here, other=0)"""


def source(sizes: tuple[int, ...], rule: Rule, full_batch: bool) -> str:
    """A Python module with the Triton functions `train` and `evaluate`."""
    kernel = _Kernel(sizes, rule)
    if full_batch:
        gradients = [*kernel.gradients("n_points", _ALL_POINTS, loss=True), *_LOOK.splitlines()]
    else:
        gradients = [
            "epoch = (first_step + done) // steps_per_epoch - first_step // steps_per_epoch",
            "batch = (first_step + done) % steps_per_epoch",
            "if batch == 0:",
            *_indented([*kernel.loss(), *_LOOK.splitlines()]),
            *kernel.gradients("batch_size", _OWN_POINTS, loss=False),
        ]
    names = _NAMES[rule]
    return _filled(
        state=", ".join(f"{name}s" for name in names),
        head=_HEAD.splitlines(),
        load_parameters=kernel.load(names[:1]),
        loss=kernel.loss(),
        load_state=kernel.load(names),
        load_settings=kernel.load_settings(),
        gradients=gradients,
        update=kernel.update(),
        store_state=kernel.store(names),
    )


def module(text: str, name: str) -> ModuleType:
    """The module of this source, which Triton finds in Python's cache of source lines."""
    file = f"<{name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    found = ModuleType(name)
    exec(compile(text, file, "exec"), found.__dict__)
    return found


class _Kernel:
    """Writes the parts that depend on the architecture, as lists of lines.

    Parameter number k of a network is `parameter_k`, in the order W1, b1, W2, b2, ...; output j
    of layer l is `h_l_j`, the inputs are layer 0; `delta_l_j` is the derivative by it.
    """

    def __init__(self, sizes: tuple[int, ...], rule: Rule) -> None:
        self.sizes = sizes
        self.rule = rule
        self.depth = len(sizes) - 1
        counts = [into * out + out for into, out in pairwise(sizes)]
        self.first = [0, 0, *accumulate(counts)]
        self.n_parameters = sum(counts)

    def weight(self, layer: int, j: int, i: int) -> int:
        return self.first[layer] + j * self.sizes[layer - 1] + i

    def bias(self, layer: int, j: int) -> int:
        return self.first[layer] + self.sizes[layer] * self.sizes[layer - 1] + j

    def load(self, names: tuple[str, ...]) -> list[str]:
        return [
            f"{name}_{k} = tl.load({name}s + row.to(tl.int64) * {self.n_parameters} + {k})"
            for name in names
            for k in range(self.n_parameters)
        ]

    def store(self, names: tuple[str, ...]) -> list[str]:
        return [
            f"tl.store({name}s + row.to(tl.int64) * {self.n_parameters} + {k}, {name}_{k}, "
            "mask=here & (lane == 0))"
            for name in names
            for k in range(self.n_parameters)
        ]

    def load_settings(self) -> list[str]:
        names = {
            "sgd": [],
            "momentum": ["momentum"],
            "adam": ["beta1", "rest1", "beta2", "rest2", "epsilon"],
        }
        return [f"{name} = tl.load(settings + {k})" for k, name in enumerate(names[self.rule])]

    def loss(self) -> list[str]:
        body = [*_ALL_POINTS.splitlines(), *self.forward(loss=True)]
        return self.over_points("n_points", body, ["loss"])

    def gradients(self, n_points: str, points: str, loss: bool) -> list[str]:
        """Lines that leave the gradients, and the loss if wanted, of all points."""
        body = [*points.splitlines(), *self.forward(loss), *self.backward()]
        sums = [f"gradient_{k}" for k in range(self.n_parameters)]
        return self.over_points(n_points, body, ["loss"] * loss + sums)

    def over_points(self, n_points: str, body: list[str], sums: list[str]) -> list[str]:
        body = [line.format(n_out=self.sizes[-1]) for line in body]
        return [
            *(f"{name} = tl.zeros([NETWORKS, LANES], tl.float32)" for name in sums),
            f"for first in range(0, {n_points}, LANES):",
            *_indented(body),
            *(
                f"{name} = tl.sum({name}, 1)[:, None] + tl.zeros([NETWORKS, LANES], tl.float32)"
                for name in sums
            ),
        ]

    def forward(self, loss: bool) -> list[str]:
        """From `point` and `scale` to the derivatives by the outputs."""
        lines = [
            f"h_0_{i} = tl.load(x + point * {self.sizes[0]} + {i})" for i in range(self.sizes[0])
        ]
        for layer in range(1, self.depth + 1):
            for j in range(self.sizes[layer]):
                h = f"h_{layer}_{j}"
                lines.append(f"{h} = parameter_{self.bias(layer, j)}")
                lines += [
                    f"{h} += parameter_{self.weight(layer, j, i)} * h_{layer - 1}_{i}"
                    for i in range(self.sizes[layer - 1])
                ]
                if layer < self.depth:
                    lines.append(f"{h} = tl.maximum({h}, 0.0, tl.PropagateNan.ALL)")
        for j in range(self.sizes[-1]):
            delta = f"delta_{self.depth}_{j}"
            lines += [
                f"difference = h_{self.depth}_{j} - tl.load(y + point * {self.sizes[-1]} + {j})",
                f"{delta} = scale * difference",
            ]
            if loss:
                lines.append(f"loss += 0.5 * {delta} * difference")
        return lines

    def backward(self) -> list[str]:
        lines = []
        for layer in range(self.depth, 0, -1):
            outputs, inputs = range(self.sizes[layer]), range(self.sizes[layer - 1])
            for j in outputs:
                delta = f"delta_{layer}_{j}"
                lines += [
                    f"gradient_{self.weight(layer, j, i)} += {delta} * h_{layer - 1}_{i}"
                    for i in inputs
                ]
                lines.append(f"gradient_{self.bias(layer, j)} += {delta}")
            for i in inputs if layer > 1 else ():
                total = " + ".join(
                    f"parameter_{self.weight(layer, j, i)} * delta_{layer}_{j}" for j in outputs
                )
                h = f"h_{layer - 1}_{i}"
                lines.append(f"delta_{layer - 1}_{i} = tl.where({h} > 0, {total}, 0.0)")
        return lines

    def update(self) -> list[str]:
        """`step_size` is negative. Moments of a network that stopped are not needed any more."""
        lines = []
        for k in range(self.n_parameters):
            direction, m, v = f"gradient_{k}", f"moment_{k}", f"square_{k}"
            if self.rule == "momentum":
                lines.append(f"{m} = momentum * {m} + {direction}")
                direction = m
            elif self.rule == "adam":
                lines += [
                    f"{m} = beta1 * {m} + rest1 * {direction}",
                    f"{v} = beta2 * {v} + rest2 * {direction} * {direction}",
                ]
                direction = f"tl.div_rn({m}, tl.sqrt_rn({v}) * correction + epsilon)"
            p = f"parameter_{k}"
            lines.append(f"{p} = tl.where(live > 0, {p} + step_size * {direction}, {p})")
        return lines


def _filled(state: str, **parts: Sequence[str]) -> str:
    """The module, with every part indented as the place where it stands."""
    lines = []
    for line in _MODULE.replace("$state", state).splitlines():
        indent, mark, name = line.partition("$")
        lines += [indent + inner for inner in parts[name]] if mark else [line]
    return "\n".join(lines) + "\n"


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
