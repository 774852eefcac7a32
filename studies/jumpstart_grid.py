"""The same as `jumpstart`, at every depth and width of the paper, and with all its variants.

It takes a GPU: 468 cells, of up to 120 hidden layers. `trainability run jumpstart_grid
--gpus-per-trial 1` runs it, and the same command goes on from what is stored.
"""

import numpy as np

from trainability import Adam, Study
from trainability.domains import Points
from trainability.losses import BinaryCrossEntropy
from trainability.penalties import Jumpstart
from trainability.schemes import Glorot
from trainability.study import Published
from trainability.tasks import Function

DIFFERS = (
    "theirs: one training for each depth and width, the best of 5,000 epochs; here training stops "
    "at a perfect training accuracy, the best of checkpoints counts, the points are split "
    "otherwise, and layers are dense: theirs see two inputs by convolutions"
)


def moons():
    """100 points on two half circles, divided by the range of their numbers, in random order."""
    way = np.linspace(0, np.pi, 50)
    upper = np.stack([np.cos(way), np.sin(way)], axis=1)
    points = np.concatenate([upper, np.array([1.0, 0.5]) - upper])
    points = points / (points.max() - points.min())
    return points[np.random.default_rng(42).permutation(100)]


def which(x):
    """Which half circle a point is on: the upper one has radius 1 around 0, divided by 3."""
    return np.abs(3 * np.hypot(*x.T) - 1) > 1e-3


BOTH = Jumpstart(coefficient=1e-4)
UNITS = Jumpstart(coefficient=1e-4, terms="units")
SAMPLES = Jumpstart(coefficient=1e-4, terms="samples")

STUDY = Study(
    name="jumpstart_grid",
    question="Over all depths and widths of the paper, which terms of Jumpstart let networks tell "
    "two moons apart?",
    quantity="best_validation_accuracy",
    axes={
        "penalty": [None, BOTH, UNITS, SAMPLES],
        "depth": [2, *range(11, 122, 10)],
        "width": [1, 2, 3, 4, 5, 10, 15, 20, 25],
    },
    task=Function("moons_grid", which, Points(moons()), n_train=85, classes=True, n_validation=15),
    scheme=Glorot(distribution="uniform"),
    loss=BinaryCrossEntropy(),
    optimizer=Adam(learning_rate=1e-2),
    max_steps=5_000,
    target_accuracy=1.0,
    replicates=256,
    seed=0,
    published=[
        Published(
            source="Riera et al. (2022), moons",
            quantity="best_validation_accuracy",
            value=value,
            where={"penalty": penalty},
            differs=DIFFERS,
        )
        for penalty, value in ((None, 0.4969), (BOTH, 0.8427), (UNITS, 0.8177), (SAMPLES, 0.6849))
    ],
)
