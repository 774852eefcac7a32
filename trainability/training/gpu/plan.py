"""What a warp's kernel is specialized for, and in which order it keeps parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from math import gcd

import numpy as np

from trainability.training.gpu.memory import Memory
from trainability.training.gpu.specialized import Specialized


@dataclass(frozen=True)
class WarpPlan(Specialized):
    """What a kernel is specialized for.

    Args:
        lanes: Lanes per network, a power of two <= 32.
        points: Points per lane and pass: 1, 2 or 4.
        single_pass: Whether one pass covers the points of a step.
        looped: Whether loops over neurons (one hidden layer) or over hidden layers of one width
            (more) are loops; else they are written out.
        stored: Whether a lane stores the hidden values of the forward pass in shared memory;
            else they stay in registers or, with one hidden layer, are computed again.
        held: Whether gradients are added up in registers from pass to pass, and over the lanes
            only once; not with `looped`.
        warps: Warps of a block.
        registers: The most registers that a thread may have, or None for as many as it wants.
    """

    lanes: int
    points: int
    single_pass: bool
    looped: bool
    stored: bool
    held: bool
    warps: int
    registers: int | None = None

    @property
    def shallow(self) -> bool:
        """One hidden layer: then a neuron's parameters lie together."""
        return len(self.sizes) == 3

    @property
    def per_neuron(self) -> int:
        """Parameters of a hidden neuron of a shallow network: fan-in, bias, fan-out."""
        return self.sizes[0] + 1 + self.sizes[-1]

    @property
    def block(self) -> int:
        """Neurons per round of the loop over neurons: their gradients fill whole chunks."""
        whole = self.lanes // gcd(self.lanes, self.per_neuron)
        return whole * max(1, 8 // whole)

    @cached_property
    def layers(self) -> list[PlacedLayer]:
        """Where the rows of each layer lie in the order of the backward pass."""
        layers, first = [], 0
        for fan_in, fan_out in reversed(list(pairwise(self.sizes))):
            layers.insert(0, PlacedLayer(fan_in, fan_out, first))
            first += fan_out * (fan_in + 1)
            if self.looped:
                first += -first % self.lanes
        return layers

    @cached_property
    def order(self) -> np.ndarray:
        """Which parameter lies at each place, -1 for none: int64, whole chunks of `lanes`.

        Parameters are counted as W1, b1, W2, b2, ...
        """
        fans = list(pairwise(self.sizes))
        starts = [0, *accumulate(fan_in * out + out for fan_in, out in fans)]
        places = []

        def row(index: int, j: int) -> list[int]:
            fan_in, out = fans[index]
            weights = starts[index] + j * fan_in
            return [*range(weights, weights + fan_in), starts[index] + fan_in * out + j]

        if self.shallow:
            width, d_out = self.sizes[1:]
            for j in range(width):
                places += row(0, j) + [row(1, o)[j] for o in range(d_out)]
            places += [row(1, o)[-1] for o in range(d_out)]
        else:
            for index in reversed(range(len(fans))):
                places += [-1] * (self.layers[index].first - len(places))
                for j in range(fans[index][1]):
                    places += row(index, j)
        places += [-1] * (-len(places) % self.lanes)
        return np.array(places)

    @cached_property
    def weights(self) -> np.ndarray:
        """Whether a weight lies at each place, bool, in the shape of `order`."""
        flags = np.concatenate(
            [np.repeat([True, False], [fan_in * out, out]) for fan_in, out in pairwise(self.sizes)]
        )
        return np.where(self.order >= 0, flags[self.order], False)

    @property
    def chunks(self) -> int:
        """Parameters that a lane owns."""
        return len(self.order) // self.lanes

    @property
    def stored_chunks(self) -> int:
        """Chunks of gradients that pass through shared memory: where loops compute them."""
        return self.chunks if self.looped else 0

    @property
    def stored_values(self) -> int:
        """Hidden values that a lane stores for each of its points."""
        return sum(self.sizes[1:-1]) if self.stored else 0

    @property
    def memory(self) -> Memory:
        own = self.stored_values * self.points + self.stored_chunks
        return Memory(self.lanes, len(self.order), own)

    @property
    def networks(self) -> int:
        """Networks of a warp."""
        return 32 // self.lanes

    @property
    def block_networks(self) -> int:
        """Networks of a block."""
        return self.networks * self.warps

    @property
    def threads(self) -> int:
        """Threads of a block."""
        return 32 * self.warps

    @property
    def pass_size(self) -> int:
        """Points of a pass."""
        return self.points * self.lanes

    def in_passes(self, table: np.ndarray) -> np.ndarray:
        """Rows of whole passes, shape (N, features), as the kernel reads them."""
        shape = (-1, self.points, self.lanes, table.shape[1])
        return table.reshape(shape).transpose(0, 3, 1, 2)

    @property
    def scratch(self) -> int:
        """Floats that a warp needs on a CPU."""
        return 32 * self.memory.places

    @property
    def shared_bytes(self) -> int:
        """Shared memory of a block."""
        return 4 * self.warps * self.memory.size


@dataclass(frozen=True)
class PlacedLayer:
    """Sizes of a layer, and where its first row lies."""

    fan_in: int
    fan_out: int
    first: int
