"""Closed forms of trainability and neuron death, and estimates with their error elsewhere."""

from __future__ import annotations

from trainability import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.theory.laws import (
        Asymmetric,
        Gaussian,
        KinkAtData,
        NeuronLaw,
        OrthogonalRows,
        Uniform,
        UniformWeights,
    )
    from trainability.theory.memory import AdamMemory
    from trainability.theory.numerics.races import (
        Fates,
        gaussian_turning_probability,
        sphere_turning_probability,
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
    from trainability.theory.questions.counts import (
        CountLaw,
        active_count_pmf,
        permanent_count_pmf,
    )
    from trainability.theory.questions.kinks import (
        KinkMoments,
        data_dependent_output_std,
        kink_moments,
    )
    from trainability.theory.questions.networks import born_dead_network_probability
    from trainability.theory.questions.permanent import permanent_probability
    from trainability.theory.questions.success import neuron_fates, success_probability
    from trainability.theory.questions.trainability import trainability_probability

__all__ = [
    "AdamMemory",
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

__getattr__ = lazy.attributes(
    __name__,
    laws="Asymmetric Gaussian KinkAtData NeuronLaw OrthogonalRows Uniform UniformWeights",
    memory="AdamMemory",
    probability="Probability",
    questions__angles="AngleChain LayerLaw angle_chain",
    questions__born_dead="born_dead_probability",
    questions__bounds="born_dead_lower_bound born_dead_lower_bound_1d born_dead_upper_bound "
    "non_convergence_lower_bound",
    questions__counts="CountLaw active_count_pmf permanent_count_pmf",
    questions__kinks="KinkMoments data_dependent_output_std kink_moments",
    questions__networks="born_dead_network_probability",
    questions__permanent="permanent_probability",
    questions__trainability="trainability_probability",
    numerics__races="Fates gaussian_turning_probability sphere_turning_probability",
    questions__success="neuron_fates success_probability",
)
