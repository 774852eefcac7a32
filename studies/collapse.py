"""Who collapses while training, when, and from what: learning rate, batch size, initialization?

Lu, Shin, Su & Karniadakis (2019) report that deep narrow networks end constant, and fewer of them
with RAI. How many does not depend on birth alone: a network that is alive may collapse on its way.
"""

from trainability import Adam, Study
from trainability.schemes import He, RandomizedAsymmetric
from trainability.tasks import AbsoluteValue

STUDY = Study(
    name="collapse",
    question="From what do deep narrow networks collapse, initialization, learning rate or batch "
    "size, and at birth or while they train?",
    quantity="collapsed",
    task=AbsoluteValue(n_train=100),
    axes={
        "scheme": [He(), RandomizedAsymmetric()],
        "optimizer": [Adam(learning_rate=rate) for rate in (1e-4, 1e-3, 1e-2)],
        "batch_size": [None, 20],
    },
    width=2,
    depth=10,
    max_steps=2_000,
    tolerance=1e-3,
    replicates=512,
    seed=0,
)
