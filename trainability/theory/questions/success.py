"""Predicted success of training: the probability that the flow of Adam succeeds.

Nothing is fitted, and no training is looked at. The law is one integral over the initial networks
of a scheme: of the indicator that the flow of `adam_flow` leads from there to the tolerance.
"""

from __future__ import annotations

import math

import numpy as np

from trainability import seeds
from trainability.errors import InputError, refuse
from trainability.theory.checks import count_problem, number_problem
from trainability.theory.drawing import HasLaw, chunks, estimate, hidden_layers
from trainability.theory.laws import NeuronLaw
from trainability.theory.layer import Layer
from trainability.theory.memory import AdamMemory
from trainability.theory.numerics.races import Fates, fates_of
from trainability.theory.probability import SAMPLING, Probability

Networks = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Weights of both layers, and biases of both layers."""
ADAM = AdamMemory.of(0.005, 0.9, 0.999)
"""Of Adam(learning_rate=0.005)."""
DURATION = 50.0
"""Learning rate times steps: 10,000 steps at 0.005."""


def success_probability(
    scheme: HasLaw,
    x: np.ndarray,
    y: np.ndarray,
    width: int,
    tolerance: float,
    need: int = 1,
    *,
    memory: AdamMemory = ADAM,
    duration: float = DURATION,
    n_samples: int = 2**12,
    seed: int = 0,
) -> Probability:
    """Probability that a shallow network, drawn by a scheme, is trained with success by Adam.

    Adam on the mean squared error and the full batch, at a learning rate of at most 0.02 without a
    schedule; of the learning rate only the memory matters. It says nothing of gradient descent.

    Args:
        scheme: An initialization scheme; a law alone does not say how the output layer is drawn.
        x: Training inputs, shape (N, d).
        y: Training targets, shape (N, d_out).
        width: Neurons of the hidden layer, >= 1.
        tolerance: Mean squared error that counts as success, > 0.
        need: Active neurons without which a network can't succeed, >= 1; saves time alone.
        memory: How far back the optimizer remembers: `AdamMemory.of` its settings.
        duration: Learning rate times the most steps, > 0.
        n_samples: Networks to draw and follow, >= 2.
        seed: Seed of that sampling, >= 0.

    Source: derived here.
    """
    # Imported here: it loads numba, and every import of this package would.
    from trainability.theory.numerics.adam_flow import final_losses

    owner = "success_probability"
    points, targets = _checked_data(owner, x, y)
    refuse(
        _scheme_problem(owner, scheme)
        + count_problem(owner, "width", width)
        + count_problem(owner, "need", need)
        + number_problem(owner, "tolerance", tolerance, above=True)
        + number_problem(owner, "duration", duration, above=True)
        + count_problem(owner, "n_samples", n_samples, 2)
        + count_problem(owner, "seed", seed, 0)
    )
    rng = seeds.stream(seed, f"{scheme!r} success {width}", "sampling")
    succeeded = [
        final_losses(
            *draw_shallow(scheme, points, targets, width, n, rng),
            points,
            targets,
            tolerance,
            need,
            memory,
            duration,
        )
        <= np.float32(tolerance)
        for n in chunks(n_samples, width * (points.shape[1] + 2))
    ]
    note = "the flow of Adam"
    return estimate(np.concatenate(succeeded), 1 / n_samples, SAMPLING, note)


def neuron_fates(
    scheme: HasLaw,
    x: np.ndarray,
    y: np.ndarray,
    width: int,
    *,
    n_samples: int = 2**14,
    seed: int = 0,
) -> Fates:
    """What becomes of a neuron by its race alone, as shares of drawn neurons.

    For one input and a convex target, such as |x|, on an interval around 0. Standard error of
    each share: at most 0.5 / sqrt(n_samples width).

    Args:
        scheme: An initialization scheme.
        x: Training inputs, shape (N, 1); the interval is [-h, h], h the largest |x|.
        y: Training targets, shape (N, d_out).
        width: Neurons of the hidden layer, >= 1.
        n_samples: Networks to draw, >= 2.
        seed: Seed of that sampling, >= 0.
    """
    owner = "neuron_fates"
    points, targets = _checked_data(owner, x, y)
    one = [f"{owner} needs one input and one output, got {points.shape[1]} and {targets.shape[1]}"]
    refuse(
        _scheme_problem(owner, scheme)
        + (one if points.shape[1] != 1 or targets.shape[1] != 1 else [])
        + count_problem(owner, "width", width)
        + count_problem(owner, "n_samples", n_samples, 2)
        + count_problem(owner, "seed", seed, 0)
    )
    rng = seeds.stream(seed, f"{scheme!r} fates {width}", "sampling")
    (w, a), (b, _) = draw_shallow(scheme, points, targets, width, n_samples, rng)
    shares = fates_of(w[:, :, 0], b, a[:, 0], float(np.abs(points).max()))
    return Fates(*(float(share.mean()) for share in shares))


def draw_shallow(
    scheme: HasLaw, x: np.ndarray, y: np.ndarray, width: int, n: int, rng: np.random.Generator
) -> Networks:
    """n networks of one hidden layer, output layer and all, as a scheme draws them."""
    data = x if getattr(scheme, "needs_data", False) else None
    w, b = next(hidden_layers(scheme, x.shape[1], [width], n, rng, data))
    seen: dict = {}
    if data is not None:
        hidden = np.maximum(data[None] @ w.transpose(0, 2, 1) + b[:, None], 0)
        seen = {
            "inputs": hidden,
            "living": (hidden > 0).any(axis=2),
            "training_inputs": data,
            "target_mean_square": float(np.square(y).sum(axis=1).mean()),
        }
    a, c = scheme.draw(Layer(n, 2, 2, width, y.shape[1], **seen), rng)
    return (w, a), (b, c)


def _checked_data(owner: str, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    points, targets = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    problems = [
        f"{owner} {name} must be finite numbers of shape (N, {d}), got shape {values.shape}"
        for name, d, values in (("x", "d", points), ("y", "d_out", targets))
        if values.ndim != 2 or not values.size or not math.isfinite(np.abs(values).sum())
    ]
    if not problems and len(points) != len(targets):
        problems = [
            f"{owner} x and y must have one row per point, got {len(points)} and {len(targets)}"
        ]
    refuse(problems)
    return points, targets


def _scheme_problem(owner: str, scheme: HasLaw) -> list[str]:
    if isinstance(scheme, NeuronLaw):
        return [
            f"{owner} wants a scheme, such as trainability.schemes.He(), for the output layer "
            f"counts too, got the law {scheme!r}"
        ]
    if isinstance(scheme, type) or not callable(getattr(scheme, "draw", None)):
        raise InputError(
            f"{owner} wants a scheme, such as trainability.schemes.He(), got {scheme!r}"
        )
    return []
