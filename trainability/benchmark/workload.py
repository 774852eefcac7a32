"""What is benchmarked: shapes of networks, data and optimizers, and how their work is counted."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from trainability import seeds
from trainability.networks import Ensemble, initialize
from trainability.optimizers import SGD, Adam, Optimizer
from trainability.schemes import He
from trainability.training import Problem


@dataclass(frozen=True)
class Workload:
    """Networks of one shape on one data set with one optimizer.

    Args:
        width: Neurons of every hidden layer.
        depth: L, the number of affine layers.
        d_in: Input dimension.
        n_train: Training points.
        optimizer: "adam" or "sgd".
        batch: Points per step; equal to `n_train` for the full batch.
        network: "" for fully connected networks, or one of `NETWORKS`: copies of a module, of
            `width` channels.
    """

    width: int
    depth: int
    d_in: int = 1
    n_train: int = 128
    optimizer: str = "adam"
    batch: int = 128
    network: str = ""

    @property
    def batch_norm(self) -> bool:
        """Whether a module has batch normalization."""
        return self.network == NETWORKS[1]

    @property
    def least_steps(self) -> int:
        """Of a measurement, which takes a multiple of them: an epoch, or a chunk of a peer's."""
        return self.n_train // self.batch if self.network else 20

    @property
    def sizes(self) -> tuple[int, ...]:
        return (self.d_in, *[self.width] * (self.depth - 1), 1)

    @property
    def label(self) -> str:
        """The work in words."""
        batch = "" if self.batch == self.n_train else f", batches of {self.batch}"
        if self.network:
            return (
                f"{N_COPIES} copies of a {self.network}, {self.width} channels, "
                f"{self.n_train:,} digits{batch}, {self.optimizer}"
            )
        return (
            f"depth {self.depth}, width {self.width}, {self.d_in}-D, "
            f"{self.n_train:,} points{batch}, {self.optimizer}"
        )

    @property
    def operations(self) -> float:
        """Floating-point operations of one network's step: 6 per weight and point.

        One multiplication and one addition per weight and point forward, four backward; biases,
        activations and the optimizer are not counted, for any engine. A convolution uses its
        weights at every place.
        """
        if self.network:
            from trainability.benchmark.small_cnn import cell_of

            return 6.0 * self.batch * cell_of(self).blueprint.products
        return 6.0 * self.batch * sum(a * b for a, b in pairwise(self.sizes))

    @property
    def rule(self) -> Optimizer:
        return Adam(learning_rate=1e-3) if self.optimizer == "adam" else SGD(learning_rate=1e-3)

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets that no network fits: nobody retires during the measurement."""
        rng = seeds.stream(0, f"benchmark {self}", "sampling")
        x = rng.uniform(-1, 1, (self.n_train, self.d_in)).astype(np.float32)
        return x, rng.standard_normal((self.n_train, 1)).astype(np.float32)

    def start(self, n_networks: int) -> tuple[Ensemble, Problem]:
        """An ensemble and what it is trained on."""
        x, y = self.data()
        identity = f"benchmark {self}"
        rng = seeds.stream(0, identity, "initialization")
        ensemble = initialize(He(bias_std=0.1), self.sizes, n_networks, rng)
        n_blocks = -(-n_networks // seeds.BLOCK_SIZE)
        keys = np.concatenate([seeds.order_keys(0, identity, block) for block in range(n_blocks)])
        batch = None if self.batch == self.n_train else self.batch
        return ensemble, Problem(x, y, self.rule, 0.0, batch, keys[:n_networks])


NETWORKS = ("small CNN", "small CNN with batch normalization")
N_COPIES = 256
"""Of a module, that are trained side by side."""
SHAPES = [
    *(Workload(width, 2) for width in (2, 8, 32, 128)),
    *(Workload(width, 10) for width in (2, 5, 10)),
    Workload(64, 4),
]
VARIANTS = [
    changed
    for width, depth in ((8, 2), (5, 10))
    for changed in (
        Workload(width, depth, d_in=2),
        Workload(width, depth, n_train=1000, batch=1000),
        Workload(width, depth, optimizer="sgd"),
        Workload(width, depth, batch=16),
    )
]
MODULES = [
    Workload(4, 3, d_in=64, n_train=250, optimizer="sgd", batch=50, network=network)
    for network in NETWORKS
]
QUICK = [Workload(8, 2), Workload(32, 2), Workload(5, 10)]
GPU_SHAPES = [
    Workload(8, 2),
    Workload(5, 10),
    Workload(64, 4),
    Workload(32, 2),
    Workload(2, 2),
    Workload(20, 2),
    Workload(128, 2),
    Workload(2, 10),
    Workload(10, 10),
    Workload(8, 2, d_in=2),
    Workload(8, 2, n_train=1000, batch=1000),
    Workload(8, 2, batch=16),
    *MODULES,
]
