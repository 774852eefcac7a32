"""The pass of networks with several hidden layers, layer by layer."""

from __future__ import annotations

from trainability.training.gpu.passes import Batch, NewSums, Pass, Reader, combined
from trainability.training.gpu.plan import PlacedLayer
from trainability.training.gpu.sums import HeldSums, Sums
from trainability.training.ops.simd import Index, Value, Variable

Rows = list[list[Value]]


class DeepPass(Pass):
    """A neuron's row is its weights and its bias; rows lie in the order of the backward pass.

    With `looped`, the hidden layers after the first, of one width, are rounds of a loop.
    """

    def loss(self, batch: Batch, total: Variable) -> None:
        self._forward(batch, total)

    def gradients(self, batch: Batch, total: Variable, new_sums: NewSums) -> None:
        plan = self.plan
        deltas, kept = self._forward(batch, total)
        self.warp.fence()
        layers = plan.layers
        sums = new_sums(0)
        deltas = self._layer_back(layers[-1], deltas, self._kept(kept, len(layers) - 2), sums)
        if plan.looped:
            sums.fill()
            places = [[self.code.variable(value) for value in row] for row in deltas]
            n_loops = len(layers) - 2
            per_layer = layers[1].first - layers[2].first if n_loops > 1 else 0
            with self.code.loop(n_loops) as index:
                first = index * per_layer + layers[-2].first
                sums = new_sums(first // plan.lanes)
                at = PlacedLayer(layers[-2].fan_in, layers[-2].fan_out, 0)
                deltas = [[place.get() for place in row] for row in places]
                below = self._stored(at.fan_in, (index * -1 + (n_loops - 1)) * at.fan_in)
                deltas = self._layer_back(at, deltas, below, sums, first)
                sums.fill()
                for row, values in zip(places, deltas, strict=True):
                    for place, value in zip(row, values, strict=True):
                        place.set(value)
            deltas = [[place.get() for place in row] for row in places]
            sums = new_sums(layers[0].first // plan.lanes)
        else:
            for number in reversed(range(1, len(layers) - 1)):
                deltas = self._layer_back(
                    layers[number], deltas, self._kept(kept, number - 1), sums
                )
        for row in deltas:
            for inputs in batch.x:
                sums.products(row, inputs)
            sums.totals(row)
        sums.fill()

    def _forward(self, batch: Batch, total: Variable) -> tuple[Rows, list[Rows]]:
        plan = self.plan
        layers = plan.layers
        kept: list[Rows] = []
        values = self._hidden(layers[0], batch.x, 0, kept)
        if plan.looped:
            places = [[self.code.variable(value) for value in row] for row in values]
            n_loops = len(layers) - 2
            per_layer = layers[1].first - layers[2].first if n_loops > 1 else 0
            with self.code.loop(n_loops) as index:
                at = PlacedLayer(layers[1].fan_in, layers[1].fan_out, 0)
                first = index * -per_layer + layers[1].first
                values = [[place.get() for place in row] for row in places]
                place = (index + 1) * at.fan_out
                values = self._hidden(at, values, place, kept, first)
                for row, new in zip(places, values, strict=True):
                    for place, value in zip(row, new, strict=True):
                        place.set(value)
            values = [[place.get() for place in row] for row in places]
        else:
            place = layers[0].fan_out
            for layer in layers[1:-1]:
                values = self._hidden(layer, values, place, kept)
                place += layer.fan_out
        last = layers[-1]
        outputs = self._sums(last, values, Reader(self.warp))
        return self.deltas(outputs, batch, total), kept

    def _sums(self, layer: PlacedLayer, inputs: Rows, reader: Reader) -> Rows:
        rows = []
        for j in range(layer.fan_out):
            first = layer.first + j * (layer.fan_in + 1)
            weights = [reader[first + i] for i in range(layer.fan_in)]
            rows.append(combined(weights, inputs, reader[first + layer.fan_in]))
        return rows

    def _hidden(
        self, layer: PlacedLayer, inputs: Rows, place: Index, kept: list[Rows], first: Index = 0
    ) -> Rows:
        """The outputs of a hidden layer; what is needed of it later is stored or kept."""
        rows, values = [], []
        for j, z in enumerate(self._sums(layer, inputs, Reader(self.warp, first))):
            h = self.activated(z)
            values.append(h)
            if self.plan.stored:
                self.warp.store(place + j, self.kept(z, h))
            else:
                rows.append(self.kept(z, h))
        kept.append(rows)
        return values

    def _kept(self, kept: list[Rows], number: int) -> Rows:
        """What was kept of hidden layer `number`."""
        if not self.plan.stored:
            return kept[number]
        return self._stored(self.plan.sizes[number + 1], sum(self.plan.sizes[1 : number + 1]))

    def _stored(self, n: int, place: Index) -> Rows:
        return [self.warp.load(place + j, self.plan.points) for j in range(n)]

    def _layer_back(
        self, layer: PlacedLayer, deltas: Rows, below: Rows, sums: Sums | HeldSums, first: Index = 0
    ) -> Rows:
        """Add a layer's gradients; returns d loss / d pre-activation of the layer below."""
        reader = Reader(self.warp, first)
        inputs = [self.outputs_of(row) for row in below]
        back: list[list[Value]] = []
        for j, row in enumerate(deltas):
            at = layer.first + j * (layer.fan_in + 1)
            for i, values in enumerate(inputs):
                sums.products(row, values)
                weight = reader[at + i]
                if j == 0:
                    back.append([weight * delta for delta in row])
                else:
                    back[i] = [
                        weight.fma(delta, so_far)
                        for delta, so_far in zip(row, back[i], strict=True)
                    ]
            sums.totals(row)
        return [self.backward(row, kept) for row, kept in zip(back, below, strict=True)]
