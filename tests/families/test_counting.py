"""The dead neurons of copies, all at once: the same as `inspect` says of each of them."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from example_modules import Normalized, cell_of, mlp
from torch import nn

from trainability import Adam, Module, inspect
from trainability.death import PERMANENT
from trainability.families import family_of
from trainability.families.copies_of_module import CopiesOfModule
from trainability.optimizers import AdamW
from trainability.schemes import He
from trainability.trial import Runtime, run_trial


def deep(width: int) -> nn.Module:
    """Narrow enough that many neurons are dead, some for good."""
    layers = [nn.Linear(1, width), nn.ReLU()]
    for _ in range(3):
        layers += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, 1))


class Convolutions(nn.Module):
    """Channels that are dead, pooled, flattened."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, 3, 1)
        self.second = nn.Conv1d(3, 3, 1)
        self.last = nn.Linear(3, 1)

    def forward(self, x):
        h = torch.clamp(self.first(x[:, None]), min=0)
        return self.last(F.relu(self.second(h)).flatten(1))


class Residual(nn.Module):
    """A ReLU behind a sum, and ways around layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(1, 3), nn.Linear(3, 3)
        self.last = nn.Linear(3, 1)

    def forward(self, x):
        h = self.first(x).relu()
        return self.last(F.relu(h + self.second(h)) + torch.relu(self.second(h)))


class Masked(nn.Module):
    """A ReLU that no function of torch is: it is looked at copy by copy."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(1, 3), nn.Linear(3, 1)

    def forward(self, x):
        h = self.first(x)
        return self.last(h * (h > 0))


N = 24


@pytest.mark.parametrize(
    ("build", "width"),
    [
        (deep, 2),
        (mlp, 3),
        (Convolutions, None),
        (Residual, None),
        (Normalized, None),
        (Masked, None),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_all_copies_at_once_are_what_inspect_says_of_each(build, width):
    cell = cell_of(Module(build), width=width, scheme=He(bias_std=0.3))
    family = family_of(cell)
    assert isinstance(family, CopiesOfModule)
    copies = family.draw([0])[:N]
    census = family.census(copies, at_birth=True)
    assert all(status.shape[0] == N for status in census.status)
    x = cell.task.data()[0]
    for index in range(N):
        module = copy.deepcopy(family.anatomy.module)
        names = (*copies.layout.trained, *copies.layout.kept)
        tensors = (*copies.trained, *copies.kept)
        module.load_state_dict({n: t[index] for n, t in zip(names, tensors, strict=True)})
        inspection = inspect(module, x, batch_statistics=True)
        assert ", ".join(inspection.table["layer"]) == family.layers
        for ours, theirs in zip(census.status, inspection.status.values(), strict=True):
            np.testing.assert_array_equal(ours[index], theirs)
    if build is deep:
        assert (np.concatenate(census.status, axis=1) == PERMANENT).sum() > 20
        assert not family.trainable(census).all()
        assert (family.trainable(census) | family.born_dead(copies, census)).all()


class MaskedDeep(nn.Module):
    """As narrow as `deep`, but looked at copy by copy, for what it does at the end."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(1, width)
        self.rest = nn.ModuleList([nn.Linear(width, width) for _ in range(3)])
        self.last = nn.Linear(width, 1)

    def forward(self, x):
        h = self.first(x)
        for layer in self.rest:
            h = layer(F.relu(h))
        return self.last(h * (h > 0))


@pytest.mark.parametrize("build", [deep, MaskedDeep])
def test_nothing_is_permanent_where_training_moves_what_has_no_gradient(build):
    counts = {}
    for optimizer in (Adam(learning_rate=0.01), AdamW(learning_rate=0.01)):
        cell = cell_of(Module(build), width=2, optimizer=optimizer)
        family = family_of(cell)
        counts[cell.idle] = family.census(family.draw([0])[:N], at_birth=True).permanent.sum()
    assert counts["stays"] > 20
    assert counts[cell.idle] == 0


def tanh() -> nn.Module:
    return nn.Sequential(nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 1))


def test_a_module_without_a_relu_has_no_neuron_that_could_be_dead():
    rows, _ = run_trial("s", cell_of(Module(tanh), max_steps=2), [0], Runtime())
    assert rows["active_init"].map(len).eq(0).all()
    assert rows["layers"].isna().all()
    assert rows["trainable"].all() and not rows["born_dead"].any()
    assert np.isfinite(rows["final_loss"]).all()
