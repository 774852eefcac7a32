"""Closed forms of trainability and neuron death, and estimates with their error elsewhere."""

from __future__ import annotations

from trainability import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    from trainability.theory.trainability import trainability_probability

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

__getattr__ = lazy.attributes(
    __name__,
    angles="AngleChain LayerLaw angle_chain",
    born_dead="born_dead_probability",
    bounds="born_dead_lower_bound born_dead_lower_bound_1d born_dead_upper_bound "
    "non_convergence_lower_bound",
    counts="CountLaw active_count_pmf permanent_count_pmf",
    kinks="KinkMoments data_dependent_output_std kink_moments",
    laws="Asymmetric Gaussian KinkAtData NeuronLaw OrthogonalRows Uniform UniformWeights",
    networks="born_dead_network_probability",
    permanent="permanent_probability",
    probability="Probability",
    trainability="trainability_probability",
)
