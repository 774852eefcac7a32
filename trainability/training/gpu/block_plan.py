"""What a block's kernel is specialized for, and where it keeps what."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np

from trainability.training.gpu.specialized import Specialized

POINTS = 128
"""Points of a pass."""

ROW = POINTS + 4
"""From one row of points to the next: rows start in different banks of shared memory."""

_TILED = 8


@dataclass(frozen=True)
class BlockPlan(Specialized):
    """What a kernel for networks of one block each is specialized for.

    Args:
        single_pass: Whether one pass covers all points.
        threads: Threads of the block, a multiple of 32, at least `POINTS`.
    """

    single_pass: bool
    threads: int

    @cached_property
    def layers(self) -> list[BlockLayer]:
        fans = list(pairwise(self.sizes))
        starts = [0, *accumulate(fan_in * out + out for fan_in, out in fans)]
        layers, first = [], 0
        for number, (fan_in, fan_out) in enumerate(fans):
            layer = BlockLayer(number, fan_in, fan_out, starts[number], first)
            first = layer.end
            layers.append(layer)
        return layers

    @cached_property
    def rows(self) -> dict[str, int]:
        """Where the rows of points begin: x, y, scales, values of each layer, what is kept."""
        first, places = self.layers[-1].end, {}
        wanted = [("x", self.sizes[0]), ("y", self.sizes[-1]), ("scales", 1)]
        wanted += [(f"h{number}", _four(width)) for number, width in enumerate(self.sizes[1:-1], 1)]
        wanted.append((f"h{len(self.sizes) - 1}", self.sizes[-1]))
        if self.activation.keeps == "input":
            wanted += [
                (f"z{number}", _four(width)) for number, width in enumerate(self.sizes[1:-1], 1)
            ]
        for name, n in wanted:
            places[name] = first
            first += n * ROW
        places["partial"] = first
        return places

    @property
    def n_shared(self) -> int:
        """Floats of shared memory, a multiple of 32."""
        return -(-(self.rows["partial"] + self.threads // 32) // 32) * 32

    @cached_property
    def jobs(self) -> list[Job]:
        """Whose gradients a thread computes: its own, which it also updates."""
        jobs, first = [], 0
        for layer in reversed(self.layers):
            if layer.tiled:
                n_tiles = (_four(layer.fan_in) // 4) * (_four(layer.fan_out) // 4)
                kinds = [("tile", 16, n_tiles, self.threads)]
            else:
                kinds = [("weights", 1, layer.fan_in * layer.fan_out, self.threads // 4)]
            kinds.append(("biases", 1, layer.fan_out, self.threads // 4))
            for kind, size, n, at_once in kinds:
                for done in range(0, n, at_once):
                    jobs.append(Job(kind, layer, done, n, first, size))
                    first += size
        return jobs

    @property
    def n_gradients(self) -> int:
        """Parameters that a thread owns."""
        return sum(job.size for job in self.jobs)

    @property
    def n_own(self) -> int:
        """Numbers that a thread keeps: gradients, moments and its share of the loss."""
        return self.n_gradients * (1 + self.optimizer.n_moments) + 1

    @property
    def order(self) -> np.ndarray:
        """Which parameter lies at each place of a network's state."""
        return np.arange(self.n_parameters)

    @property
    def block_networks(self) -> int:
        """Networks of a block."""
        return 1

    @property
    def networks(self) -> int:
        """Networks that wait for each other."""
        return 1

    @property
    def pass_size(self) -> int:
        """Points of a pass."""
        return POINTS

    def in_passes(self, table: np.ndarray) -> np.ndarray:
        """Rows of whole passes, shape (N, features), as the kernel reads them."""
        return table.T

    @property
    def scratch(self) -> int:
        """Floats that a block needs on a CPU."""
        return self.n_shared + self.threads * self.n_own

    @property
    def shared_bytes(self) -> int:
        return 4 * self.n_shared


@dataclass(frozen=True)
class BlockLayer:
    """Sizes of a layer, and where its parameters lie, counted in floats.

    Args:
        number: From 0.
        fan_in, fan_out: Sizes.
        start: Of its weights in the network's row of parameters, W1, b1, W2, b2, ...
        first: In shared memory.
    """

    number: int
    fan_in: int
    fan_out: int
    start: int
    first: int

    @property
    def tiled(self) -> bool:
        """Whether its gradients are computed 4 by 4."""
        return self.fan_in >= _TILED and self.fan_out >= _TILED

    @property
    def columns(self) -> int:
        """Where the weights lie by input: from one input to the next `column_stride`."""
        return self.first

    @property
    def column_stride(self) -> int:
        return _four(self.fan_out) + 4

    @property
    def rows(self) -> int:
        """Where they lie by output: from one output to the next `row_stride`; not of the first."""
        return self.columns + self.fan_in * self.column_stride

    @property
    def row_stride(self) -> int:
        return _four(self.fan_in) + 4

    @property
    def biases(self) -> int:
        return self.rows + (self.fan_out * self.row_stride if self.number else 0)

    @property
    def end(self) -> int:
        return self.biases + _four(self.fan_out)


@dataclass(frozen=True)
class Job:
    """Parameters that each thread of a round owns.

    Args:
        kind: "tile": 4 by 4 weights; "weights", "biases": one, shared by four threads.
        layer: Of which layer.
        done: Tiles or parameters that earlier rounds own.
        n: How many there are.
        first: Number of the thread's first gradient.
        size: Gradients of a thread.
    """

    kind: str
    layer: BlockLayer
    done: int
    n: int
    first: int
    size: int


def _four(n: int) -> int:
    """n rounded up to a multiple of four."""
    return n + -n % 4
