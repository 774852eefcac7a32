"""The axes as type checkers know them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from trainability.activations import Activation
from trainability.losses import Loss
from trainability.optimizers import Optimizer
from trainability.penalties import Penalty
from trainability.schemes.base import Scheme
from trainability.study.network import Module
from trainability.study.widths import Width
from trainability.tasks.base import Task


class Given(TypedDict):
    """Arguments of a study that checkers know nothing of."""


class Axes(TypedDict, total=False):
    """The values that vary; the grid is their product.

    Axes that are files alone, as all younger ones may be, are added by their classes:
    `{"width": [2, 4], **LabelNoise.over(0.0, 0.1)}`.
    """

    task: Sequence[Task]
    scheme: Sequence[Scheme]
    width: Sequence[Width]
    depth: Sequence[int]
    optimizer: Sequence[Optimizer]
    batch_size: Sequence[int | None]
    max_steps: Sequence[int]
    tolerance: Sequence[float]
    activation: Sequence[Activation]
    loss: Sequence[Loss]
    penalty: Sequence[Penalty | None]
    target_accuracy: Sequence[float | None]
    network: Sequence[Module | None]
