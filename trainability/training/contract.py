"""The contract of a training engine.

All engines follow the same rules, so that which one ran can't be told from the rows:

- The loss is that of `Problem.loss` over all training points, float32, no TF32. A penalty moves
  parameters, but no loss contains it.
- Full batch: every step looks at the loss first. Minibatches: the loss over the whole training
  set is looked at before step 0, after every epoch of floor(N / batch_size) steps (the points
  left over differ from epoch to epoch, since each epoch has a fresh order), and at the end of
  every `advance`.
- A network whose loss is not finite has *diverged*; one whose loss is <= the tolerance has
  *succeeded*. Either stops there: its parameters, loss and step count stay as they are, and it
  costs nothing from then on.
- Where success is an accuracy, the tolerance is minus infinity, so that no engine stops a network
  for its loss. Whoever looks at the accuracy, between calls of `advance`, stops it by `succeed`.
- The arithmetic of a network does not depend on the networks beside it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import numpy as np

from trainability.activations import RELU, Activation
from trainability.losses import MEAN_SQUARED_ERROR, Loss
from trainability.optimizers import Optimizer
from trainability.penalties import Penalty

if TYPE_CHECKING:
    from trainability.networks import Ensemble


Networks = TypeVar("Networks")
"""Equal-shaped networks: an `Ensemble`, or `Copies` of a module."""

EXTREMES = "extremes of pre-activations"
LEARNABLE = "learnable numbers of activations"


@dataclass(frozen=True)
class Problem:
    """What R networks are trained on.

    Args:
        x: Training inputs, float32, shape (N, d_in).
        y: Training targets, float32, shape (N, d_out).
        optimizer: The update rule.
        tolerance: A network stops when its loss is <= this; minus infinity for never.
        batch_size: Points per minibatch, 1 <= batch_size <= N; None for the full batch.
        order_keys: uint64, shape (R,): keys of `seeds.batch_order`, one per replicate.
        loss: What is minimized.
        penalty: What is descended beside the loss, or None.
        activation: Of the hidden neurons: that of the ensemble that is trained.
    """

    x: np.ndarray
    y: np.ndarray
    optimizer: Optimizer
    tolerance: float
    batch_size: int | None
    order_keys: np.ndarray
    loss: Loss = MEAN_SQUARED_ERROR
    penalty: Penalty | None = None
    activation: Activation = RELU

    @property
    def numbers(self) -> list[float]:
        """The numbers of the optimizer, then those of the penalty."""
        rules = [self.optimizer, *([self.penalty] if self.penalty else [])]
        return [number for rule in rules for number in rule.numbers()]

    @property
    def functions(self) -> frozenset[str]:
        """The names in `arithmetic.FUNCTIONS` that the rules of this problem use."""
        rules = (self.activation, self.loss, self.optimizer, self.penalty)
        return frozenset().union(*(rule.functions for rule in rules if rule is not None))

    @property
    def demands(self) -> dict[str, object]:
        """What only some engines can do, and the rule that asks for it."""
        asked = {}
        if self.penalty is not None and self.penalty.extremes:
            asked[EXTREMES] = self.penalty
        if self.activation.learnable:
            asked[LEARNABLE] = self.activation
        return asked

    @property
    def steps_per_epoch(self) -> int:
        """Steps between two looks at the loss: 1 for the full batch."""
        return 1 if self.batch_size is None else len(self.x) // self.batch_size


def goes_on(live: Any, loss: Any, tolerance: Any) -> Any:
    """The stop rule, in any arithmetic: a mask of the `live` networks that train on.

    The others have succeeded, at a loss <= the tolerance, or diverged: their loss is infinite or
    NaN, of which no comparison holds.
    """
    return live & (loss > tolerance) & (loss < math.inf)


class Training(ABC, Generic[Networks]):
    """R networks in training. Arrays are in the order of the ensemble that it started from."""

    loss: np.ndarray
    """Loss at each network's current parameters, float32, shape (R,)."""
    steps: np.ndarray
    """Updates that each network has seen, int64, shape (R,)."""
    succeeded: np.ndarray
    """bool, shape (R,)."""
    diverged: np.ndarray
    """bool, shape (R,)."""
    progress: Callable[[], None]
    """Called now and then while `advance` works, in the thread that called it; may look at `steps`,
    which some networks are ahead in. Changes no number: nothing is stopped for it."""

    @abstractmethod
    def advance(self, until: int) -> None:
        """Train every network that has neither succeeded nor diverged up to step `until`.

        Afterwards `loss` holds the loss at the current parameters, and who reached the tolerance
        or diverged at step `until` itself has stopped too. `advance(0)` evaluates and stops.
        """

    def succeed(self, networks: np.ndarray) -> None:
        """Stop networks where they are, for they have succeeded; those that diverged have not.

        Args:
            networks: Which, bool, shape (R,).
        """
        self.succeeded |= networks & ~self.diverged

    @abstractmethod
    def ensemble(self) -> Networks:
        """The networks with their current parameters, on the CPU."""


class Engine(ABC):
    """A way to train.

    To add one: a file `<name>_engine.py` anywhere below this folder, with one subclass whose
    `name` is that of the file, with dashes. It is made as `kind(device, threads)`, whose defaults
    must do for tests; whatever else it takes has a default too. Nothing else.
    """

    name: ClassVar[str]
    meets: ClassVar[frozenset[str]] = frozenset()
    """Which demands it meets, of those that `Problem.demands` may hold; it refuses the others."""
    on_gpu: ClassVar[bool | None] = None
    """Whether it runs on a GPU, else on a CPU; None for any device that torch knows."""

    @abstractmethod
    def __init__(self, device: str = ..., threads: int = ...) -> None: ...

    @classmethod
    def runs_on(cls, device: str) -> bool:
        """Whether it is for devices of this kind, be there one or not."""
        return cls.on_gpu is None or device.startswith("cuda" if cls.on_gpu else "cpu")

    @classmethod
    def networks_to_measure(cls, device: str) -> int:
        """How many networks side by side its speed on a device is measured with, at most."""
        return 4096 if device == "cpu" else 65_536

    @abstractmethod
    def rank(self, sizes: tuple[int, ...]) -> int:
        """Its place among the engines that can train networks of these sizes on one device.

        "auto" takes the highest: 1 is that of torch, and less what should be passed over.
        """

    def obstacle(self, sizes: tuple[int, ...], problem: Problem) -> str | None:
        """Why this engine can't train networks of these sizes here, or None if it can.

        Args:
            sizes: d_in, the hidden widths, d_out.
            problem: What they would be trained on.
        """
        return self.machine_obstacle() or self.problem_obstacle(sizes, problem)

    def problem_obstacle(self, sizes: tuple[int, ...], problem: Problem) -> str | None:
        """What of the problem or the sizes this engine can't train on any machine, or None."""
        unmet = [
            f"{rule} wants {what}"
            for what, rule in problem.demands.items()
            if what not in self.meets
        ]
        if unmet:
            return f"{' and '.join(unmet)}, which this engine has not"
        return self.rules_obstacle(sizes, problem)

    def machine_obstacle(self) -> str | None:
        """What this machine lacks, or None."""
        return None

    @abstractmethod
    def rules_obstacle(self, sizes: tuple[int, ...], problem: Problem) -> str | None:
        """What else it can't train, of a problem whose demands it meets, or None."""

    def start(self, ensemble: Ensemble, problem: Problem) -> Training[Ensemble]:
        """Begin; nothing is trained before `advance`.

        Raises:
            ValueError: If the ensemble is not one that the problem is for.
        """
        wrong = mismatches(ensemble, problem)
        if wrong:
            raise ValueError(f"an ensemble must fit its problem: {'; '.join(wrong)}")
        return self.begin(ensemble, problem)

    @abstractmethod
    def begin(self, ensemble: Ensemble, problem: Problem) -> Training[Ensemble]:
        """What `start` does where ensemble and problem fit together; called by nobody else."""


def mismatches(ensemble: Ensemble, problem: Problem) -> list[str]:
    """In what an ensemble differs from what its problem says of it."""
    pairs = {
        "activation": (ensemble.activation, problem.activation),
        "inputs": (ensemble.d_in, problem.x.shape[1]),
        "outputs": (ensemble.d_out, problem.y.shape[1]),
    }
    return [
        f"{what}: the networks have {ours}, the problem {theirs}"
        for what, (ours, theirs) in pairs.items()
        if ours != theirs
    ]
