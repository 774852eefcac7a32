"""What the kernels of warps and of blocks are specialized for alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise

from trainability.activations import Activation
from trainability.losses import Loss
from trainability.optimizers import Optimizer
from trainability.penalties import Penalty


@dataclass(frozen=True)
class Specialized(ABC):
    """The rules and sizes that are compiled into a kernel.

    Args:
        sizes: d_in, the hidden widths, d_out.
        activation: Of the hidden neurons.
        loss: What is trained.
        optimizer: Its type and its number of moments are compiled in, its settings are not.
        penalty: Likewise, or None.
        full_batch: Whether every step sees all points.
    """

    sizes: tuple[int, ...]
    activation: Activation
    loss: Loss
    optimizer: Optimizer
    penalty: Penalty | None
    full_batch: bool

    @property
    @abstractmethod
    def pass_size(self) -> int:
        """Points of a pass."""

    def passes(self, n_points: int) -> int:
        """Passes over so many points."""
        return -(-n_points // self.pass_size)

    @property
    def n_numbers(self) -> int:
        """Constants of the update: of the optimizer, then of the penalty."""
        own = self.penalty.numbers() if self.penalty else ()
        return len(self.optimizer.numbers()) + len(own)

    @property
    def n_parameters(self) -> int:
        """Weights and biases of one network."""
        return sum(fan_in * out + out for fan_in, out in pairwise(self.sizes))
