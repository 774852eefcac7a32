"""Classes as targets: one output for two of them, or one output each, and what a constant gets."""

from __future__ import annotations

from trainability.lazy import numpy as np


def class_targets(classes: np.ndarray, n_classes: int, one_hot: bool = False) -> np.ndarray:
    """Targets of some points: for two classes 0 or 1 in one output, else one output per class.

    Args:
        classes: The class of every point, 0 to n_classes - 1, shape (N,).
        n_classes: How many there are, >= 2.
        one_hot: Whether two classes get an output each, too.

    Returns:
        Zeros and ones, shape (N, 1) or (N, n_classes).
    """
    if n_classes == 2 and not one_hot:
        return classes[:, None].astype(np.float64)
    return np.eye(n_classes)[classes]


def class_indices(y: np.ndarray) -> np.ndarray:
    """The class of every point, int64, shape (N,): the inverse of `class_targets`."""
    return (y[:, 0] > 0.5).astype(np.int64) if y.shape[1] == 1 else y.argmax(axis=1)


def best_constant_accuracy(y: np.ndarray) -> float:
    """The share of the largest class: no network whose output is constant is right more often."""
    return float(np.bincount(class_indices(y)).max() / len(y))


def classes_problem(y: np.ndarray, n_classes: int) -> str | None:
    """What is wrong with targets, shape (N, d_out), of a task that says it has so many classes."""
    allowed = (1, 2) if n_classes == 2 else (n_classes,)
    if n_classes < 2 or y.shape[1] not in allowed:
        return (
            f"targets of n_classes={n_classes} must have {' or '.join(map(str, allowed))} columns, "
            f"for 2 classes or more, got {y.shape[1]}"
        )
    if not np.isin(y, (0, 1)).all() or (y.shape[1] > 1 and (y.sum(axis=1) != 1).any()):
        return "targets of classes must be 0 or 1, and 1 in one column of several"
    return None
