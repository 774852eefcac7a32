"""Closed forms of trainability and neuron death, and estimates with their error elsewhere."""

from trainability.theory.angles import AngleChain, LayerLaw, angle_chain
from trainability.theory.born_dead import born_dead_probability
from trainability.theory.bounds import (
    born_dead_lower_bound,
    born_dead_lower_bound_1d,
    born_dead_upper_bound,
    non_convergence_lower_bound,
)
from trainability.theory.counts import CountLaw, active_count_pmf, permanent_count_pmf
from trainability.theory.kinks import KinkMoments, data_dependent_output_std, kink_moments
from trainability.theory.laws import (
    Asymmetric,
    Gaussian,
    KinkAtData,
    NeuronLaw,
    OrthogonalRows,
    Uniform,
    UniformWeights,
)
from trainability.theory.networks import born_dead_network_probability
from trainability.theory.permanent import permanent_probability
from trainability.theory.probability import Probability
from trainability.theory.races import (
    Fates,
    gaussian_turning_probability,
    sphere_turning_probability,
)
from trainability.theory.success import neuron_fates, success_probability
from trainability.theory.trainability import trainability_probability

__all__ = [
    "AngleChain",
    "Asymmetric",
    "CountLaw",
    "Fates",
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
    "gaussian_turning_probability",
    "kink_moments",
    "neuron_fates",
    "non_convergence_lower_bound",
    "permanent_count_pmf",
    "permanent_probability",
    "sphere_turning_probability",
    "success_probability",
    "trainability_probability",
]
