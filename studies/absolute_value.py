"""How wide must a shallow network be to learn |x|? The headline study.

Shin & Karniadakis (2020) ask it of the unit-sphere initialization; here every scheme that our
theory covers in closed form answers, on the paper's interval [-sqrt 3, sqrt 3].
"""

from trainability import Adam, Study
from trainability.schemes import DataDependent, He, RandomizedAsymmetric, TorchDefault, UnitSphere
from trainability.tasks import AbsoluteValue

STUDY = Study(
    name="absolute_value",
    question="How wide must a shallow ReLU network be to learn |x|, and does success stay below "
    "trainability?",
    task=AbsoluteValue(n_train=100),
    axes={
        "width": [2, 3, 4, 6, 8, 12, 16, 20],
        "scheme": [
            UnitSphere(),
            He(bias_std=1.0),
            TorchDefault(),
            RandomizedAsymmetric(),
            DataDependent(),
        ],
    },
    depth=2,
    optimizer=Adam(learning_rate=5e-3),
    max_steps=10_000,
    tolerance=1e-3,
    replicates=1024,
    seed=0,
)
