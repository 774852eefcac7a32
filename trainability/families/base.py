"""What a family of networks is: all that a trial must know of the kind of its networks."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic

import numpy as np

from trainability.death import Census
from trainability.seeds import order_keys
from trainability.sensitivity import Sensitivity
from trainability.study.cell import Cell
from trainability.training import Problem, Training
from trainability.training.contract import Networks

Evaluate = Callable[[Any], tuple[np.ndarray, np.ndarray]]
"""The loss of every network, float32, and its accuracy, float64, NaN without classes: (R,) each."""


class Family(ABC, Generic[Networks]):
    """The networks of a cell.

    Args:
        cell: What is run.
        device: A torch device, for what is not training.
    """

    written: ClassVar[str]
    """How a study asks for them, and which of its values they take: read by `trainability networks`
    from the file's text."""

    layers: str | None = None
    """Names of what a census counts, with commas, or None where hidden layers have no names."""

    def __init__(self, cell: Cell, device: str) -> None:
        self.cell = cell
        self.device = device

    @abstractmethod
    def draw(self, blocks: Sequence[int]) -> Networks:
        """The initial networks of some blocks, in order."""

    def problem(self, blocks: Sequence[int]) -> Problem:
        """What the networks of some blocks are trained on."""
        cell = self.cell
        x, y = cell.task.data()
        keys = [order_keys(cell.seed, cell.stream_identity, block) for block in blocks]
        return Problem(
            x=x,
            y=y,
            optimizer=cell.optimizer,
            activation=cell.activation,
            loss=cell.loss,
            penalty=cell.penalty,
            tolerance=-math.inf if cell.tolerance is None else cell.tolerance,
            batch_size=cell.batch_size,
            order_keys=np.concatenate(keys),
        )

    @abstractmethod
    def engine_obstacle(self, engine: str) -> str | None:
        """Why an engine can't train these networks on any machine, None if it can.

        Args:
            engine: One of `training.ENGINES`.
        """

    @abstractmethod
    def start(
        self, networks: Networks, problem: Problem, engine: str, threads: int
    ) -> tuple[Training[Networks], str]:
        """Begin to train them; and the name of what trains.

        Raises:
            InputError: If that engine can't.
        """

    @abstractmethod
    def census(self, networks: Networks, *, at_birth: bool = False, quick: bool = False) -> Census:
        """Who is dead on the task's domain.

        Args:
            networks: With finite parameters.
            at_birth: Whether they have not been trained.
            quick: For a curve: less effort where no exact way is known.
        """

    @abstractmethod
    def born_dead(self, networks: Networks, born: Census) -> np.ndarray:
        """Which networks are constant at birth, bool, shape (R,)."""

    @abstractmethod
    def trainable(self, born: Census) -> np.ndarray:
        """Which networks nothing shows to be untrainable, bool, shape (R,)."""

    @abstractmethod
    def evaluation(self, x: np.ndarray, y: np.ndarray, classes: np.ndarray | None) -> Evaluate:
        """What finds loss and accuracy on some points.

        Args:
            x: Inputs, shape (N, d_in).
            y: Targets, shape (N, d_out).
            classes: The class of every point, shape (N,), or None where targets are no classes.
        """

    @abstractmethod
    def variances(self, networks: Networks, x: np.ndarray) -> np.ndarray:
        """The variance of each network's outputs over points, the mean of its outputs', (R,)."""

    @abstractmethod
    def sensitivity(self, networks: Networks) -> Sensitivity | None:
        """What hidden layers make of the training points; None where layers can't be asked."""
