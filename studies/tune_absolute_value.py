"""Which bias scale, and which distance of the kinks from the data, teach |x| most often?

He initialization has no biases by default, so that all kinks lie at 0. A data-dependent
initialization puts each beside a training point, at a distance that sigma_e sets. Networks of
width 3 have one neuron to spare: the task needs two.
"""

from trainability import Adam
from trainability.schemes import DataDependent, He
from trainability.tasks import AbsoluteValue
from trainability.tuning import Range, SuccessRate, Tuning

BIAS_SCALE = Tuning(
    name="tune_absolute_value_he",
    question="Which scale of the biases lets He-initialized networks of width 3 learn |x| most "
    "often?",
    task=AbsoluteValue(n_train=100),
    scheme=He(),
    optimizer=Adam(learning_rate=5e-3),
    vary={"bias_std": Range(0.01, 10.0, log=True)},
    objective=SuccessRate(width=3),
    max_steps=10_000,
    tolerance=1e-3,
    budget=40_000,
    fresh_replicates=16_384,
    seed=0,
)

KINK_DISTANCE = Tuning(
    name="tune_absolute_value_data_dependent",
    question="Which sigma_e lets data-dependent networks of width 3 learn |x| most often?",
    task=AbsoluteValue(n_train=100),
    scheme=DataDependent(),
    optimizer=Adam(learning_rate=5e-3),
    vary={"sigma_e": Range(0.01, 10.0, log=True)},
    objective=SuccessRate(width=3),
    max_steps=10_000,
    tolerance=1e-3,
    budget=40_000,
    fresh_replicates=16_384,
    seed=0,
)

TUNING = [BIAS_SCALE, KINK_DISTANCE]
