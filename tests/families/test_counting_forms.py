"""However a ReLU is written, and wherever its neurons lie: counted at once, as `inspect` counts."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from example_modules import Normalized, cell_of
from torch import Tensor, nn

from trainability import Module, inspect
from trainability.death import TENTATIVE
from trainability.families import family_of
from trainability.families.copies_of_module import CopiesOfModule
from trainability.modules import counting
from trainability.schemes import He
from trainability.tasks import AbsoluteValue

N = 12


def forms() -> dict[str, Callable[[Tensor], Tensor]]:
    """A ReLU of eight neurons, in many forms."""
    return {
        "LeakyReLU(0)": nn.LeakyReLU(0.0),
        "LeakyReLU(0) in place": nn.LeakyReLU(0.0, inplace=True),
        "threshold": nn.Threshold(0.0, 0.0),
        "hardtanh": nn.Hardtanh(0.0, 2.0),
        "clamp": lambda h: torch.clamp(input=h, min=0),
        "maximum": lambda h: torch.maximum(torch.zeros_like(h), h),
        "where": lambda h: torch.where(h > 0, h, 0.0),
        "mask": lambda h: (h > 0).float() * h,
        "closed mask": lambda h: (h >= 0).to(h.dtype).mul(h),
        "mask in place": lambda h: h.mul_(h > 0),
        "unflattened": lambda h: F.relu(h.unflatten(1, (2, 4))).flatten(1),
        "heads": lambda h: F.relu(h.view(-1, 2, 2, 2).transpose(1, 2)).transpose(1, 2).flatten(1),
        "shuffled": lambda h: F.relu(F.pixel_shuffle(h.view(-1, 8, 1, 1), 2)).flatten(1),
        "zero padded": lambda h: F.relu(F.pad(h, (1, 1)))[:, 1:-1],
        "half": lambda h: torch.cat([F.relu(h[:, :4]), h[:, 4:]], dim=1),
        "twice": lambda h: F.relu(F.relu(h)),
        # These can't be told by the functions that are called.
        "transposed": lambda h: F.relu(h.T).T,
        "flat": lambda h: F.relu(h.flatten()).view(-1, 8),
        "one row": lambda h: F.relu(h.reshape(1, -1)).view(-1, 8),
    }


ONE_BY_ONE = {"transposed", "flat"}


class Written(nn.Module):
    """Two layers of eight neurons, with a ReLU in one of its forms."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(1, 8), nn.Linear(8, 8), nn.Linear(8, 1)
        self.form = form

    def forward(self, x: Tensor) -> Tensor:
        rectified = forms()[self.form]
        return self.last(rectified(self.second(rectified(self.first(x)))))


def families(build: Any, **arguments: Any) -> tuple[CopiesOfModule, Any]:
    cell = cell_of(
        Module(build, **arguments), scheme=He(bias_std=0.5), task=AbsoluteValue(n_train=80)
    )
    family = family_of(cell)
    assert isinstance(family, CopiesOfModule)
    copies = family.draw([0])[:N]
    with torch.no_grad():  # one neuron that is silent and one at the edge, in each layer
        for name, tensor in zip(copies.layout.trained, copies.trained, strict=True):
            if name in ("first.bias", "second.bias"):
                tensor[:, 0] = -50.0
            if name in ("first.weight", "first.bias", "second.weight", "second.bias"):
                tensor[:, 1] = 0.0
    return family, copies


def modules(family: CopiesOfModule, copies: Any) -> list[nn.Module]:
    names = (*copies.layout.trained, *copies.layout.kept)
    loaded = []
    for index in range(copies.n_networks):
        module = copy.deepcopy(family.anatomy.module)
        state = zip(names, (*copies.trained, *copies.kept), strict=True)
        module.load_state_dict({name: tensor[index] for name, tensor in state})
        loaded.append(module)
    return loaded


@pytest.mark.parametrize("form", forms())
def test_every_form_of_a_relu_is_counted_as_inspect_counts_it(form):
    family, copies = families(Written, form=form)
    assert family.anatomy.is_seen == (form not in ONE_BY_ONE)
    census = family.census(copies, at_birth=True)
    x = family.cell.task.data()[0]
    for index, module in enumerate(modules(family, copies)):
        status = inspect(module, x, batch_statistics=True).status
        for ours, theirs in zip(census.status, status.values(), strict=True):
            np.testing.assert_array_equal(ours[index], theirs)
    assert (census.status[0] >= TENTATIVE).any()


class Branching(nn.Module):
    """Copies use layers in another order, or rectify another of them, as their numbers say."""

    def __init__(self, orders: bool) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(1, 4), nn.Linear(4, 1)
        self.one, self.other = nn.Linear(4, 4), nn.Linear(4, 4)
        self.orders = orders

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.first(x))
        turns = bool(h[:, 2:].mean() > 0.5)
        one, other = (self.other, self.one) if turns and self.orders else (self.one, self.other)
        if turns and not self.orders:
            return self.last(F.relu(other(torch.tanh(one(h)))))
        return self.last(torch.tanh(other(F.relu(one(h)))))


@pytest.mark.parametrize("orders", [True, False])
def test_copies_that_take_different_ways_are_looked_at_one_by_one(orders):
    """All call the same functions; what they call them with differs."""
    family, copies = families(Branching, orders=orders)
    assert family.cell.blueprint.not_stacked
    census = family.census(copies, at_birth=True)
    names, ways = family.anatomy.layers, set()
    for index, module in enumerate(modules(family, copies)):
        status = inspect(module, family.cell.task.data()[0], batch_statistics=True).status
        ways.add(tuple(status))
        for name, ours in zip(names, census.status, strict=True):
            np.testing.assert_array_equal(ours[index], status.get(name, np.full(4, TENTATIVE)))
    assert ways == {("first", "one"), ("first", "other")}


class InParts(nn.Module):
    """Calls functions more often, less often, or others, on more points than it was looked at."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(1, 8), nn.Linear(8, 1)
        self.how = how

    def part(self, x: Tensor) -> Tensor:
        return self.last(F.relu(self.first(x)))

    def forward(self, x: Tensor) -> Tensor:
        many = len(x) > 64
        if self.how == "other":
            return self.last(torch.clamp(self.first(x), min=0)) if many else self.part(x)
        if self.how == "less":
            return self.part(x) if many else torch.cat([self.part(p) for p in x.chunk(2)])
        return torch.cat([self.part(p) for p in x.split(64)])


@pytest.mark.parametrize("how", ["more", "less", "other"])
def test_points_beyond_those_that_a_module_was_looked_at_on_count_too(how):
    family, copies = families(InParts, how=how)
    assert family.anatomy.is_seen
    x = family.cell.task.data()[0].copy()
    x[64:] = 30 + np.arange(16)[:, None]  # some neurons are active on the last points alone
    family.births.x[:] = x
    census = family.census(copies, at_birth=True)
    for index, module in enumerate(modules(family, copies)):
        (status,) = inspect(module, x, batch_statistics=True).status.values()
        np.testing.assert_array_equal(census.status[0][index], status)


@pytest.mark.parametrize("at_birth", [True, False])
def test_copies_of_modules_that_act_alike_are_counted_at_once(at_birth, monkeypatch):
    """Also normalizations, which count their passes only where they use the points' statistics."""
    monkeypatch.setattr(counting, "_one_by_one", None)
    for build in (Normalized, Written):
        family, copies = families(build, **({"form": "clamp"} if build is Written else {}))
        assert family.census(copies, at_birth=at_birth).status
