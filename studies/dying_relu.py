"""How often does training end in a network that is constant, and does RAI prevent it?

Lu, Shin, Su & Karniadakis (2020, arXiv 1903.06733) train narrow deep networks on four targets, a
thousand times each. What they collapse to, Lu, Su & Karniadakis (2018, arXiv 1808.04947) say: the
mean of the target under the squared error, the median under the absolute one. Networks of one
input are 2 wide and have depth 10 in the papers, those of two inputs are 4 wide and have depth 20;
here all are trained in both shapes.
"""

import numpy as np

from trainability import Adam, Study
from trainability.domains import Box
from trainability.losses import MeanAbsoluteError, MeanSquaredError
from trainability.schemes import He, RandomizedAsymmetric
from trainability.study import Published
from trainability.study.published import Relation
from trainability.tasks import Function

TARGETS = {
    "abs": lambda x: np.abs(x[:, 0]),
    "x_sin_5x": lambda x: x[:, 0] * np.sin(5 * x[:, 0]),
    "step_and_sine": lambda x: (x[:, 0] > 0) + 0.2 * np.sin(5 * x[:, 0]),
    "abs_sum_and_difference": lambda x: np.abs(
        np.stack([x[:, 0] + x[:, 1], x[:, 0] - x[:, 1]], axis=1)
    ),
}
TASKS = [
    Function(name, target, Box(1 if name != "abs_sum_and_difference" else 2, 3**0.5), n_train=300)
    for name, target in TARGETS.items()
]
LINE, PLANE = TASKS[:3], TASKS[3]
NARROW, PLANAR = (2,) * 9, (4,) * 19
"""Hidden widths of the papers' networks of one input, and of two."""


def lu(task, scheme, value, relation: Relation = "="):
    """A rate of Lu, Shin, Su & Karniadakis (2020), of a thousand trainings."""
    nearer = "; a lower learning rate than 1e-3 brings ours nearer: see asymmetric_collapse"
    shape = {"width": 4, "depth": 20} if task is PLANE else {"width": 2, "depth": 10}
    return Published(
        source="Lu, Shin, Su & Karniadakis (2020)",
        quantity="collapsed",
        value=value,
        relation=relation,
        n=1000,
        where={"task": task, "scheme": scheme, "loss": MeanSquaredError(), **shape},
        differs="300 points evenly spread, theirs 3,000 at random; their budget and batch size are "
        "not known to us" + (nearer if scheme == RandomizedAsymmetric() else ""),
    )


STUDY = Study(
    name="dying_relu",
    question="How often does training end in a network that is constant, on four targets, and does "
    "an asymmetric initialization prevent it?",
    quantity="collapsed",
    axes={
        "scheme": [He(), RandomizedAsymmetric()],
        "task": TASKS,
        "loss": [MeanSquaredError(), MeanAbsoluteError()],
        "width": [NARROW, PLANAR],
    },
    optimizer=Adam(learning_rate=1e-3),
    batch_size=64,
    max_steps=2_000,
    tolerance=1e-3,
    replicates=256,
    seed=0,
    published=[
        lu(LINE[0], He(), 0.90, ">="),
        lu(LINE[1], He(), 0.919),
        lu(LINE[1], RandomizedAsymmetric(), 0.292),
        lu(LINE[2], He(), 0.938),
        lu(LINE[2], RandomizedAsymmetric(), 0.326),
        lu(PLANE, He(), 0.768),
        lu(PLANE, RandomizedAsymmetric(), 0.096),
    ],
)
