"""Do trained Hermite activations learn more often than ReLU, and when do they diverge?

Lokhande et al. (2020, arXiv 1909.05479) replace ReLU by sums of the first P Hermite polynomials
with coefficients that are trained, starting from ReLU's own expansion. No neuron of theirs can be
dead, for a polynomial is constant nowhere. They find that P = 4 trains well, and that 8 and 10
diverge. What they put around it in residual blocks, batch normalization and softsign, is left out.
"""

import math

from trainability import Adam, Study
from trainability.activations import Hermite, ReLU
from trainability.schemes import He
from trainability.study import Published
from trainability.tasks import AbsoluteValue


def expansion(n):
    """The first n coefficients of ReLU in normalized Hermite polynomials, rounded."""

    def coefficient(k):
        if k < 2:
            return (1 / math.sqrt(2 * math.pi), 0.5)[k]
        if k % 2:
            return 0.0
        odd = math.prod(range(k - 3, 0, -2))
        return (-1) ** (k // 2 - 1) * odd / math.sqrt(2 * math.pi * math.factorial(k))

    return Hermite(tuple(round(coefficient(k), 4) for k in range(n)), trainable=True)


def diverges(n):
    return Published(
        source="Lokhande et al. (2020)",
        quantity="diverged",
        value=1.0,
        where={"activation": expansion(n)},
        differs="theirs: an autoencoder with another optimizer; said of training, without a rate",
    )


STUDY = Study(
    name="hermite_activations",
    question="Do narrow networks with trained Hermite activations learn |x| more often than with "
    "ReLU, and with how many polynomials do they diverge?",
    axes={
        "activation": [ReLU(), expansion(4), expansion(8), expansion(10)],
        "width": [2, 4],
    },
    task=AbsoluteValue(n_train=100),
    scheme=He(),
    depth=4,
    optimizer=Adam(learning_rate=5e-3),
    max_steps=1_000,
    tolerance=1e-3,
    replicates=256,
    seed=0,
    published=[diverges(8), diverges(10)],
)
