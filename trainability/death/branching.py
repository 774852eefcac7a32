"""Branch and bound: cut the domain into boxes until bounds or witnesses settle the neurons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trainability.death.bounds import Region, layer_bounds
from trainability.death.points import into_ball, positive_at
from trainability.death.status import BOUND, POSITIVE, SAMPLE, SILENT, UNKNOWN, Verdicts
from trainability.domains import Ball, Box

BOXES_AT_ONCE = 1024


def settle_by_boxes(
    weights: Sequence[np.ndarray],
    biases: Sequence[np.ndarray],
    verdicts: Verdicts,
    domain: Ball | Box,
    max_boxes: int,
) -> None:
    """Settle unknown neurons by bounds over ever smaller boxes, for all networks at once.

    A neuron is silent when its upper bound is <= 0 on every box; it is positive when it is so at
    the center of a box. A network without biases is homogeneous: what it does on a domain around
    the origin it does on the faces of a cube, where bounds can be tight, as they can't be at the
    origin.

    Args:
        weights: Of the hidden layers, each of shape (R, W_t, W_{t-1}).
        biases: Of the hidden layers, each of shape (R, W_t).
        verdicts: Filled in.
        domain: A ball or a box.
        max_boxes: Boxes per network, over all levels. Where they are too few to halve every
            input once, the domain is bounded as a whole.
    """
    open_networks = verdicts.open_networks
    without_bias = np.logical_and.reduce([(bias == 0).all(axis=1) for bias in biases])
    few_inputs = 2**domain.d <= max_boxes
    if not few_inputs or not domain.contains(np.zeros(domain.d)):
        without_bias[:] = False
    whole = Region.around(domain)
    for chosen, start in ((~without_bias, whole), (without_bias, _faces(domain))):
        networks = open_networks[chosen[open_networks]]
        n_start = len(start.center)
        if len(networks) and n_start <= max_boxes:
            _Search(weights, biases, verdicts, start.radius).run(
                np.repeat(networks, n_start),
                np.tile(start.center, (len(networks), 1)),
                np.tile(start.half, (len(networks), 1)),
                max_boxes if few_inputs else 1,
            )


class _Search:
    """Breadth-first, one level of all networks at a time."""

    def __init__(
        self,
        weights: Sequence[np.ndarray],
        biases: Sequence[np.ndarray],
        verdicts: Verdicts,
        radius: float,
    ) -> None:
        self.weights, self.biases = weights, biases
        self.verdicts = verdicts
        self.radius = radius

    def run(
        self, network: np.ndarray, center: np.ndarray, half: np.ndarray, max_boxes: int
    ) -> None:
        """Search from the boxes `center` +- `half`, shape (B, d), of the networks, shape (B,)."""
        used = np.zeros(len(self.weights[0]), np.int64)
        while len(network):
            np.add.at(used, network, 1)
            blocks = _blocks(len(network))
            for rows in blocks:
                self._witness(network[rows], center[rows])
            looks = [self._bound(network[rows], center[rows], half[rows]) for rows in blocks]
            possible = [np.concatenate(parts) for parts in zip(*[p for p, _ in looks], strict=True)]
            cut = np.concatenate([axis for _, axis in looks])
            self._record_silence(network, possible)
            needed = np.logical_or.reduce([layer.any(axis=1) for layer in possible])
            after = used + 2 * np.bincount(network[needed], minlength=len(used))
            needed &= after[network] <= max_boxes
            network, center, half = _halve(
                network[needed], center[needed], half[needed], cut[needed]
            )

    def _witness(self, network: np.ndarray, center: np.ndarray) -> None:
        """Record which neurons are positive at the boxes' centers, pulled into the ball."""
        x = into_ball(center, self.radius)[:, None]
        weights = [w[network] for w in self.weights]
        biases = [b[network] for b in self.biases]
        for layer, positive in enumerate(positive_at(weights, biases, x)):
            anywhere = np.zeros(self.verdicts.sign[layer].shape, bool)
            np.logical_or.at(anywhere, network, positive)
            self.verdicts.record(layer, slice(None), np.where(anywhere, POSITIVE, UNKNOWN), SAMPLE)

    def _bound(
        self, network: np.ndarray, center: np.ndarray, half: np.ndarray
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Which unknown neurons may be positive on each box, and the coordinate to cut it at."""
        region = Region(center, half, self.radius)
        nearest = np.linalg.norm(np.maximum(np.abs(center) - half, 0), axis=1)
        inside = nearest <= self.radius * (1 + 1e-15)
        of_layers = layer_bounds(
            [w[network] for w in self.weights], [b[network] for b in self.biases], region
        )
        possible = []
        score = 1e-9 * np.ones_like(center)
        for sign, bounds in zip(self.verdicts.sign, of_layers, strict=True):
            open_ = (sign[network] == UNKNOWN) & (bounds.upper > 0) & inside[:, None]
            possible.append(open_)
            score += np.matmul(open_[:, None].astype(float), np.abs(bounds.slope))[:, 0]
        return possible, np.argmax(score * half, axis=1)

    def _record_silence(self, network: np.ndarray, possible: Sequence[np.ndarray]) -> None:
        bounded = np.zeros(len(self.weights[0]), bool)
        bounded[network] = True
        for layer, may_be_positive in enumerate(possible):
            anywhere = np.zeros(self.verdicts.sign[layer].shape, bool)
            np.logical_or.at(anywhere, network, may_be_positive)
            silent = bounded[:, None] & ~anywhere
            self.verdicts.record(layer, slice(None), np.where(silent, SILENT, UNKNOWN), BOUND)


def _faces(domain: Ball | Box) -> Region:
    """The 2 d faces of the box; of a cube around the origin for a ball: a cone has no size."""
    whole = Region.around(domain)
    center, half, d = whole.center, whole.half, domain.d
    axis, side = np.tile(np.arange(d), 2), np.repeat([-1.0, 1.0], d)
    centers, halves = np.repeat(center, 2 * d, axis=0), np.repeat(half, 2 * d, axis=0)
    centers[np.arange(2 * d), axis] += side * half[0, axis]
    halves[np.arange(2 * d), axis] = 0
    return Region(centers, halves)


def _halve(
    network: np.ndarray, center: np.ndarray, half: np.ndarray, cut: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = np.arange(len(network))
    half = half.copy()
    half[rows, cut] /= 2
    step = np.zeros_like(half)
    step[rows, cut] = half[rows, cut]
    return (
        np.tile(network, 2),
        np.concatenate([center - step, center + step]),
        np.tile(half, (2, 1)),
    )


def _blocks(n: int) -> list[slice]:
    return [slice(start, start + BOXES_AT_ONCE) for start in range(0, n, BOXES_AT_ONCE)]
