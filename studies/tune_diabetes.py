"""Which initialization, and which learning rate beside it, interpolates real data most often?

The first 32 patients of scikit-learn's diabetes data have 10 features; networks of width 6 can
interpolate them, and often don't.
"""

from trainability import Adam
from trainability.schemes import DataDependent, He
from trainability.tasks import Table
from trainability.tuning import Range, SuccessRate, Tuning

BIAS_SCALE = Tuning(
    name="tune_diabetes_he",
    question="Which scale of the biases and which learning rate let He-initialized networks of "
    "width 6 interpolate the diabetes data most often?",
    task=Table(dataset="diabetes", rows=32),
    scheme=He(),
    optimizer=Adam(learning_rate=5e-3),
    vary={
        "bias_std": Range(0.01, 10.0, log=True),
        "learning_rate": Range(1e-3, 1.0, log=True),
    },
    objective=SuccessRate(width=6),
    max_steps=2_000,
    tolerance=1e-3,
    budget=40_000,
    fresh_replicates=8_192,
    seed=0,
)

KINK_DISTANCE = Tuning(
    name="tune_diabetes_data_dependent",
    question="Which sigma_e and which learning rate let data-dependent networks of width 6 "
    "interpolate the diabetes data most often?",
    task=Table(dataset="diabetes", rows=32),
    scheme=DataDependent(),
    optimizer=Adam(learning_rate=5e-3),
    vary={
        "sigma_e": Range(0.01, 10.0, log=True),
        "learning_rate": Range(1e-3, 1.0, log=True),
    },
    objective=SuccessRate(width=6),
    max_steps=2_000,
    tolerance=1e-3,
    budget=40_000,
    fresh_replicates=8_192,
    seed=0,
)

TUNING = [BIAS_SCALE, KINK_DISTANCE]
