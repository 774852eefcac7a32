"""How wide must a network be to learn |x|, and does the initialization matter?

Written to be changed: every value below is one that you may choose.

    what would run, and what it costs             trainability run my_study --dry-run
    train what is missing, and write the report   trainability run my_study
    what there is to choose from                  trainability schemes; likewise tasks, networks,
                                                  activations, losses, penalties, optimizers
"""

from trainability import Adam, Study
from trainability.schemes import DataDependent, He
from trainability.tasks import AbsoluteValue

# A scheme of your own is a class in this file: see help(trainability.schemes.Scheme).

STUDY = Study(
    # Names the folder on storage.
    name="my_study",
    # Heads the report.
    question="Does a data-dependent initialization need less width to learn |x|?",
    # What is learned: AbsoluteValue, TwoMoons, Table(dataset="diabetes"), your own Function, ...
    task=AbsoluteValue(n_train=100),
    # The grid is the product of these. What does not vary stands below as one value; also depth,
    # activation, loss, penalty, optimizer, batch_size and task can vary.
    axes={
        "scheme": [He(bias_std=1.0), DataDependent()],
        "width": [2, 4, 8],
    },
    # Affine layers: 2 is a network with one hidden layer.
    depth=2,
    optimizer=Adam(learning_rate=5e-3),
    # A network has succeeded once its training loss is at most the tolerance, and failed if that
    # has not happened after max_steps updates.
    max_steps=2_000,
    tolerance=1e-3,
    # Networks per cell of the grid, in blocks of 256; `run --replicates 1024` adds more later.
    replicates=256,
    # The same seed gives the same networks, on any machine.
    seed=0,
)
