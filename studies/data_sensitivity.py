"""Does the output of a deep network still vary with its data, and does sign flipping help?

Rister & Rubin (2020, arXiv 2007.06192; first called "Probabilistic bounds on data sensitivity in
deep rectifier networks") show that the variance of the output over the data, as a share of its
mean square, tends to 0 with the depth, whatever the width; and that sign flipping keeps at least
2^-k of the points alive after k layers. All of it is measured at birth: nothing is trained for more
than a step.

Here that share falls to 0 with the networks that die, and hardly in those that live: of sign
flipped ones of depth 31 it is .53, .43 and .28 at width 2, 8 and 32. What remains is not the
lengths of the points: scaled to length 1 they give .46 and .34 at width 2 and 8 (256 networks each,
measured beside this study).
"""

from trainability import Adam, Study
from trainability.schemes import He, SignFlipped
from trainability.study import Published
from trainability.tasks import TwoMoons

DEPTHS = [2, 6, 11, 31]


def at_least(depth):
    layers = depth - 1
    return Published(
        source="Rister & Rubin (2020), sign flipping",
        quantity="living",
        value=2.0**-layers,
        relation=">=",
        where={"scheme": SignFlipped(He()), "depth": depth},
    )


STUDY = Study(
    name="data_sensitivity",
    question="How much of a network's output at birth still varies over the data as the depth "
    "grows, whatever the width, and does sign flipping keep it alive?",
    quantity="variance",
    axes={"depth": DEPTHS, "scheme": [He(), SignFlipped(He())], "width": [2, 8, 32]},
    task=TwoMoons(n_train=32),
    optimizer=Adam(learning_rate=1e-3),
    max_steps=1,
    tolerance=1e-3,
    replicates=512,
    seed=0,
    published=[at_least(depth) for depth in DEPTHS],
)
