"""Does an untrainable network ever succeed? Ten million networks, narrow ones, so that many can't.

The law is Shin & Karniadakis' (2020): trainability bounds success whatever the optimizer does. One
exception would break it. `trainability run law_at_scale --replicates 1024` runs a first piece, and
the same command with more replicates goes on from there; without `--replicates` it runs all 90
cells x 111,360 networks. The report says how many networks were untrainable, how many of these
succeeded, and the upper limit of the rate of exceptions.
"""

from trainability import Adam, Study
from trainability.optimizers import SGD, Nesterov
from trainability.schemes import He, Orthogonal, RandomizedAsymmetric, TorchDefault, UnitSphere
from trainability.tasks import AbsoluteValue, BrokenAbsoluteValue

STUDY = Study(
    name="law_at_scale",
    question="Does a network that is untrainable at birth ever succeed, whatever the scheme, the "
    "width, the optimizer and the task?",
    axes={
        "task": [AbsoluteValue(n_train=100), BrokenAbsoluteValue(n_train=100)],
        "scheme": [
            UnitSphere(),
            He(bias_std=1.0),
            TorchDefault(),
            RandomizedAsymmetric(),
            Orthogonal(bias_std=1.0),
        ],
        "width": [2, 3, 4],
        "optimizer": [
            Adam(learning_rate=1e-2),
            SGD(learning_rate=5e-2),
            Nesterov(learning_rate=1e-2),
        ],
    },
    depth=2,
    max_steps=2_000,
    tolerance=1e-3,
    replicates=111_360,
    seed=0,
)
