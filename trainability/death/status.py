"""From "is it ever positive?" to active, tentatively dead and permanently dead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainability.activations import RELU, Activation
from trainability.errors import InputError
from trainability.optimizers import Idle

ACTIVE, TENTATIVE, PERMANENT = 0, 1, 2
"""A neuron varies over the domain; is constant, but might be revived; is constant for good."""

CERTIFICATES = ("closed_form", "exact", "bound", "solver", "sample", "undecided")
"""What a neuron's verdict rests on. `sample` is proof of life only, never of death."""
CLOSED_FORM, EXACT, BOUND, SOLVER, SAMPLE, UNDECIDED = range(6)

POSITIVE, UNKNOWN, SILENT = 1, 0, -1
"""The pre-activation is positive somewhere on the domain; we can't say; it is so nowhere. For
activations other than ReLU: it leaves every flat piece; we can't say; it stays within one."""


@dataclass(frozen=True)
class Census:
    """The dead and the living of R networks with T hidden layers.

    Args:
        status: One int8 array of shape (R, W_t) per hidden layer: ACTIVE, TENTATIVE or PERMANENT.
            An undecided neuron counts as dead: no sample of the domain shows it alive.
        certificate: Likewise, indices into CERTIFICATES.
        n_networks: R, where there may be no hidden layer, as in a module without any ReLU.
    """

    status: tuple[np.ndarray, ...]
    certificate: tuple[np.ndarray, ...]
    n_networks: int = 0

    @property
    def active(self) -> np.ndarray:
        """Active neurons per hidden layer, int64, shape (R, T)."""
        return layer_counts(self.status, ACTIVE, self.n_networks)

    @property
    def tentative(self) -> np.ndarray:
        """Tentatively dead neurons per hidden layer, int64, shape (R, T)."""
        return layer_counts(self.status, TENTATIVE, self.n_networks)

    @property
    def permanent(self) -> np.ndarray:
        """Permanently dead neurons per hidden layer, int64, shape (R, T)."""
        return layer_counts(self.status, PERMANENT, self.n_networks)

    @property
    def undecided(self) -> np.ndarray:
        """Neurons per hidden layer that are dead on samples, without proof, int64, shape (R, T)."""
        return layer_counts(self.certificate, UNDECIDED, self.n_networks)

    @property
    def born_dead(self) -> np.ndarray:
        """Whether a hidden layer has no active neuron: the output is constant. bool, shape (R,)."""
        return (self.active == 0).any(axis=1)

    def trainable(self, needs: Sequence[int]) -> np.ndarray:
        """Whether every hidden layer has the neurons that it needs, not permanently dead.

        Args:
            needs: Neurons that the task needs, one number >= 0 per hidden layer.

        Returns:
            bool, shape (R,).
        """
        if len(needs) != len(self.status):
            raise InputError(
                f"needs must hold one number per hidden layer, {len(self.status)}, "
                f"got {len(needs)}: {list(needs)}"
            )
        widths = np.array([layer.shape[1] for layer in self.status])
        return np.all(widths - self.permanent >= np.asarray(needs), axis=1)


@dataclass
class Verdicts:
    """What is known so far of every hidden neuron; the steps of a census fill it in.

    Args:
        sign: One int8 array of shape (R, W_t) per hidden layer: POSITIVE, UNKNOWN or SILENT.
        certificate: Likewise, indices into CERTIFICATES.
    """

    sign: list[np.ndarray]
    certificate: list[np.ndarray]

    @classmethod
    def unknown(cls, n_networks: int, widths: Sequence[int]) -> Verdicts:
        """Nothing is known."""
        return cls(
            [np.full((n_networks, width), UNKNOWN, np.int8) for width in widths],
            [np.full((n_networks, width), UNDECIDED, np.int8) for width in widths],
        )

    @property
    def open_networks(self) -> np.ndarray:
        """Indices of the networks that have an unknown neuron."""
        return np.flatnonzero(
            np.logical_or.reduce([(sign == UNKNOWN).any(axis=1) for sign in self.sign])
        )

    def record(
        self, layer: int, rows: np.ndarray | slice, sign: np.ndarray, certificate: int
    ) -> None:
        """Settle neurons of a layer that are still unknown.

        Args:
            layer: Index of the hidden layer, from 0.
            rows: The networks.
            sign: int8, shape (len(rows), W_t); UNKNOWN leaves a neuron as it is.
            certificate: What the verdict rests on.
        """
        verdict, proof = self.sign[layer][rows], self.certificate[layer][rows]
        news = (verdict == UNKNOWN) & (sign != UNKNOWN)
        self.sign[layer][rows] = np.where(news, sign, verdict)
        self.certificate[layer][rows] = np.where(news, np.int8(certificate), proof)


def classify(
    weights: Sequence[np.ndarray],
    biases: Sequence[np.ndarray],
    verdicts: Verdicts,
    activation: Activation = RELU,
    idle: Idle = "stays",
) -> Census:
    """Statuses of all neurons, with the closure under gradient training.

    A neuron is dead iff it is constant: it is silent, or no active neuron feeds it (then it may
    be a positive constant). A silent neuron of the first layer is permanently dead. In a later
    layer it is so iff its bias and its weights from all neurons that are not permanently dead
    are <= 0. If a whole layer is silent, no gradient passes: every dead neuron is permanent. A
    positive constant of the first layer (all weights zero) has a gradient, so it is tentative.

    Where parameters without a gradient shrink, all by one factor, signs and the first layer's
    silence last, but not that of a later layer, whose inputs and biases shrink at different
    rates. Where they move, nothing is permanent. With an activation that does not rectify, a
    later layer's weights prove nothing, and what shrinks may leave a flat piece.

    Args:
        weights: Of the hidden layers, each of shape (R, W_t, W_{t-1}).
        biases: Of the hidden layers, each of shape (R, W_t).
        verdicts: What is known; what is unknown counts as silent, which means: within one flat
            piece of the activation.
        activation: Of the hidden neurons, with flat pieces.
        idle: What training does to a parameter without a gradient.

    Source: Shin & Karniadakis (2020), tentative and permanent death; the closure is derived from
    it: a dead neuron's own parameters are frozen, and what feeds on it gets 0.
    """
    n_networks, _, d_in = weights[0].shape
    varies = np.ones((n_networks, d_in), bool)
    gone = np.zeros((n_networks, d_in), bool)
    doubtful = np.zeros((n_networks, d_in), bool)
    blocked = np.zeros(n_networks, bool)
    status, certificates = [], []
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        silent = verdicts.sign[layer] != POSITIVE
        feeds = weight != 0
        constant = ~silent & ~(feeds & varies[:, None]).any(axis=2)
        certificate = verdicts.certificate[layer].copy()
        certificate[constant] = EXACT
        certificate[constant & (feeds & doubtful[:, None]).any(axis=2)] = UNDECIDED
        if idle == "moves" or ((layer or idle == "shrinks") and not activation.rectifies):
            gone = np.zeros_like(silent)
        elif layer == 0:
            gone = silent
        else:
            gone = silent & (bias <= 0) & ((weight <= 0) | gone[:, None]).all(axis=2)
        varies = ~silent & ~constant
        doubtful = certificate == UNDECIDED
        if idle == "stays" or (idle == "shrinks" and layer == 0 and activation.rectifies):
            blocked |= silent.all(axis=1)
        status.append(np.where(varies, ACTIVE, np.where(gone, PERMANENT, TENTATIVE)))
        certificates.append(certificate)
    closed = [np.where(blocked[:, None] & (s != ACTIVE), PERMANENT, s) for s in status]
    return Census(tuple(s.astype(np.int8) for s in closed), tuple(certificates))


def all_active(n_networks: int, widths: Sequence[int]) -> Census:
    """What a census says of an activation that is constant nowhere: no neuron is dead."""
    shapes = [(n_networks, width) for width in widths]
    return Census(
        tuple(np.full(shape, ACTIVE, np.int8) for shape in shapes),
        tuple(np.full(shape, CLOSED_FORM, np.int8) for shape in shapes),
    )


def layer_counts(layers: Sequence[np.ndarray], value: int, n_networks: int = 0) -> np.ndarray:
    """How many neurons of each layer have a value, int64, shape (R, T).

    Args:
        layers: One array of shape (R, W_t) per layer.
        value: What is counted.
        n_networks: R, where there may be no layer.
    """
    counts = [(layer == value).sum(axis=1) for layer in layers]
    return np.stack(counts, axis=1) if counts else np.zeros((n_networks, 0), np.int64)
