"""The pass of networks with one hidden layer, neuron by neuron."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

from trainability.training.gpu.passes import Batch, NewSums, Pass, Reader, combined
from trainability.training.gpu.sums import HeldSums, Sums
from trainability.training.ops.simd import Index, Value, Variable


class ShallowPass(Pass):
    """A neuron's parameters lie together: its weights, its bias, the weights that it goes out by.

    Wide networks are taken in blocks, in a loop; then hidden values are computed again where
    they are needed again.
    """

    def loss(self, batch: Batch, total: Variable) -> None:
        self._forward(batch, total, keep=False)

    def gradients(self, batch: Batch, total: Variable, new_sums: NewSums) -> None:
        plan = self.plan
        deltas, kept = self._forward(batch, total, keep=not plan.looped)
        self.warp.fence()
        rest = plan.sizes[1] * plan.per_neuron
        if plan.looped:
            n_blocks, n_rest = divmod(plan.sizes[1], plan.block)
            per_block = plan.block * plan.per_neuron
            with self.code.loop(n_blocks) as index:
                sums = new_sums(index * (per_block // plan.lanes))
                reader = Reader(self.warp, index * per_block)
                for j in range(plan.block):
                    self._neuron_back(j, reader, batch, deltas, None, sums)
            first = n_blocks * per_block
            sums = new_sums(first // plan.lanes)
            reader = Reader(self.warp, first)
            for j in range(n_rest):
                self._neuron_back(j, reader, batch, deltas, None, sums)
        else:
            sums, reader = new_sums(0), Reader(self.warp)
            for j in range(plan.sizes[1]):
                self._neuron_back(j, reader, batch, deltas, kept[j], sums)
        for row in deltas:
            sums.totals(row)
        sums.fill()
        assert rest is not None

    def _forward(
        self, batch: Batch, total: Variable, keep: bool
    ) -> tuple[list[list[Value]], list[list[Value]]]:
        plan = self.plan
        first = plan.sizes[1] * plan.per_neuron
        biases = Reader(self.warp, first - first % 4)
        outputs = [[biases[first % 4 + o]] * plan.points for o in range(plan.sizes[-1])]
        kept = []
        if plan.looped:
            places = [[self.code.variable(value) for value in row] for row in outputs]
            n_blocks, n_rest = divmod(plan.sizes[1], plan.block)
            per_block = plan.block * plan.per_neuron
            for count, loop in self._blocks(n_blocks, n_rest):
                with loop as index:
                    outputs = [[place.get() for place in row] for row in places]
                    reader = Reader(self.warp, index * per_block)
                    for j in range(count):
                        outputs, _ = self._neuron(j, reader, batch, outputs)
                    for row, values in zip(places, outputs, strict=True):
                        for place, value in zip(row, values, strict=True):
                            place.set(value)
            outputs = [[place.get() for place in row] for row in places]
        else:
            reader = Reader(self.warp)
            for j in range(plan.sizes[1]):
                outputs, values = self._neuron(j, reader, batch, outputs)
                if keep:
                    kept.append(values)
        return self.deltas(outputs, batch, total), kept

    def _blocks(self, n: int, rest: int) -> Iterator[tuple[int, AbstractContextManager[Index]]]:
        yield self.plan.block, self.code.loop(n)
        if rest:
            yield rest, nullcontext(n)

    def _neuron(
        self, j: int, reader: Reader, batch: Batch, outputs: list[list[Value]]
    ) -> tuple[list[list[Value]], list[Value]]:
        """The outputs with what neuron j adds, and what is kept of it."""
        z, h = self._values(j, reader, batch)
        out = j * self.plan.per_neuron + self.plan.sizes[0] + 1
        outputs = [
            [reader[out + o].fma(value, so_far) for value, so_far in zip(h, row, strict=True)]
            for o, row in enumerate(outputs)
        ]
        return outputs, self.kept(z, h)

    def _values(self, j: int, reader: Reader, batch: Batch) -> tuple[list[Value], list[Value]]:
        d_in, first = self.plan.sizes[0], j * self.plan.per_neuron
        weights = [reader[first + i] for i in range(d_in)]
        z = combined(weights, batch.x, reader[first + d_in])
        return z, self.activated(z)

    def _neuron_back(
        self,
        j: int,
        reader: Reader,
        batch: Batch,
        deltas: list[list[Value]],
        kept: list[Value] | None,
        sums: Sums | HeldSums,
    ) -> None:
        if kept is None:
            z, h = self._values(j, reader, batch)
            kept = self.kept(z, h)
        else:
            h = self.outputs_of(kept)
        out = j * self.plan.per_neuron + self.plan.sizes[0] + 1
        back = [reader[out] * delta for delta in deltas[0]]
        for o, row in enumerate(deltas[1:], 1):
            back = [
                reader[out + o].fma(delta, so_far) for delta, so_far in zip(row, back, strict=True)
            ]
        own = self.backward(back, kept)
        for row in batch.x:
            sums.products(own, row)
        sums.totals(own)
        for row in deltas:
            sums.products(row, h)
