"""Closed forms of trainability and neuron death, and estimates with their error elsewhere."""

from trainability.theory.laws import (
    Asymmetric,
    Gaussian,
    KinkAtData,
    NeuronLaw,
    OrthogonalRows,
    Uniform,
    UniformWeights,
)
from trainability.theory.probability import Probability
from trainability.theory.questions.angles import AngleChain, LayerLaw, angle_chain
from trainability.theory.questions.born_dead import born_dead_probability
from trainability.theory.questions.bounds import (
    born_dead_lower_bound,
    born_dead_lower_bound_1d,
    born_dead_upper_bound,
    non_convergence_lower_bound,
)
from trainability.theory.questions.counts import CountLaw, active_count_pmf, permanent_count_pmf
from trainability.theory.questions.kinks import KinkMoments, data_dependent_output_std, kink_moments
from trainability.theory.questions.networks import born_dead_network_probability
from trainability.theory.questions.permanent import permanent_probability
from trainability.theory.questions.trainability import trainability_probability

__all__ = [
    "AngleChain",
    "Asymmetric",
    "CountLaw",
    "Gaussian",
    "KinkAtData",
    "KinkMoments",
    "LayerLaw",
    "NeuronLaw",
    "OrthogonalRows",
    "Probability",
    "Uniform",
    "UniformWeights",
    "active_count_pmf",
    "angle_chain",
    "born_dead_lower_bound",
    "born_dead_lower_bound_1d",
    "born_dead_network_probability",
    "born_dead_probability",
    "born_dead_upper_bound",
    "data_dependent_output_std",
    "kink_moments",
    "non_convergence_lower_bound",
    "permanent_count_pmf",
    "permanent_probability",
    "trainability_probability",
]
