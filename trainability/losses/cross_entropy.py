"""The cross-entropy of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainability.lazy import numpy as np
from trainability.losses.base import Loss

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """A softmax over the outputs, one per class; a mean over points, in nats.

    A row of targets holds the probabilities of the classes, one of them 1 in most data, as in
    `torch.nn.CrossEntropyLoss` with probabilities.
    """

    by_rows: ClassVar = True
    functions: ClassVar = frozenset({"exp", "log", "log1p"})

    def scale(self, n_points: int, d_out: int) -> float:
        return 1 / n_points

    def accumulate(
        self,
        on: Arithmetic,
        outputs: list[Number],
        targets: list[Number],
        scale: Number,
        total: Number,
    ) -> tuple[list[Number], Number]:
        if len(outputs) == 2:
            return self._of_two(on, outputs, targets, scale, total)
        largest = self._largest(on, outputs)
        # A NaN is no maximum on every target, but stays in the differences.
        shifted = [output - largest for output in outputs]
        powers = [on.exp_of_nonpositive(difference) for difference in shifted]
        whole = powers[0]
        for power in powers[1:]:
            whole = whole + power
        loss = on.log(whole)
        for difference, target in zip(shifted, targets, strict=True):
            loss = on.fma(-difference, target, loss)
        share = on.constant(1.0) / whole
        deltas = [
            on.fma(power, share, -target) * scale
            for power, target in zip(powers, targets, strict=True)
        ]
        return deltas, on.fma(loss, scale, total)

    def _largest(self, on: Arithmetic, outputs: list[Number]) -> Number:
        """In rounds of pairs: all that follows waits for it, and for fewer steps so."""
        while len(outputs) > 1:
            pairs = zip(outputs[::2], outputs[1::2], strict=False)
            odd = outputs[len(outputs) & ~1 :]
            outputs = [*(on.maximum(a, b) for a, b in pairs), *odd]
        return outputs[0]

    def _of_two(
        self,
        on: Arithmetic,
        outputs: list[Number],
        targets: list[Number],
        scale: Number,
        total: Number,
    ) -> tuple[list[Number], Number]:
        """The same by one power, that of the distance: the other is 1."""
        lead = outputs[0] - outputs[1]
        distance = on.absolute(lead)
        power = on.exp_of_nonpositive(-distance)
        likelier = on.constant(1.0) / (power + 1.0)
        other = power * likelier
        first = lead > 0.0
        probabilities = [on.where(first, likelier, other), on.where(first, other, likelier)]
        missed = on.where(first, targets[1], targets[0])
        loss = on.fma(distance, missed, on.log1p(power))
        deltas = [
            (probability - target) * scale
            for probability, target in zip(probabilities, targets, strict=True)
        ]
        return deltas, on.fma(loss, scale, total)

    def target_problem(self, y: np.ndarray) -> str | None:
        if y.shape[1] < 2:
            return (
                "targets must have one column per class, two or more; got 1 (two classes have two "
                "with one_hot=True)"
            )
        if y.min() < 0 or np.abs(y.sum(axis=1) - 1).max() > 1e-5:
            return (
                "every row of targets must hold probabilities of the classes, that add up to 1 (a "
                "Table's do with classes=True)"
            )
        return None

    def of_constant(self, y: np.ndarray) -> float:
        p = np.clip(y.mean(axis=0, dtype=np.float64), 1e-300, 1)
        return max(0.0, float(np.sum(-p * np.log(p))))
