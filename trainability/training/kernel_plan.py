"""What a fused kernel is specialized for, and what it is called with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from trainability.training.rules import N_MOMENTS, Rule
from trainability.training.simd import FLOAT, INT, POINTER, Index

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
        """Neurons whose sums the forward pass holds in registers."""
        return 2

    @property
    def columns(self) -> int:
        """Neurons whose sums the backward pass holds in registers: AVX-512 has twice as many."""
        return 3 if self.lanes == 16 else 2

    @property
    def unroll(self) -> bool:
        """Whether to write out loops over neurons; measured, it pays for the smallest networks."""
        return self.n_parameters <= 64

    @property
    def n_outputs(self) -> int:
        """Vectors that the outputs of all layers take in a pass."""
        return sum(self.sizes[1:]) * self.points

    @property
    def n_moments(self) -> int:
        return N_MOMENTS[self.rule]


@dataclass(frozen=True)
class PlannedLayer:
    """Sizes of a layer, and where its numbers lie, counted in vectors."""

    fan_in: int
    fan_out: int
    weights: int
    biases: int
    outputs: int

    def weight(self, j: Index, i: Index) -> Index:
        """Where the weight from input i to output j lies."""
        return self.weights + j * self.fan_in + i
