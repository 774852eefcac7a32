"""Closed forms of trainability and neuron death, and estimates with their error elsewhere."""

from trainability.theory.born_dead import born_dead_probability
from trainability.theory.counts import CountLaw, active_count_pmf, permanent_count_pmf
from trainability.theory.laws import (
    Asymmetric,
    Gaussian,
    KinkAtData,
    NeuronLaw,
    OrthogonalRows,
    Uniform,
    UniformWeights,
)
from trainability.theory.permanent import permanent_probability
from trainability.theory.probability import Probability
from trainability.theory.trainability import trainability_probability

__all__ = [
    "Asymmetric",
    "CountLaw",
    "Gaussian",
    "KinkAtData",
    "NeuronLaw",
    "OrthogonalRows",
    "Probability",
    "Uniform",
    "UniformWeights",
    "active_count_pmf",
    "born_dead_probability",
    "permanent_count_pmf",
    "permanent_probability",
    "trainability_probability",
]
