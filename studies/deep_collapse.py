"""Does a deep narrow network collapse at birth, and does an asymmetric initialization prevent it?

Lu, Shin, Su & Karniadakis (2019) show that a deep network with symmetric weights is constant at
initialization with a probability that tends to 1 with its depth, and propose RAI against it.
"""

from trainability import Adam, Study
from trainability.schemes import Glorot, He, Orthogonal, RandomizedAsymmetric
from trainability.tasks import AbsoluteValue

STUDY = Study(
    name="deep_collapse",
    question="How wide must a ReLU network of depth 10 be not to collapse at birth, and does an "
    "asymmetric initialization save it?",
    task=AbsoluteValue(n_train=100),
    axes={
        "width": [2, 3, 4, 5, 6, 8, 10],
        "scheme": [He(), Glorot(), Orthogonal(gain=2**0.5), RandomizedAsymmetric()],
    },
    depth=10,
    optimizer=Adam(learning_rate=1e-3),
    max_steps=2_000,
    tolerance=1e-3,
    replicates=1024,
    seed=0,
)
