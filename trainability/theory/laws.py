"""Laws of a neuron's initial weights and bias: what a scheme tells the theory about itself.

A scheme returns one of these from `Scheme.law(fan_in, fan_out)`, or None where no closed form
is known. They hold for every hidden layer; the theory reads nothing else of a scheme.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gaussian:
    """Weights i.i.d. N(0, weight_std^2), bias N(0, bias_std^2), bias_std >= 0.

    Death depends only on the direction of (w, b), so Gaussian(1, 1) is also the law of a neuron
    that is uniform on the unit sphere.
    """

    weight_std: float
    bias_std: float


@dataclass(frozen=True)
class UniformWeights:
    """Weights i.i.d. uniform on [-half_width, half_width], bias N(0, bias_std^2), bias_std >= 0."""

    half_width: float
    bias_std: float


@dataclass(frozen=True)
class Uniform:
    """Weights and bias i.i.d. uniform on [-bound, bound]: PyTorch's default, 1/sqrt(fan_in)."""

    bound: float


@dataclass(frozen=True)
class OrthogonalRows:
    """Rows of gain times a Haar-distributed (semi-)orthogonal matrix, bias N(0, bias_std^2).

    With fan_out > fan_in the rows of a layer are dependent: counts are then not binomial.
    """

    gain: float
    bias_std: float
    fan_out: int


@dataclass(frozen=True)
class Asymmetric:
    """One of the fan_in + 1 entries of (w, b), chosen uniformly, is Beta(2, 1); the others are
    i.i.d. N(0, sigma^2 / fan_in) (Lu, Shin, Su & Karniadakis 2019, randomized asymmetric
    initialization)."""

    sigma: float


@dataclass(frozen=True)
class KinkAtData:
    """The kink lies beside an input that occurs, so no neuron is born dead (Shin & Karniadakis
    2020, data-dependent initialization)."""

    sigma_in: float
    sigma_e: float


NeuronLaw = Gaussian | UniformWeights | Uniform | OrthogonalRows | Asymmetric | KinkAtData
