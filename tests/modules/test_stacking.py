"""Which copies can be run at once: rounding is told from copies that are mixed up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from trainability.modules.blueprint import draw_up
from trainability.tasks import AbsoluteValue

OTHER = "torch.vmap gives other outputs than one copy after the other"
CALLS = [0]


class Deep(nn.Module):
    """Batch normalizations upon each other, which amplify rounding layer by layer."""

    def __init__(self, n_layers: int, width: int = 4) -> None:
        super().__init__()
        self.first = nn.Linear(1, width)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU())
            for _ in range(n_layers)
        )
        self.last = nn.Linear(width, 1)
        self.n_calls, self.seen = 0, torch.zeros(())

    def between(self, h: Tensor) -> Tensor:
        return h

    def forward(self, x: Tensor) -> Tensor:
        h = self.between(self.first(x))
        for layer in self.layers:
            h = layer(h)
        return self.last(h)


class OwnNumbers(Deep):
    """Makes numbers of its own, in float32."""

    def between(self, h: Tensor) -> Tensor:
        return (h.float() @ torch.eye(4)) * torch.ones(4, dtype=torch.float32)


class Counts(Deep):
    """Copies give other outputs the later they come."""

    def between(self, h: Tensor) -> Tensor:
        self.n_calls += 1
        return h * self.n_calls


class Remembers(Deep):
    """A copy sees what the one before it made."""

    def between(self, h: Tensor) -> Tensor:
        before, self.seen = self.seen, h.detach().abs().mean()
        return h + before


class Writes(Deep):
    """The same, by writing into numbers of its own."""

    def __init__(self, n_layers: int) -> None:
        super().__init__(n_layers)
        self.seen, self.array = torch.zeros(1), np.zeros(1, np.float32)

    def between(self, h: Tensor) -> Tensor:
        self.write()
        return h + self.seen

    def write(self) -> None:
        self.seen.add_(1)


class WritesByIndex(Writes):
    def write(self) -> None:
        self.seen[0] = self.seen[0] + 1


class WritesOut(Writes):
    def write(self) -> None:
        torch.add(self.seen, 1, out=self.seen)


class WritesByOperator(Writes):
    def write(self) -> None:
        seen = self.seen
        seen += 1


class WritesView(Writes):
    def write(self) -> None:
        self.seen.view(-1).add_(1)


class WritesData(Writes):
    def write(self) -> None:
        self.seen.data.add_(1)


class WritesOption(Writes):
    """By an option, which is no name with an underscore."""

    def __init__(self, n_layers: int) -> None:
        super().__init__(n_layers)
        self.seen = -torch.ones(1)

    def write(self) -> None:
        functional.leaky_relu(self.seen, 1.5, inplace=True)


class WritesArray(Writes):
    """Into memory of NumPy's."""

    def between(self, h: Tensor) -> Tensor:
        seen = torch.from_numpy(self.array)
        seen.add_(1)
        return h + seen


WRITES = [
    Writes, WritesByIndex, WritesOut, WritesByOperator, WritesView, WritesData, WritesOption,
    WritesArray,
]  # fmt: skip


class InPlace(Deep):
    """Writes into nothing but what it has made for itself."""

    def __init__(self, n_layers: int) -> None:
        super().__init__(n_layers)
        for layer in self.layers:
            layer[2] = nn.ReLU(inplace=True)
        self.scale = torch.ones(4)

    def between(self, h: Tensor) -> Tensor:
        h = h * self.scale
        h.mul_(2)
        h += torch.ones(4).mul_(3)
        h[:, 0] = h[:, 0] * 2
        return functional.relu(h, inplace=True)


class Small(Deep):
    """Outputs around a thousandth, and a constant that all copies share."""

    def __init__(self, n_layers: int) -> None:
        super().__init__(n_layers)
        self.register_buffer("scale", torch.tensor([1e-3, 0.0]))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * self.scale[0]


class Chaos(nn.Module):
    """Doubles what moves a number, step by step, on any machine; stacked the last digit moves.

    The map x -> 4 x (1 - x), element by element, is rounded alike stacked or not.
    """

    def __init__(self, n_steps: int, size: float) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(1, 4), nn.Linear(4, 1)
        self.n_steps, self.size = n_steps, size

    def forward(self, x: Tensor) -> Tensor:
        h = torch.sigmoid(self.first(x))
        if torch._C._functorch.is_batchedtensor(h):
            h = h * (1 - torch.finfo(h.dtype).eps)
        for _ in range(self.n_steps):
            h = 4 * h * (1 - h)
        return self.last(h) * self.size


class Global(Deep):
    """The same, by what all modules share."""

    def between(self, h: Tensor) -> Tensor:
        CALLS[0] += 1
        return h + CALLS[0] % 2


class Noise(Deep):
    """Chance that is not torch's."""

    def between(self, h: Tensor) -> Tensor:
        return h + float(np.random.default_rng().standard_normal())


class Decides(Deep):
    """Control flow that depends on the data."""

    def between(self, h: Tensor) -> Tensor:
        return h if h.sum() > 0 else -h


def not_stacked(kind: type[Deep], n_layers: int) -> str:
    return draw_up(lambda: kind(n_layers), AbsoluteValue(n_train=8)).not_stacked


@pytest.mark.parametrize("n_layers", [1, 30, 60, 120])
def test_rounding_that_normalizations_amplify_is_no_reason(n_layers):
    assert not_stacked(Deep, n_layers) == ""


@pytest.mark.parametrize("size", [1.0, 1e-3])
@pytest.mark.parametrize(("n_steps", "is_told_apart"), [(1, True), (18, True), (120, False)])
def test_where_rounding_is_as_large_as_the_outputs_copies_are_not_stacked(
    n_steps, is_told_apart, size
):
    """18 steps make a last digit of float32 a hundredth, and one of float64 nothing; 120 both."""
    reason = draw_up(lambda: Chaos(n_steps, size), AbsoluteValue(n_train=8)).not_stacked
    assert reason == "" if is_told_apart else OTHER in reason


@pytest.mark.parametrize("kind", [OwnNumbers, InPlace, Small])
def test_a_module_may_make_numbers_of_its_own(kind):
    assert not_stacked(kind, 60) == ""


@pytest.mark.parametrize("n_layers", [1, 60])
@pytest.mark.parametrize("kind", [Counts, Remembers, *WRITES, Global, Noise, Decides])
def test_copies_that_are_mixed_up_are_found_however_deep(kind, n_layers):
    reason = not_stacked(kind, n_layers)
    assert OTHER in reason or "torch.vmap can't run it" in reason
    assert (kind is Decides) <= ("can't run it" in reason)
