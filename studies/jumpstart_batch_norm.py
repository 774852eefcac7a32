"""Does batch normalization let deep narrow networks tell the two moons apart, as Jumpstart does?

The other half of what Riera et al. (2022, arXiv 2201.12795) compare: `jumpstart` has plain networks
and Jumpstart, here stand plain ones and the same with a batch normalization before every ReLU, of
which PyTorch's own module is trained in copies. Plain networks and normalized ones start from the
same weights.
"""

from itertools import pairwise

import numpy as np
from torch import nn

from trainability import Adam, Module, Study
from trainability.domains import Points
from trainability.losses import BinaryCrossEntropy
from trainability.schemes import Glorot
from trainability.study import Published
from trainability.tasks import Function

DIFFERS = (
    "theirs: the mean over 13 depths to 121 x 9 widths to 25, one training each, the best of 5,000 "
    "epochs; here depths and widths are fewer and smaller, training stops after fewer steps or at "
    "a perfect training accuracy, the best of checkpoints counts, the points are split otherwise, "
    "and layers are dense: theirs see two inputs by convolutions"
)
SCALE = 3.0
"""The range by which the points are divided, from -1 to 2."""


def moons():
    """100 points on two half circles, divided by the range of their numbers, in random order."""
    way = np.linspace(0, np.pi, 50)
    upper = np.stack([np.cos(way), np.sin(way)], axis=1)
    points = np.concatenate([upper, np.array([1.0, 0.5]) - upper])
    points = points / (points.max() - points.min())
    return points[np.random.default_rng(42).permutation(100)]


def which(x):
    """Which half circle a point is on: the upper one has radius 1 around 0."""
    return np.abs(np.hypot(*(SCALE * x).T) - 1) > 1e-3


def normalized(width: int, depth: int) -> nn.Module:
    """Dense layers, each but the last with a batch normalization and a ReLU behind it."""
    sizes = [2, *[width] * (depth - 1)]
    hidden = [
        part
        for n_in, n_out in pairwise(sizes)
        for part in (nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.ReLU())
    ]
    return nn.Sequential(*hidden, nn.Linear(width, 1))


def riera(network, value):
    return Published(
        source="Riera et al. (2022), moons",
        quantity="best_validation_accuracy",
        value=value,
        where={"network": network},
        differs=DIFFERS,
    )


STUDY = Study(
    name="jumpstart_batch_norm",
    question="Does batch normalization let deep narrow networks tell two moons apart where plain "
    "ones can't?",
    quantity="best_validation_accuracy",
    axes={"network": [None, Module(normalized)], "depth": [2, 11, 31], "width": [4]},
    task=Function("moons", which, Points(moons()), n_train=85, classes=True, n_validation=15),
    scheme=Glorot(distribution="uniform"),
    loss=BinaryCrossEntropy(),
    optimizer=Adam(learning_rate=1e-2),
    max_steps=500,
    target_accuracy=1.0,
    replicates=256,
    seed=0,
    published=[riera(None, 0.4969), riera(Module(normalized), 0.7573)],
)
