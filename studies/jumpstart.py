"""Does Jumpstart let deep narrow networks tell the two moons apart where plain ones can't?

Riera et al. (2022, arXiv 2201.12795) train one network for every depth and width, and publish the
mean over 13 depths (1 to 120 hidden layers) x 9 widths (1 to 25) of the largest validation
accuracy. Here every cell has hundreds, on a few of these depths and widths; `jumpstart_grid` has
all of them. Batch normalization, which they compare too, has a study of its own: it takes a module,
`jumpstart_batch_norm`.
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
    "theirs: the mean over 13 depths to 121 x 9 widths to 25, one training each, the best of 5,000 "
    "epochs; here depths and widths are fewer and smaller, training stops at a perfect training "
    "accuracy, the best of checkpoints counts, the points are split otherwise, and layers are "
    "dense: theirs see two inputs by convolutions"
)


def moons():
    """100 points on two half circles, divided by the range of their numbers, in random order."""
    way = np.linspace(0, np.pi, 50)
    upper = np.stack([np.cos(way), np.sin(way)], axis=1)
    points = np.concatenate([upper, np.array([1.0, 0.5]) - upper])
    points = points / (points.max() - points.min())
    return points[np.random.default_rng(42).permutation(100)]


SCALE = 3.0
"""The range by which the points are divided, from -1 to 2."""


def which(x):
    """Which half circle a point is on: the upper one has radius 1 around 0."""
    return np.abs(np.hypot(*(SCALE * x).T) - 1) > 1e-3


def riera(penalty, value):
    return Published(
        source="Riera et al. (2022), moons",
        quantity="best_validation_accuracy",
        value=value,
        where={"penalty": penalty},
        differs=DIFFERS,
    )


BOTH = Jumpstart(coefficient=1e-4)

STUDY = Study(
    name="jumpstart",
    question="Does Jumpstart let deep narrow networks tell two moons apart where plain ones can't?",
    quantity="best_validation_accuracy",
    axes={"penalty": [None, BOTH], "depth": [2, 11, 31], "width": [2, 4]},
    task=Function("moons", which, Points(moons()), n_train=85, classes=True, n_validation=15),
    scheme=Glorot(distribution="uniform"),
    loss=BinaryCrossEntropy(),
    optimizer=Adam(learning_rate=1e-2),
    max_steps=5_000,
    target_accuracy=1.0,
    replicates=256,
    seed=0,
    published=[riera(None, 0.4969), riera(BOTH, 0.8427)],
)
