"""Accuracy and validation of networks in training, at checkpoints and outside of the engines."""

from __future__ import annotations

import numpy as np

from trainability.families import Evaluate, Family
from trainability.study.cell import Cell
from trainability.tasks.classes import class_indices
from trainability.training import Training


class Measures:
    """Follows an ensemble: its accuracy, and its loss and accuracy on points that are held back.

    Where a cell has a target accuracy, who reaches it is stopped here, whatever the engine. Only
    networks that have moved since the last look are evaluated; without classes and without
    validation points nothing is.

    Args:
        cell: What is trained.
        training: Its networks.
        family: How they are evaluated.
    """

    def __init__(self, cell: Cell, training: Training, family: Family) -> None:
        self._target = cell.target_accuracy
        self._training = training
        n = len(training.steps)
        self._settled = np.zeros(n, dtype=bool)
        self._now = {name: np.full(n, np.nan) for name in _NOW}
        self._best = {name: np.full(n, np.nan) for name in _BEST}

        def on(points: tuple[np.ndarray, np.ndarray]) -> Evaluate:
            x, y = points
            return family.evaluation(x, y, class_indices(y) if cell.task.n_classes else None)

        held_back = cell.task.validation()
        self._on_training = on(cell.task.data()) if cell.task.n_classes else None
        self._on_validation = on(held_back) if held_back is not None else None

    def observe(self) -> None:
        """Look at the networks that were still training when looked at last."""
        training = self._training
        moved = np.flatnonzero(~self._settled & ~training.diverged)
        if len(moved) and (self._on_training or self._on_validation):
            ensemble = training.ensemble()[moved]
            if self._on_training:
                self._now["accuracy"][moved] = self._on_training(ensemble)[1]
            if self._on_validation:
                loss, accuracy = self._on_validation(ensemble)
                # A loss that overflows here, on points that no engine has seen, is no best one.
                loss = np.where(np.isfinite(loss), loss, np.nan)
                self._now["validation_loss"][moved] = loss
                self._now["validation_accuracy"][moved] = accuracy
            for name, (of, better) in _BEST.items():
                self._best[name] = better(self._best[name], self._now[of])
        if self._target is not None:
            training.succeed(self._now["accuracy"] >= self._target)
        self._settled = training.succeeded | training.diverged

    def columns(self) -> dict[str, np.ndarray]:
        """The columns `results.EVALUATED`, NaN where they do not apply."""
        lost = self._training.diverged
        return {name: np.where(lost, np.nan, values) for name, values in self._now.items()} | (
            self._best
        )


_NOW = ("accuracy", "validation_loss", "validation_accuracy")
_BEST = {
    "best_validation_loss": ("validation_loss", np.fmin),
    "best_validation_accuracy": ("validation_accuracy", np.fmax),
}
