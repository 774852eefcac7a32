"""Which scale of the biases lets He-initialized networks learn |x| most often?

Written to be changed: every value below is one that you may choose.

    what would run, and what it costs             trainability tune my_study --dry-run
    search, and judge the best on fresh seeds     trainability tune my_study
"""

from trainability import Adam, Tuning
from trainability.schemes import He
from trainability.tasks import AbsoluteValue
from trainability.tuning import Range, SuccessRate

TUNING = Tuning(
    # Names the folder on storage.
    name="my_study",
    # Heads the report.
    question="Which scale of the biases lets He-initialized networks of width 3 learn |x| most "
    "often?",
    task=AbsoluteValue(n_train=100),
    # The default that the search starts from, and that the best is compared with.
    scheme=He(bias_std=1.0),
    optimizer=Adam(learning_rate=5e-3),
    # What varies: a setting, such as "optimizer.learning_rate", or a whole axis, such as "width"
    # over Integers(2, 64) or "activation" over Choice([...]).
    vary={"bias_std": Range(0.01, 10.0, log=True)},
    objective=SuccessRate(width=3),
    # As of a study.
    max_steps=2_000,
    tolerance=1e-3,
    # Networks for the search, and for each of the best few on fresh seeds.
    budget=10_000,
    fresh_replicates=4_096,
    seed=0,
)
