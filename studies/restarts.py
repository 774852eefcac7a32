"""How many deep narrow networks must be drawn for one of them to be trained?

Cheridito, Jentzen & Rossmannek (2020, arXiv 2006.07075) show that the best of K random starts
fails unless K grows exponentially with the depth. At width 2 without biases theory has the exact
probability that a network is constant at birth, and so the number that must be drawn for one that
is not; to succeed takes more.
"""

import math

from trainability import Adam, Study
from trainability.schemes import He
from trainability.study import Published
from trainability.tasks import AbsoluteValue

DEPTHS = [2, 3, 4, 6, 8, 10, 20]


def bound(depth):
    """The least number of networks by the paper: all N = 2 neurons of the first layer are alive,
    and every further layer is constant with probability 2^-(N(N+1)) or more."""
    lives = (1 - 2**-6) ** (depth - 2)
    return 1 if lives == 1 else math.ceil(math.log(0.1) / math.log(1 - lives))


STUDY = Study(
    name="restarts",
    question="How many networks of width 2 must be trained, for a chance of 90 % that one learns "
    "|x|, as their depth grows?",
    quantity="restarts",
    axes={"depth": DEPTHS},
    task=AbsoluteValue(n_train=100),
    scheme=He(),
    width=2,
    optimizer=Adam(learning_rate=5e-3),
    max_steps=5_000,
    tolerance=1e-3,
    replicates=2_048,
    seed=0,
    published=[
        Published(
            source="theory: exact probability to be born dead at width 2",
            quantity="restarts_alive",
            value=value,
            where={"depth": depth},
        )
        for depth, value in ((10, 18), (20, 340))
    ]
    + [
        Published(
            source="Cheridito, Jentzen & Rossmannek (2020), the bound",
            quantity="restarts_alive",
            value=bound(depth),
            relation=">=",
            where={"depth": depth},
        )
        for depth in DEPTHS
    ],
)
