"""Which bias scale, and which kink distance, make shallow networks learn |x| most often?

He initialization has zero biases by default, so that all kinks lie at the same point; a
data-dependent initialization puts each beside a training point, at a distance that sigma_e sets.
The learning rate is tuned beside both.
"""

from trainability import Adam
from trainability.schemes import DataDependent, He
from trainability.tasks import AbsoluteValue
from trainability.tuning import Range, SuccessRate, Tuning

TUNING = [
    Tuning(
        name=f"tune_absolute_value_{name}",
        question=f"Which {setting} makes {scheme} networks learn |x| most often?",
        task=AbsoluteValue(n_train=100),
        scheme=scheme,
        optimizer=Adam(learning_rate=5e-3),
        vary={
            setting: Range(0.01, 10.0, log=True),
            "learning_rate": Range(1e-3, 1e-1, log=True),
        },
        objective=SuccessRate(width=3),
        max_steps=10_000,
        tolerance=1e-3,
        budget=50_000,
        fresh_replicates=16_384,
        seed=0,
    )
    for name, scheme, setting in (
        ("he", He(), "bias_std"),
        ("data_dependent", DataDependent(), "sigma_e"),
    )
]
