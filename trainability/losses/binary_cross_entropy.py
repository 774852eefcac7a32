"""The cross-entropy of independent yes-no outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainability.lazy import numpy as np
from trainability.losses.base import Loss

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """Every output is the log-odds of yes; a mean over points and outputs, in nats.

    A target is the probability of yes, 0 or 1 in most data, as in
    `torch.nn.BCEWithLogitsLoss`: max(z, 0) - z t + log(1 + e^-|z|).
    """

    functions: ClassVar = frozenset({"exp", "log1p"})
    undecided_at: ClassVar = 0.0

    def accumulate(
        self,
        on: Arithmetic,
        outputs: list[Number],
        targets: list[Number],
        scale: Number,
        total: Number,
    ) -> tuple[list[Number], Number]:
        z, target = outputs[0], targets[0]
        small = on.exp_of_nonpositive(-on.absolute(z))
        likelier = on.constant(1.0) / (small + 1.0)
        probability = on.where(z < 0.0, small * likelier, likelier)
        loss = on.maximum(z, on.constant(0.0)) - z * target + on.log1p(small)
        return [(probability - target) * scale], on.fma(loss, scale, total)

    def target_problem(self, y: np.ndarray) -> str | None:
        if y.min() >= 0 and y.max() <= 1:
            return None
        return (
            f"targets must be probabilities, within [0, 1]; got {y.min():g} to {y.max():g} (a "
            "Table's are with classes=True)"
        )

    def of_constant(self, y: np.ndarray) -> float:
        p = np.clip(y.mean(axis=0, dtype=np.float64), 1e-300, 1)
        q = np.clip(1 - p, 1e-300, 1)
        return max(0.0, float(np.mean(-p * np.log(p) - q * np.log(q))))
