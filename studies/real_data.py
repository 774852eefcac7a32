"""How wide must a shallow network be to interpolate real data?

By Shin & Karniadakis (2020), |data| - 1 active neurons are sufficient for zero training loss, and
in the worst case necessary. Widths lie around that number.
"""

from trainability import Adam, Study
from trainability.schemes import DataDependent, He
from trainability.tasks import Table

STUDY = Study(
    name="real_data",
    question="How wide must a shallow ReLU network be to interpolate real data, and does a "
    "data-dependent initialization need less width?",
    axes={
        "width": [4, 8, 16, 24, 31, 48, 64],
        "task": [Table(dataset="diabetes", rows=32), Table(dataset="digits", rows=32)],
        "scheme": [He(), DataDependent()],
    },
    depth=2,
    optimizer=Adam(learning_rate=5e-3),
    max_steps=2_000,
    tolerance=1e-3,
    replicates=256,
    seed=0,
)
