"""Laws of a neuron's initial weights and bias: what a scheme tells the theory about itself.

A scheme returns one of these from `Scheme.law(fan_in, fan_out)`, or None where no closed form
is known. They hold for every hidden layer; the theory reads nothing else of a scheme.
"""

from __future__ import annotations

from dataclasses import dataclass

from trainability.errors import refuse
from trainability.theory.checks import count_problem, number_problem


@dataclass(frozen=True)
class Gaussian:
    """Weights i.i.d. N(0, weight_std^2), bias N(0, bias_std^2), bias_std >= 0.

    Death depends only on the direction of (w, b), so Gaussian(1, 1) is also the law of a neuron
    that is uniform on the unit sphere.
    """

    weight_std: float
    bias_std: float

    def __post_init__(self) -> None:
        _refuse_negative(self, "weight_std", "bias_std")


@dataclass(frozen=True)
class UniformWeights:
    """Weights i.i.d. uniform on [-half_width, half_width], bias N(0, bias_std^2), bias_std >= 0."""

    half_width: float
    bias_std: float

    def __post_init__(self) -> None:
        _refuse_negative(self, "half_width", "bias_std")


@dataclass(frozen=True)
class Uniform:
    """Weights and bias i.i.d. uniform on [-bound, bound]: PyTorch's default, 1/sqrt(fan_in)."""

    bound: float

    def __post_init__(self) -> None:
        _refuse_negative(self, above=("bound",))


@dataclass(frozen=True)
class OrthogonalRows:
    """Rows of gain times a Haar-distributed (semi-)orthogonal matrix, bias N(0, bias_std^2).

    With fan_out > fan_in the rows of a layer are dependent: counts are then not binomial.
    """

    gain: float
    bias_std: float
    fan_out: int

    def __post_init__(self) -> None:
        refuse(count_problem("OrthogonalRows", "fan_out", self.fan_out))
        _refuse_negative(self, "gain", "bias_std")


@dataclass(frozen=True)
class Asymmetric:
    """One of the fan_in + 1 entries of (w, b), chosen uniformly, is Beta(2, 1); the others are
    i.i.d. N(0, sigma^2 / fan_in) (Lu, Shin, Su & Karniadakis 2019, randomized asymmetric
    initialization)."""

    sigma: float

    def __post_init__(self) -> None:
        _refuse_negative(self, above=("sigma",))


@dataclass(frozen=True)
class KinkAtData:
    """The kink lies beside an input that occurs, so no neuron is born dead (Shin & Karniadakis
    2020, data-dependent initialization)."""

    sigma_in: float
    sigma_e: float

    def __post_init__(self) -> None:
        _refuse_negative(self, "sigma_in", above=("sigma_e",))


NeuronLaw = Gaussian | UniformWeights | Uniform | OrthogonalRows | Asymmetric | KinkAtData


def has_bias(law: NeuronLaw) -> bool:
    """Whether the neurons have biases that are not all 0."""
    return not isinstance(law, Gaussian | UniformWeights | OrthogonalRows) or law.bias_std > 0


def _refuse_negative(law: object, *at_least: str, above: tuple[str, ...] = ()) -> None:
    owner = type(law).__name__
    problems = []
    for name in at_least:
        problems += number_problem(owner, name, getattr(law, name))
    for name in above:
        problems += number_problem(owner, name, getattr(law, name), above=True)
    refuse(problems)
