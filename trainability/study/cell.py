"""One point of a study's grid: everything that determines the numbers of its replicates."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from trainability.activations import RELU, Activation
from trainability.checks import settle_fields
from trainability.identity import left_out, younger, younger_fields
from trainability.losses import MEAN_SQUARED_ERROR, Loss
from trainability.optimizers import Idle, Optimizer
from trainability.penalties import Penalty
from trainability.schemes.base import Scheme
from trainability.study.axes import AXIS
from trainability.study.changes import (
    CHANGING,
    changed,
    declared,
    further_axes,
    settle_axes,
    with_axes,
)
from trainability.study.network import SHAPE, Module
from trainability.study.records import canonical, to_record
from trainability.study.widths import Width, layer_widths, one_width
from trainability.tasks.base import Task

if TYPE_CHECKING:
    from torch import nn

    from trainability.modules.blueprint import Blueprint


@dataclass(frozen=True, kw_only=True)
@with_axes
class Cell:
    """A task, a scheme, an architecture, an optimizer and a budget.

    Where axes of a file alone change a part, a cell holds what networks are drawn and trained with;
    `declared` is what a study says.

    Args:
        task: What is learned.
        scheme: How the networks are initialized.
        width: Neurons of every hidden layer, or a tuple with those of each. A tuple of equal
            numbers is that number: (8, 8) and 8 are one cell. None for a module without a width.
        depth: L, the number of affine layers, >= 2; None for a module without a depth.
        optimizer: The update rule.
        batch_size: Points per minibatch; None for the full batch.
        max_steps: The budget, in updates.
        tolerance: Training loss at which a network has succeeded; None, whatever was given,
            where `target_accuracy` says when.
        seed: The study's seed.
        paired_over: Settings of the scheme that don't key the random streams: cells that differ
            only in them draw common random numbers, and can be compared pair by pair.
        activation: Of the hidden neurons.
        loss: What is minimized, and what the tolerance is compared with.
        penalty: What is descended beside the loss; None for nothing.
        target_accuracy: Training accuracy at which a network has succeeded, at a checkpoint; None
            where the tolerance says when.
        network: What the networks are copies of; None for fully connected ones.
    """

    task: Task
    scheme: Scheme
    width: Width | None
    depth: int | None
    optimizer: Optimizer
    batch_size: int | None
    max_steps: int
    tolerance: float | None
    seed: int
    paired_over: tuple[str, ...] = ()
    activation: Activation = younger(RELU, since=1)
    loss: Loss = younger(MEAN_SQUARED_ERROR, since=1)
    penalty: Penalty | None = younger(None, since=1)
    target_accuracy: float | None = younger(None, since=2)
    network: Module | None = younger(None, since=3)

    def __post_init__(self) -> None:
        settle_fields(self)
        settle_axes(self, further_axes(type(self)))
        for part, axes in CHANGING.items():
            if axes:
                object.__setattr__(self, part, changed(part, getattr(self, part), self))
        if self.network is not None:
            for name in {*SHAPE} - self.network.takes:
                object.__setattr__(self, name, None)
        else:
            assert self.width is not None and self.depth is not None
            layer_widths(self.width, self.depth)  # as many as there are layers
        if self.width is not None:
            object.__setattr__(self, "width", one_width(self.width))
        if self.target_accuracy is not None:
            object.__setattr__(self, "tolerance", None)

    def declared(self, axis: str) -> Any:
        """The value of an axis as the study declares it, which another axis may have changed."""
        return declared(getattr(self, axis))

    @cached_property
    def id(self) -> str:
        """16 hexadecimal digits: a hash of all that changes the numbers."""
        identity = {
            "initialization": self.initialization,
            "optimizer": to_record(self.optimizer),
            "batch_size": self.batch_size,
            "max_steps": self.max_steps,
            "tolerance": self.tolerance,
            "seed": self.seed,
        }
        if self.paired_over:
            identity["paired_over"] = self.paired_over
        for name in younger_fields(self):
            identity[name] = to_record(self.declared(name))
        if held_back := self.task.validation_fingerprint():
            identity["validation"] = held_back
        return hashlib.sha256(canonical(identity).encode()).hexdigest()[:16]

    @cached_property
    def initialization(self) -> str:
        """What determines the initial networks, apart from the seed and `paired_over`.

        The task counts by its name and the bytes of its data, not by where a file lies.
        """
        sizes: Any = self.sizes if self.network is None else [
            to_record(self.network), self.width, self.depth
        ]  # fmt: skip
        return self._initialization((), self.task.fingerprint(), sizes)

    @cached_property
    def stream_identity(self) -> str:
        """What keys the random streams, beside the seed: `initialization`, less `paired_over`.

        Of a module it is the shapes of its layers that count: modules with the same layers, such as
        one with and one without skip connections, draw the same weights and see the same
        minibatches, and can be compared pair by pair; so can a module of Linear layers and the
        fully connected networks of its shape. So can cells on one task, whatever axes that don't
        key the streams, such as `label_noise`, make of its points.
        """
        task: Task = self.declared("task")
        sizes = self.sizes if self.network is None else self.blueprint.sizes
        return self._initialization(self.paired_over, task.fingerprint(), sizes)

    @cached_property
    def stream_without_code(self) -> str:
        """What is known of `stream_identity` without a module's function: any may share it.

        Cells of one `stream_identity` agree in this too, but where a module without a width or a
        depth has the layers of one with them. It keys no random numbers.
        """
        task: Task = self.declared("task")
        return self._initialization(self.paired_over, task.fingerprint(), [self.width, self.depth])

    def _initialization(self, without: tuple[str, ...], fingerprint: str, sizes: Any) -> str:
        scheme = to_record(self.scheme)
        identity = {
            "scheme": {key: value for key, value in scheme.items() if key not in without},
            "sizes": sizes,
            "task": [type(self.declared("task")).__name__, fingerprint],
        }
        for name in further_axes(type(self)):
            if AXIS[name].keys_streams and name not in left_out(self):
                identity[name] = to_record(getattr(self, name))
        return canonical(identity)

    def build(self) -> nn.Module:
        """A new module, of a cell whose networks are copies of one."""
        assert self.network is not None
        return self.network.build(self.width, self.depth)

    @property
    def blueprint(self) -> Blueprint:
        """What all copies have in common, of a cell whose networks are copies of a module.

        Raises:
            InputError: If the module can't be studied on this task; lists every problem.
        """
        assert self.network is not None
        return self.network.blueprint(self.task, self.width, self.depth)

    @property
    def n_hidden(self) -> int:
        """T, the number of hidden layers."""
        assert self.depth is not None
        return self.depth - 1

    @property
    def widths(self) -> tuple[int, ...]:
        """Neurons of each hidden layer, from the input to the output."""
        assert self.width is not None and self.depth is not None
        return layer_widths(self.width, self.depth)

    @property
    def sizes(self) -> tuple[int, ...]:
        """d_in, the hidden widths, d_out."""
        return (self.task.d_in, *self.widths, self.task.d_out)

    @property
    def needs(self) -> tuple[int, ...]:
        """Neurons that must not be permanently dead, per hidden layer, for a trainable network.

        What a task has proven of its need holds for a shallow ReLU network and the mean squared
        error; else every layer needs 1: without an active neuron a network is constant. Of a
        module nothing is proven: data may take other ways than through its layers.
        """
        if self.network is not None:
            return (0,)
        return (self.proven_need,) if self.n_hidden == 1 else (1,) * self.n_hidden

    @property
    def proven_need(self) -> int:
        """Active neurons without which the loss can't be below `best_loss_below_need`.

        For a deep network that is the bound of a shallow one, which is stricter than it must be.
        """
        return self.task.need if self._has_rules_of_proofs else 1

    @property
    def best_loss_below_need(self) -> float:
        """A loss that no network with fewer active neurons than `proven_need` gets below."""
        if self._has_rules_of_proofs:
            return self.task.best_loss_below_need()
        return self.loss.of_constant(self.task.data()[1])

    @property
    def _has_rules_of_proofs(self) -> bool:
        return self.network is None and self.activation == RELU and self.loss == MEAN_SQUARED_ERROR

    @property
    def idle(self) -> Idle:
        """What training does to a parameter without a gradient, as a census wants to know it."""
        moved = self.penalty is not None and self.penalty.moves_dead
        return "moves" if moved else self.optimizer.idle

    @property
    def n_parameters(self) -> int:
        """Weights and biases of one network; of a module all that is trained."""
        if self.network is not None:
            return self.blueprint.n_parameters
        return sum((a + 1) * b for a, b in zip(self.sizes[:-1], self.sizes[1:], strict=True))

    @property
    def operations(self) -> float:
        """Floating-point operations of one network's whole budget: 6 per parameter, point, step.

        Biases count, too: for how work is dealt out that is near enough. A convolution uses its
        weights at every position. `trainability bench` counts weights alone.
        """
        points = self.batch_size or self.task.n_train
        if self.network is not None:
            return 6.0 * self.blueprint.products * points * self.max_steps
        return 6.0 * self.n_parameters * points * self.max_steps

    def columns(self) -> dict[str, Any]:
        """The identity columns of this cell's rows."""
        own = {"cell": self.id, "need": self.needs[0], "seed": self.seed}
        of_axes = {name: value for axis in AXIS.values() for name, value in axis.row(self).items()}
        return own | of_axes

    def __str__(self) -> str:
        shape = "".join(
            f", {name} {value}"
            for name, value in (("width", self.width), ("depth", self.depth))
            if value is not None
        )
        network = f", {self.network}" if self.network is not None else ""
        further = "".join(
            f", {AXIS[name].label} {getattr(self, name)}"
            for name in further_axes(type(self))
            if name not in left_out(self)
        )
        return f"{self.declared('scheme')} on {self.declared('task')}{network}{shape}{further}"
