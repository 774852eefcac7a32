"""Features of initial networks, which are drawn again from their identity, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch

from trainability.analysis.predicted import flow_succeeds, prediction_obstacle
from trainability.birth.kernel import tangent_kernel_features
from trainability.checks import count_problem
from trainability.errors import InputError, refuse
from trainability.networks import Ensemble
from trainability.seeds import BLOCK_SIZE
from trainability.study.cell import Cell
from trainability.theory.numerics.races import fates_of, margin
from trainability.trial import draw

KEYS = ["cell", "replicate"]
_OUTCOMES = ["success", "trainable"]


@dataclass(frozen=True)
class Birth:
    """Some initial networks of a cell, and what they make of its training points.

    Args:
        cell: The cell.
        ensemble: R of its networks, before training.
    """

    cell: Cell
    ensemble: Ensemble

    @cached_property
    def x(self) -> np.ndarray:
        """Training inputs, shape (N, d_in)."""
        return self.cell.task.data()[0].astype(np.float64)

    @cached_property
    def y(self) -> np.ndarray:
        """Training targets, shape (N, d_out)."""
        return self.cell.task.data()[1].astype(np.float64)

    @cached_property
    def weights(self) -> list[np.ndarray]:
        """One array per affine layer, shape (R, fan_out, fan_in)."""
        return [weight.double().numpy() for weight in self.ensemble.weights]

    @cached_property
    def biases(self) -> list[np.ndarray]:
        """One array per affine layer, shape (R, fan_out)."""
        return [bias.double().numpy() for bias in self.ensemble.biases]

    @cached_property
    def error(self) -> np.ndarray:
        """Output less target at the training points, shape (R, N, d_out)."""
        with torch.no_grad():
            out = self.ensemble(torch.as_tensor(self.cell.task.data()[0]))
        return out.double().numpy() - self.y

    @cached_property
    def before(self) -> list[np.ndarray]:
        """Pre-activations of the hidden layers at the training points, shape (R, N, W) each."""
        from trainability.arithmetic import ARRAYS

        layers, h = [], np.broadcast_to(self.x, (self.ensemble.n_networks, *self.x.shape))
        for w, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            layers.append(h @ w.transpose(0, 2, 1) + b[:, None])
            h = np.asarray(self.cell.activation.value(ARRAYS, layers[-1]))
        return layers

    @cached_property
    def active(self) -> list[np.ndarray]:
        """Which hidden neurons vary over the training points, shape (R, W) per layer."""
        layers = []
        for z in self.before:
            flat = np.zeros(z[:, 0].shape, dtype=bool)
            for low, high in self.cell.activation.flat:
                flat |= ((z >= low) & (z <= high)).all(axis=1)
            layers.append(~flat & (np.ptp(z, axis=1) > 0))
        return layers


Values = Mapping[str, np.ndarray]
Feature = Callable[[Birth], Values | np.ndarray]
"""From R networks to numbers of shape (R,), or to several of them by name."""


def counts(birth: Birth) -> Values:
    """Active neurons on the data, and their outgoing weights that are positive, per layer."""
    values = {}
    for layer, active in enumerate(birth.active, 1):
        values[f"active_{layer}"] = active.sum(axis=1)
        positive = (birth.weights[layer] > 0) & active[:, None]
        values[f"positive_{layer}"] = positive.sum(axis=(1, 2)) / birth.weights[layer].shape[1]
    return values


def distance(birth: Birth) -> Values:
    """How far the output is from the target: loss, mean error, its slope along the first input."""
    error = birth.error.mean(axis=2)
    first = birth.x[:, 0] - birth.x[:, 0].mean()
    return {
        "birth_loss": np.square(birth.error).mean(axis=(1, 2)),
        "mean_error": error.mean(axis=1),
        "slope_error": np.abs(error @ first) / max(float(first @ first), 1e-300),
    }


def kinks(birth: Birth) -> Values:
    """Of the first layer, one input: kinks inside the range of the data, where, and which way.

    Empty for several inputs, where a kink is a hyperplane. NaN where there is no kink inside.
    """
    if birth.x.shape[1] != 1:
        return {}
    w, b = birth.weights[0][:, :, 0], birth.biases[0]
    low, high = float(birth.x.min()), float(birth.x.max())
    with np.errstate(divide="ignore", invalid="ignore"):
        place = -b / w
    inside = (place > low) & (place < high)
    none = ~inside.any(axis=1)
    least = np.where(inside, place, np.inf).min(axis=1)
    most = np.where(inside, place, -np.inf).max(axis=1)
    return {
        "kinks_inside": inside.sum(axis=1),
        "kink_lowest": np.where(none, np.nan, least),
        "kink_highest": np.where(none, np.nan, most),
        "faces_right": (birth.active[0] & (w > 0)).sum(axis=1),
        "faces_left": (birth.active[0] & (w < 0)).sum(axis=1),
    }


def races(birth: Birth) -> Values:
    """The race of every neuron (`theory.races`), for shallow networks, one input, one output.

    `stronger_side` is the largest margin of a hinge on the side where it is larger, `weaker_side`
    on the other (-1 where there is none); `line` by how much the flattest neuron is a line;
    `second_margin` the second largest margin; `bias` and `second_bias` the largest biases of
    living neurons; `serving` hinges and `lines` by the race. Empty for other networks.
    """
    if len(birth.weights) != 2 or birth.x.shape[1] != 1 or birth.y.shape[1] != 1:
        return {}
    w, b, a = birth.weights[0][:, :, 0], birth.biases[0], birth.weights[1][:, 0]
    h = float(np.abs(birth.x).max())
    alive = b + h * np.abs(w) > 0
    time = np.where(alive, margin(w, b, a, h), -1.0)
    hinge = alive & (b <= h * np.abs(w))
    right, left, line = fates_of(w, b, a, h)
    sides = [np.where(hinge & side, time, -1.0).max(axis=1) for side in (w > 0, w < 0)]
    biases = _largest(np.where(alive, b, -1.0))
    return {
        "stronger_side": np.maximum(*sides),
        "weaker_side": np.minimum(*sides),
        "line": np.where(alive, b - h * np.abs(w), -3.0).max(axis=1),
        "second_margin": _largest(time)[:, 1],
        "bias": biases[:, 0],
        "second_bias": biases[:, 1],
        "serving_right": right.sum(axis=1),
        "serving_left": left.sum(axis=1),
        "lines": line.sum(axis=1),
        "pull_up": np.where(alive, a, 0.0).sum(axis=1),
    }


def flow(birth: Birth) -> Values:
    """`flow_succeeds`: whether the flow of Adam leads a shallow network to its tolerance.

    A prediction by initial weights alone, of the cells whose success theory predicts
    (`analysis.predicted`); empty for others.
    """
    cell = birth.cell
    if prediction_obstacle(cell) is not None:
        return {}
    (w, a), (b, c) = birth.weights, birth.biases
    return {"flow_succeeds": flow_succeeds(cell, (w, a), (b, c))}


def tangent_kernel(birth: Birth) -> Values:
    """Smallest eigenvalues of the neural tangent kernel; see `tangent_kernel_features`."""
    return tangent_kernel_features(birth.ensemble, birth.x)


FEATURES: Mapping[str, Feature] = {
    "counts": counts,
    "distance": distance,
    "kinks": kinks,
    "races": races,
    "flow": flow,
    "tangent_kernel": tangent_kernel,
}
"""What is computed unless something else is asked for."""


def birth_features(
    cells: Iterable[Cell],
    replicates: int,
    features: Mapping[str, Feature] = FEATURES,
) -> pd.DataFrame:
    """Features of the first networks of cells, one row per network; nothing is trained.

    Networks are drawn by the very function that trials draw them with, one block at a time, so
    that memory holds one block's networks and the features.

    Args:
        cells: Of any study.
        replicates: Networks per cell, rounded up to whole blocks.
        features: Functions by name. One that gives an array fills the column of its name, one that
            gives several by name fills a column for each.

    Returns:
        Columns `cell`, `replicate`, then the features; NaN where one is not defined for a cell.

    Raises:
        InputError: If a feature gives anything else than numbers of shape (R,).
    """
    refuse(count_problem("birth_features", "replicates", replicates))
    parts = []
    for cell in cells:
        for block in range(-(-replicates // BLOCK_SIZE)):
            birth = Birth(cell, draw(cell, [block]))
            first = block * BLOCK_SIZE
            columns: dict = {"cell": cell.id, "replicate": np.arange(first, first + BLOCK_SIZE)}
            for name, feature in features.items():
                columns |= _checked(name, feature(birth), columns)
            parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=pd.Index(KEYS))


def with_outcomes(features: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The features of networks that were trained, with `success` and `trainable` of their rows.

    Args:
        features: From `birth_features`.
        rows: A study's rows, or `KEYS`, `success` and `trainable` of them.

    Raises:
        InputError: If the two have no network in common.
    """
    joined = features.merge(rows[KEYS + _OUTCOMES], on=KEYS, validate="one_to_one")
    if joined.empty:
        raise InputError(
            f"features of {len(features):,} networks and {len(rows):,} rows have no network in "
            "common; pass the cells of the study that the rows are of"
        )
    return joined


def _largest(values: np.ndarray) -> np.ndarray:
    """The two largest per row, shape (R, 2); the one twice where there is but one."""
    ordered = np.sort(values, axis=1)[:, ::-1]
    return ordered[:, [0, min(1, ordered.shape[1] - 1)]]


def _checked(name: str, got: Values | np.ndarray, taken: Mapping) -> dict[str, np.ndarray]:
    values = dict(got) if isinstance(got, Mapping) else {name: got}
    for key, value in values.items():
        array = np.asarray(value)
        if array.shape != (BLOCK_SIZE,) or array.dtype.kind not in "fiub":
            raise InputError(
                f"feature {name} must give numbers of shape ({BLOCK_SIZE},), one per network, got "
                f"{array.dtype} of shape {array.shape} for {key}"
            )
        if key in taken:
            raise InputError(f"feature {name} gives {key}, which another has given; rename it")
        values[key] = array
    return values
