"""How does the width that a shallow network needs grow with the number of samples?

Eftekhari, Song & Cevher (2019, arXiv 1910.03948) show that a width linear in the number of samples
suffices for shallow networks, where earlier theory asked for a quadratic one; Shin & Karniadakis
(2020) need n - 1 active neurons in the worst case. The report says the power of n with which the
width for 90 % success grows: 1 or less is linear or better.
"""

import numpy as np

from trainability import Adam, Study
from trainability.domains import Points
from trainability.schemes import He
from trainability.study import Published
from trainability.tasks import Function

POINTS = Points(np.random.default_rng(0).standard_normal((256, 5)) / 5**0.5)


def random_targets(x):
    """1 or -1 without any order: the sign of a wave far shorter than the points are apart."""
    return np.sign(np.sin(1e3 * x @ np.arange(1.0, 6.0)))


def smooth_targets(x):
    return np.sin(3 * x[:, 0]) + x[:, 1] * x[:, 2]


SIZES = [8, 16, 32, 64]
TASKS = [
    Function(target.__name__, target, POINTS, n_train=n)
    for target in (random_targets, smooth_targets)
    for n in SIZES
]


def linear(task):
    """A width that is linear in the number of samples suffices: its power is 1 at most."""
    return Published(
        source="Eftekhari, Song & Cevher (2019)",
        quantity="minimal_width",
        value=1.0,
        relation="<=",
        where={"task": task},
        differs="theirs: a width that suffices, by proof and whatever the number of steps",
    )


STUDY = Study(
    name="minimal_width",
    question="With which power of the number of samples does the width for 90 % success grow, on "
    "targets without order and on smooth ones?",
    quantity="minimal_width",
    axes={
        "task": TASKS,
        "width": [2, 4, 8, 16, 32],
    },
    scheme=He(bias_std=1.0),
    depth=2,
    optimizer=Adam(learning_rate=1e-2),
    max_steps=2_000,
    tolerance=1e-2,
    replicates=256,
    seed=0,
    published=[linear(TASKS[0]), linear(TASKS[len(SIZES)])],
)
