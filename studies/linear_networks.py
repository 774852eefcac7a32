"""Does descent bring linear networks with a layer of one neuron to the best rank-one fit?

Eftekhari (2020) shows that from almost every balanced start, on whitened data, gradient flow of a
linear network with a layer of one neuron ends at the best fit of rank one. Here starts are those
of Glorot, which are not balanced, descent has steps, and biases are trained too: on data of mean
zero the best ones are 0.
"""

import numpy as np

from trainability import SGD, Study
from trainability.activations import Identity
from trainability.domains import Points
from trainability.schemes import Glorot
from trainability.study import Published
from trainability.tasks import Function

SINGULAR = np.array([2.0, 1.0, 0.5, 0.25])
"""Singular values of the map that is learned."""
BEST = float(np.sum(SINGULAR[1:] ** 2)) / len(SINGULAR)
"""Mean squared error of its best rank-one fit."""


def whitened():
    """Eight points in four dimensions with mean 0 and the identity as second moment."""
    signs = np.array([[1.0]])
    for _ in range(3):
        signs = np.block([[signs, signs], [signs, -signs]])
    return signs[:, [1, 2, 4, 7]]


STUDY = Study(
    name="linear_networks",
    question="How often does gradient descent bring a linear network with a layer of one neuron "
    "to the best rank-one fit, whatever its layers?",
    axes={"width": [(1,), (4, 1), (4, 1, 4), (4, 4, 1, 4, 4)]},
    task=Function("diagonal", lambda x: x * SINGULAR, Points(whitened()), n_train=8),
    scheme=Glorot(),
    activation=Identity(),
    optimizer=SGD(learning_rate=0.02),
    max_steps=5_000,
    tolerance=1.001 * BEST,
    replicates=1024,
    seed=0,
    published=[
        Published(
            source="the equations of Eftekhari (2020), checked by descent with 3 layers",
            quantity="success",
            value=119 / 120,
            n=120,
            where={"width": (4, 1)},
            differs="balanced starts, no biases, another map",
        )
    ],
)
