"""What a fused kernel is specialized for, and what it is called with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from trainability.activations import Activation
from trainability.losses import Loss
from trainability.optimizers import Optimizer
from trainability.penalties import Penalty
from trainability.training.ops.simd import FLOAT, INT, POINTER, Index

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

_TRAIN = EVALUATE | {
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
}
"""Arguments of the function `train`.

Gradients (scratch), moment and square have the shape of the parameters; what an optimizer keeps
beyond these two follows as `moment2` and so on. `settings` holds the numbers of the optimizer and
of the penalty; `schedule` has per step the factors of the optimizer. `losses` gets the last loss
that was looked at, `steps` (int32) the number of updates; `live` (int32) tells which networks
train, and which are still training afterwards.
"""

_MINIBATCHES = {
    "keys": POINTER,
    "order": POINTER,
    "table": POINTER,
    "n_points": INT,
    "batch_size": INT,
    "steps_per_epoch": INT,
    "own": POINTER,
    "own_scales": POINTER,
    "n_own_passes": INT,
}
"""What `train` gets besides: the `keys` of the orders, `order` (scratch for two of them), the
`table` of points, of shape (points, n_own), and `own`, scratch for those of a pass."""

# Nobody reads them. Kernels of full batches have them: so the text of those in the cache stays.
_UNUSED = dict.fromkeys(["keys", "order", "table_x", "table_y"], POINTER)
_UNUSED |= dict.fromkeys(["n_points", "batch_size", "steps_per_epoch"], INT)
_UNUSED |= dict.fromkeys(["own_x", "own_y", "own_scales"], POINTER) | {"n_own_passes": INT}

BLOCK = 2
"""Parameters whose updates have exchanges beside them; measured, from width 2 to depth 10."""

_MOMENTS = ("moment", "square")
# What Adam has. Kernels have room for it at least: so the text of those in the cache stays.
_LEAST_NUMBERS, _LEAST_FACTORS = 5, 2


@dataclass(frozen=True)
class Plan:
    """What a kernel is specialized for.

    Args:
        sizes: d_in, the hidden widths, d_out.
        optimizer: The update rule; its numbers are arguments of the kernel.
        full_batch: Whether every step sees all points.
        lanes: Networks side by side.
        points: Points per pass.
        activation: Of the hidden neurons; its settings are constants in the kernel.
        loss: What is minimized; likewise.
        penalty: Or None; its numbers are arguments.
        exchanges: How many exchanges of the next order of minibatches are written beside the
            updates of a block of parameters; 0: one behind the update of every parameter.
    """

    sizes: tuple[int, ...]
    optimizer: Optimizer
    full_batch: bool
    lanes: int
    points: int
    activation: Activation
    loss: Loss
    penalty: Penalty | None
    exchanges: int = 0

    @cached_property
    def layers(self) -> list[PlannedLayer]:
        fans = list(pairwise(self.sizes))
        weights = [0, *accumulate(into * out + out for into, out in fans)]
        outputs = [0, *accumulate(out * self.points for _, out in fans)]
        # Of the hidden layers only; the places of the last layer are not used.
        kept = outputs[-1]
        extremes = kept + outputs[-2]
        extreme = [0, *accumulate(4 * (out + self.points) for _, out in fans)]
        return [
            PlannedLayer(
                fan_in=into,
                fan_out=out,
                weights=weights[i],
                biases=weights[i] + into * out,
                outputs=outputs[i],
                kept=kept + outputs[i],
                extremes=extremes + extreme[i],
            )
            for i, (into, out) in enumerate(fans)
        ]

    @property
    def n_parameters(self) -> int:
        """Weights and biases of one network, in the order W1, b1, W2, b2, ..."""
        return sum(into * out + out for into, out in pairwise(self.sizes))

    @property
    def finishes(self) -> int:
        """How many exchanges are done at once where an order is wanted and nothing is beside them:
        measured, at width 8."""
        return 2 if self.exchanges else 1

    @property
    def alike(self) -> list[tuple[int | None, int, bool]]:
        """Parameters that are updated alike: the first, how many, and whether they are weights.

        Without a penalty all are, from the first on, which is None.
        """
        if self.penalty is None:
            return [(None, self.n_parameters, True)]
        weights = [(part.weights, part.fan_in * part.fan_out, True) for part in self.layers]
        biases = [(part.biases, part.fan_out, False) for part in self.layers]
        return [part for pair in zip(weights, biases, strict=True) for part in pair]

    @property
    def rows(self) -> int:
        """Neurons whose sums the forward pass holds in registers."""
        return 2

    @property
    def columns(self) -> int:
        """Neurons whose sums the backward pass holds in registers: AVX-512 has twice as many."""
        if self.points > 4:
            return 1
        return 3 if self.lanes == 16 else 2

    @property
    def unroll(self) -> bool:
        """Whether to write out loops over neurons; measured, it pays for the smallest networks."""
        return self.n_parameters <= 64

    @property
    def n_outputs(self) -> int:
        """Vectors that the outputs of all layers, and what else they keep, take in a pass."""
        last = self.layers[-1]
        if self.has_extremes:
            return last.extremes
        return last.kept if self.keeps_inputs else last.outputs + last.fan_out * self.points

    @property
    def has_extremes(self) -> bool:
        """Whether the penalty asks for extremes of pre-activations."""
        return self.penalty is not None and bool(self.penalty.extremes)

    @property
    def keeps_inputs(self) -> bool:
        """Whether pre-activations are kept for the backward pass."""
        return self.has_extremes or self.activation.keeps == "input"

    @property
    def n_moments(self) -> int:
        return self.optimizer.n_moments

    @property
    def moments(self) -> tuple[str, ...]:
        """The arguments that hold the moments."""
        return (*_MOMENTS, *(f"moment{k}" for k in range(len(_MOMENTS), self.n_moments)))

    @property
    def arguments(self) -> dict[str, str]:
        """Of the function `train`."""
        own = _UNUSED if self.full_batch else _MINIBATCHES
        return _TRAIN | own | dict.fromkeys(self.moments, POINTER)

    @property
    def n_own(self) -> int:
        """Numbers of a point, inputs and targets, filled up to pairs, which are gathered."""
        n = self.sizes[0] + self.sizes[-1]
        return n + n % 2

    @cached_property
    def n_numbers(self) -> int:
        """Length of `settings`."""
        rules = [self.optimizer, *([self.penalty] if self.penalty else [])]
        return max(_LEAST_NUMBERS, sum(len(rule.numbers()) for rule in rules))

    @cached_property
    def n_factors(self) -> int:
        """Numbers per step in `schedule`."""
        return max(_LEAST_FACTORS, self.optimizer.factors(0, 1).shape[1])


@dataclass(frozen=True)
class PlannedLayer:
    """Sizes of a layer, and where its numbers lie, counted in vectors."""

    fan_in: int
    fan_out: int
    weights: int
    biases: int
    outputs: int
    kept: int
    extremes: int

    def weight(self, j: Index, i: Index) -> Index:
        """Where the weight from input i to output j lies."""
        return self.weights + j * self.fan_in + i
