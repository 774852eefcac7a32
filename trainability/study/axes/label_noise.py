"""How many targets are wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainability.checks import is_number, shown
from trainability.errors import InputError
from trainability.lazy import numpy as np
from trainability.seeds import stream
from trainability.study.axes.base import Axis
from trainability.tasks.base import Task
from trainability.tasks.changed import ChangedTask


class LabelNoise(Axis[float]):
    """Share of the training points, in [0, 1], whose targets are exchanged among each other.

    It is rounded to whole points. Two shares of a study that exchange the same targets are refused.

    Which points these are follows from the task's data alone, whatever the study and its seed: all
    networks learn the same, those of a tuning's fresh seeds too. Points of a smaller share are
    among those of a larger one. Of them, in random order, each gets the target of the one before.
    So no target is kept by its point, though it may equal the new one; how often each occurs stays,
    and with it what a constant network reaches. Points that are held back stay clean.

    Networks are drawn by the same random numbers at every share. What a task has proven of its need
    is not proven of exchanged targets: a network then needs one active neuron, as all do.

    Source: Zhang, Bengio, Hardt, Recht & Vinyals (2017), "Understanding deep learning requires
    rethinking generalization", section 2: partially corrupted labels. There each label of the
    share is drawn anew, uniformly from all classes; here targets, which may be numbers, are
    exchanged.
    """

    name, since, default = "label_noise", 5, 0.0
    type, least = "float64", 0
    meaning = (
        "Share of the training points, rounded to whole ones, whose targets are exchanged among "
        "each other."
    )
    not_tuned = "it is part of what is learned"

    def problems(self, value: Any) -> list[str]:
        if is_number(value) and 0 <= value <= 1:
            return []
        return [f"{self.name} must be a share of the training points, 0 to 1, got {shown(value)}"]

    def examples(self) -> Sequence[float]:
        return [0.25, 1.0]

    @property
    def written_examples(self) -> Sequence[str]:
        return ["0.1", "0.3"]

    def change_task(self, task: Task, value: float) -> Task:
        return _Exchanged(task, value)


@dataclass(frozen=True)
class _Exchanged(ChangedTask):
    share: float

    def build(self) -> tuple[np.ndarray, np.ndarray]:
        x, y = self.changed.data()
        n = round(self.share * len(y))
        if n < 2:
            limit = math.ceil(1.5e6 / len(y)) / 1e6  # above it shares are rounded to two and more
            raise InputError(
                f"label_noise {self.share:g} of {len(y)} training points is less than two, whose "
                f"targets could be exchanged; wanted 0 or more than {limit:g}"
            )
        identity = f"label_noise {self.changed.fingerprint()}"
        chosen = stream(0, identity, "data").permutation(len(y))[:n]
        noisy = y.copy()
        noisy[chosen] = y[np.roll(chosen, 1)]
        return x, noisy
