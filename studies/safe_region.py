"""Which widths and depths are safe from collapse?

Lu, Su & Karniadakis (2018, arXiv 1808.04947) draw a diagram of the widths at which networks of a
depth do not collapse. Here is the rate of collapse after training over both, with contours of the
probability that a network is constant already at birth, by theory.
"""

from trainability import Adam, Study
from trainability.schemes import He
from trainability.tasks import AbsoluteValue

STUDY = Study(
    name="safe_region",
    question="At which widths and depths do networks with He's initialization not collapse?",
    quantity="collapsed",
    axes={"width": [2, 3, 4, 6, 8], "depth": [2, 4, 6, 10, 16]},
    task=AbsoluteValue(n_train=100),
    scheme=He(),
    optimizer=Adam(learning_rate=1e-3),
    max_steps=2_000,
    tolerance=1e-3,
    replicates=512,
    seed=0,
)
