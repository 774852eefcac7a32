"""Copies that share what is no parameter and no buffer are not stacked, however small it shows."""

from __future__ import annotations

import itertools
import logging
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from trainability.errors import InputError
from trainability.modules.blueprint import draw_up
from trainability.modules.hidden_state import KEPT, SEEN
from trainability.tasks import AbsoluteValue

CALLS: list[int] = []


class Plain(nn.Module):
    """Outputs of some size, which may be that of rounding beside 1."""

    def __init__(self, size: float = 1.0) -> None:
        super().__init__()
        self.first, self.last, self.size = nn.Linear(1, 4), nn.Linear(4, 1), size
        self.prepare()

    def prepare(self) -> None:
        """Attributes."""

    def between(self, h: Tensor) -> Tensor:
        return h

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.tanh(self.between(self.first(x)))) * self.size


class First(Plain):
    """A flag that changes once."""

    def prepare(self) -> None:
        self.first_call = True

    def between(self, h: Tensor) -> Tensor:
        if self.first_call:
            self.first_call = False
            return 2 * h
        return h


class FirstInTraining(First):
    def between(self, h: Tensor) -> Tensor:
        return super().between(h) if self.training else h


class Calibrated(Plain):
    """Statistics of the first copy, which all others take: a tensor that is no buffer."""

    def prepare(self) -> None:
        self.scale: Tensor | None = None

    def between(self, h: Tensor) -> Tensor:
        if self.scale is None:
            self.scale = h.detach().abs().mean()
        return h / self.scale


class Counter(Plain):
    """Tells at its thousandth call, long after anyone looks."""

    def prepare(self) -> None:
        self.n_calls = 0

    def between(self, h: Tensor) -> Tensor:
        self.n_calls += 1
        return h if self.n_calls < 1000 else -h


class TensorCounter(Counter):
    def prepare(self) -> None:
        self.n_calls = torch.zeros(())  # pyright: ignore


class InPlaceCounter(TensorCounter):
    def between(self, h: Tensor) -> Tensor:
        self.n_calls.add_(1)  # pyright: ignore
        return h


class ArrayCounter(Counter):
    def prepare(self) -> None:
        self.n_calls = np.zeros(1)  # pyright: ignore


class IteratorCounter(Plain):
    def prepare(self) -> None:
        self.n_calls = itertools.count()

    def between(self, h: Tensor) -> Tensor:
        return h if next(self.n_calls) < 1000 else -h


class ClassCounter(Plain):
    n_calls = 0

    def between(self, h: Tensor) -> Tensor:
        type(self).n_calls += 1
        return h


class Holder:
    n_calls = 0


class ObjectCounter(Plain):
    def prepare(self) -> None:
        self.holder = Holder()

    def between(self, h: Tensor) -> Tensor:
        self.holder.n_calls += 1
        return h


class Cache(Plain):
    """A list that grows."""

    def prepare(self) -> None:
        self.cache: list[int] = []

    def between(self, h: Tensor) -> Tensor:
        self.cache.append(len(self.cache))
        return h


class Global(Plain):
    """What all modules share."""

    def between(self, h: Tensor) -> Tensor:
        CALLS.append(1)
        return h


class OwnChance(Plain):
    """A generator of its own."""

    def prepare(self) -> None:
        self.chance = np.random.default_rng(0)

    def between(self, h: Tensor) -> Tensor:
        return h + float(self.chance.standard_normal())


class ZeroAtBirth(Calibrated):
    """Hides all behind a last layer of zeros."""

    def prepare(self) -> None:
        super().prepare()
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)


class LazyTable(Plain):
    """Made once, of what all copies have in common, and what the last run was, for looking at."""

    def prepare(self) -> None:
        self.table: dict[int, Tensor] = {}
        self.seen: Tensor | None = None

    def between(self, h: Tensor) -> Tensor:
        if h.shape[1] not in self.table:
            self.table[h.shape[1]] = torch.linspace(0, 1, h.shape[1])
        self.seen = h.detach()
        return h + self.table[h.shape[1]]


LOG = logging.getLogger("users.network")


class Logging(Plain):
    """Whose logger holds all loggers, each of which holds all of them."""

    def prepare(self) -> None:
        self.log = LOG

    def between(self, h: Tensor) -> Tensor:
        LOG.debug("between")
        self.log.debug("the layers")
        return h


class Knotted(Plain):
    """Objects that hold each other, many ways deep."""

    def prepare(self) -> None:
        self.knots = [SimpleNamespace() for _ in range(40)]
        for knot in self.knots:
            knot.others = self.knots


class TorchChance(Plain):
    def between(self, h: Tensor) -> Tensor:
        return h + torch.randn_like(h)


class Stacked(Plain):
    """Gives out other numbers where copies are stacked, whatever was run before."""

    def between(self, h: Tensor) -> Tensor:
        return 2 * h if torch._C._functorch.is_batchedtensor(h) else h


class LazyParameters(Plain):
    def prepare(self) -> None:
        self.made = nn.ParameterDict()

    def between(self, h: Tensor) -> Tensor:
        if "scale" not in self.made:
            self.made["scale"] = nn.Parameter(torch.ones(4))
        return h * self.made["scale"]


def reason_of(build: Any) -> str:
    return draw_up(build, AbsoluteValue(n_train=8)).not_stacked


@pytest.mark.parametrize("kind", [Logging, Knotted])
def test_objects_that_hold_each_other_are_looked_into_once(kind):
    for number in range(200):
        logging.getLogger(f"users.others.{number}")
    assert reason_of(kind) == ""


@pytest.mark.parametrize("size", [1.0, 1e-7, 1e-30])
@pytest.mark.parametrize(
    "kind", [First, FirstInTraining, Calibrated, OwnChance, ZeroAtBirth], ids=lambda k: k.__name__
)
def test_what_a_copy_leaves_to_the_next_is_found_at_any_size(kind, size):
    assert reason_of(lambda: kind(size)) not in ("", KEPT)


@pytest.mark.parametrize(
    "kind",
    [Counter, TensorCounter, InPlaceCounter, ArrayCounter, IteratorCounter, ClassCounter,
     ObjectCounter, Cache, Global],
    ids=lambda kind: kind.__name__,
)  # fmt: skip
def test_what_counts_or_collects_is_found_before_it_shows(kind):
    assert reason_of(kind) == KEPT


def test_what_a_function_around_the_class_holds_is_found():
    collected = []

    class Around(Plain):
        def between(self, h: Tensor) -> Tensor:
            collected.append(0)
            return h

    assert reason_of(Around) == KEPT


@pytest.mark.parametrize("size", [1.0, 1e-7, 0.0])
@pytest.mark.parametrize("kind", [Plain, LazyTable], ids=lambda kind: kind.__name__)
def test_what_copies_have_in_common_is_no_reason(kind, size):
    assert reason_of(lambda: kind(size)) == ""


@pytest.mark.parametrize("size", [1.0, 1e-7, 1e-30])
def test_outputs_are_compared_by_their_own_size(size):
    assert "torch.vmap gives other outputs" in reason_of(lambda: Stacked(size))


def test_chance_of_torch_is_run_copy_by_copy():
    assert "torch.vmap can't run it" in reason_of(TorchChance)


def test_parameters_that_nothing_would_train_are_refused():
    with pytest.raises(InputError, match=r"makes parameters while it runs.*made\.scale.*__init__"):
        reason_of(LazyParameters)


def test_a_flag_that_was_used_up_before_is_found():
    """The module was run once already: to see what it gives out."""
    assert reason_of(First) == SEEN
