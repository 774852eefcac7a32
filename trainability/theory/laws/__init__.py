"""Laws of a neuron's initial weights and bias: what a scheme tells the theory about itself."""

from __future__ import annotations

from trainability import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.theory.laws.asymmetric import Asymmetric
    from trainability.theory.laws.base import Exact, LogBelow, NeuronLaw
    from trainability.theory.laws.gaussian import Gaussian
    from trainability.theory.laws.kink_at_data import KinkAtData
    from trainability.theory.laws.orthogonal_rows import OrthogonalRows
    from trainability.theory.laws.uniform import Uniform
    from trainability.theory.laws.uniform_weights import UniformWeights

__all__ = [
    "Asymmetric",
    "Exact",
    "Gaussian",
    "KinkAtData",
    "LogBelow",
    "NeuronLaw",
    "OrthogonalRows",
    "Uniform",
    "UniformWeights",
]

# A scheme needs its own law.
__getattr__ = lazy.attributes(
    __name__,
    asymmetric="Asymmetric",
    base="Exact LogBelow NeuronLaw",
    gaussian="Gaussian",
    kink_at_data="KinkAtData",
    orthogonal_rows="OrthogonalRows",
    uniform="Uniform",
    uniform_weights="UniformWeights",
)
