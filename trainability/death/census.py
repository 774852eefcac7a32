"""The census: which hidden neurons of many networks are dead on a domain, and the proof of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from trainability.activations import RELU
from trainability.death.branching import settle_by_boxes
from trainability.death.pieces import settle_by_pieces
from trainability.death.points import positive_at, sample_points
from trainability.death.solver import settle_by_solver
from trainability.death.status import (
    CLOSED_FORM,
    EXACT,
    POSITIVE,
    SAMPLE,
    SILENT,
    UNKNOWN,
    Census,
    Verdicts,
    all_active,
    classify,
)
from trainability.domains import Ball, Box, Domain, Points
from trainability.errors import InputError, refuse
from trainability.networks import Ensemble
from trainability.optimizers import Idle

CHUNK_NUMBERS = 1 << 18
"""Numbers per temporary array, 2 MiB, which caches hold: networks are counted in such chunks."""


@dataclass(frozen=True)
class Effort:
    """How hard a census tries, as counts, so that verdicts are the same on every machine.

    Args:
        vertices: Corners of polygons per layer of one network, on 2-D boxes.
        samples: Points of the domain at which a network is looked at, >= 2.
        boxes: Boxes per network on which pre-activations are bounded. Few inputs need some
            hundreds; with more than log2(boxes) inputs only the whole domain is looked at.
        solver_calls: Mixed-integer programs per network, some tenths of a second each; none
            unless asked for.
        solver_nodes: Nodes of each of their search trees.
    """

    vertices: int = 100_000
    samples: int = 1024
    boxes: int = 256
    solver_calls: int = 0
    solver_nodes: int = 1000

    def __post_init__(self) -> None:
        refuse(
            f"Effort {field.name} must be an int >= {least}, got {getattr(self, field.name)!r}"
            for field in fields(self)
            for least in [2 if field.name == "samples" else 0]
            if type(getattr(self, field.name)) is not int or getattr(self, field.name) < least
        )


STANDARD_EFFORT = Effort()
"""For thousands of networks at a time."""
THOROUGH_EFFORT = Effort(vertices=1_000_000, boxes=1024, solver_calls=16)
"""For few networks, when as little as possible is to stay undecided."""


def census(
    ensemble: Ensemble,
    domain: Domain,
    *,
    effort: Effort = STANDARD_EFFORT,
    idle: Idle = "stays",
) -> Census:
    """Count the dead, in float64 from the float32 parameters.

    A neuron is dead if its pre-activation stays within one flat piece of the activation. With an
    activation that has none, no neuron is dead. For ReLU exact ways, bounds and samples settle
    later layers; for other activations with flat pieces the first layer is exact, and later
    layers are looked at on points of the domain: those that no point shows alive are undecided,
    unless the domain is the points.

    Args:
        ensemble: R networks with at least one hidden layer and finite parameters.
        domain: Where their inputs live. On `Points` a neuron is dead if it is silent at them.
        effort: How hard to try where no exact way is known.
        idle: What training does to a parameter without a gradient: only if it stays, or shrinks
            with all others, is a death permanent.

    Raises:
        InputError: If a parameter is not finite, or domain and networks do not fit together.
    """
    cpu = ensemble.to("cpu")
    weights = [weight.double().numpy() for weight in cpu.weights[:-1]]
    biases = [bias.double().numpy() for bias in cpu.biases[:-1]]
    problems = []
    if not weights:
        problems.append("a census wants networks with hidden layers, got depth 1")
    if ensemble.d_in != domain.d:
        problems.append(f"networks of {ensemble.d_in} inputs do not fit {domain}")
    if not all(np.isfinite(array).all() for array in weights + biases):
        problems.append(
            "a census wants finite parameters, got NaN or infinity; drop those networks"
        )
    refuse(problems)
    activation = ensemble.activation
    if not activation.flat:
        return all_active(ensemble.n_networks, ensemble.widths)
    verdicts = Verdicts.unknown(ensemble.n_networks, ensemble.widths)
    if activation != RELU:
        settle_by_pieces(activation, weights, biases, verdicts, domain, effort.samples)
    elif isinstance(domain, Points):
        _look_at(verdicts, weights, biases, domain.x, EXACT, silence=True)
    elif isinstance(domain, Ball | Box):
        _closed_form(verdicts, weights[0], biases[0], domain)
        # Numba takes half a second to import: only where it is needed.
        if domain.d == 1 and len(weights) > 1:
            _along_line(verdicts, weights, biases, domain)
        if domain.d == 2 and isinstance(domain, Box):
            _over_plane(verdicts, weights, biases, domain, effort.vertices)
        _look_at(verdicts, weights, biases, sample_points(domain, effort.samples), SAMPLE)
        settle_by_boxes(weights, biases, verdicts, domain, effort.boxes)
        settle_by_solver(
            weights, biases, verdicts, domain, effort.solver_calls, effort.solver_nodes
        )
    else:
        raise InputError(f"a census wants a Ball, Box or Points, got {domain!r}")
    return classify(weights, biases, verdicts, activation, idle)


def _closed_form(
    verdicts: Verdicts, weight: np.ndarray, bias: np.ndarray, domain: Ball | Box
) -> None:
    positive = domain.support(weight) + bias > 0
    verdicts.record(0, slice(None), np.where(positive, POSITIVE, SILENT), CLOSED_FORM)


def _look_at(
    verdicts: Verdicts,
    weights: Sequence[np.ndarray],
    biases: Sequence[np.ndarray],
    x: np.ndarray,
    certificate: int,
    silence: bool = False,
) -> None:
    """Record who is positive at the points; with `silence`, also who is not."""
    networks = verdicts.open_networks
    otherwise = SILENT if silence else UNKNOWN
    largest = max(weight.shape[1] for weight in weights)
    for chunk in _chunks(len(networks), len(x) * max(largest, x.shape[1])):
        rows = networks[chunk]
        layers = positive_at([w[rows] for w in weights], [b[rows] for b in biases], x)
        for layer, positive in enumerate(layers):
            sign = np.where(positive, POSITIVE, otherwise)
            verdicts.record(layer, rows, sign, certificate)


def _along_line(
    verdicts: Verdicts,
    weights: Sequence[np.ndarray],
    biases: Sequence[np.ndarray],
    domain: Ball | Box,
) -> None:
    from trainability.death.line import positive_on_interval

    low, high = (
        (-domain.radius, domain.radius)
        if isinstance(domain, Ball)
        else (float(domain.low[0]), float(domain.high[0]))
    )
    for layer, positive in enumerate(positive_on_interval(weights, biases, low, high)):
        verdicts.record(layer, slice(None), np.where(positive, POSITIVE, SILENT), EXACT)


def _over_plane(
    verdicts: Verdicts,
    weights: Sequence[np.ndarray],
    biases: Sequence[np.ndarray],
    domain: Box,
    max_vertices: int,
) -> None:
    from trainability.death.plane import positive_on_polygon

    (left, bottom), (right, top) = domain.low, domain.high
    corners = np.array([[left, bottom], [right, bottom], [right, top], [left, top]])
    layers, n_finished = positive_on_polygon(weights, biases, corners, max_vertices)
    for layer, positive in enumerate(layers):
        sign = np.where(positive, POSITIVE, SILENT)
        sign[n_finished <= layer] = UNKNOWN
        verdicts.record(layer, slice(None), sign, EXACT)


def _chunks(n_networks: int, numbers_per_network: int) -> Iterator[slice]:
    step = max(1, CHUNK_NUMBERS // numbers_per_network)
    return (slice(start, start + step) for start in range(0, n_networks, step))
