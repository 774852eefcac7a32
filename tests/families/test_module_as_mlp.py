"""A module that is a fully connected network: the rows of the fused engine, within rounding."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from example_modules import cell_of
from torch import nn

from trainability import SGD, Adam, Module
from trainability.families import family_of
from trainability.losses import BinaryCrossEntropy
from trainability.schemes import (
    Glorot,
    He,
    LeCun,
    Orthogonal,
    RandomizedAsymmetric,
    Scheme,
    TorchDefault,
    UnitSphere,
)
from trainability.tasks import TwoMoons
from trainability.trial import Runtime, run_trial

# Those that look at the data draw from a stream of each copy, and so other numbers.
SCHEMES = [
    He(), He("uniform", bias_std=0.3), Glorot(), LeCun(), Orthogonal(), RandomizedAsymmetric(),
    TorchDefault(), UnitSphere(),
]  # fmt: skip


def mlp(d_in: int, d_out: int, width: int, depth: int) -> nn.Module:
    sizes = [d_in, *[width] * (depth - 1), d_out]
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def pair_of(d_in: int = 1, d_out: int = 1, **values):
    """The cell of a module and that of fully connected networks."""
    return (
        cell_of(Module(mlp, d_in=d_in, d_out=d_out), **values),
        cell_of(None, **values),
    )


@pytest.mark.parametrize(
    ("scheme", "depth"), [*((scheme, 4) for scheme in SCHEMES), (He(), 2), (He(), 7)], ids=str
)
def test_the_first_weights_are_the_same_to_the_last_bit(scheme: Scheme, depth: int):
    module, plain = pair_of(width=3, depth=depth, scheme=scheme)
    blocks = [0, 2] if depth == 7 else [2]
    copies, ensemble = family_of(module).draw(blocks), family_of(plain).draw(blocks)
    assert len(copies.trained) == 2 * depth
    for ours, theirs in zip(copies.trained, ensemble.parameters, strict=True):
        assert torch.equal(ours, theirs)


def agree(module, plain, least: float) -> None:
    """Losses are the same within rounding, for nearly all: rounding grows with the steps."""
    ours, _ = run_trial("s", module, [0], Runtime())
    theirs, _ = run_trial("s", plain, [0], Runtime(engine="fused-cpu"))
    np.testing.assert_allclose(ours["initial_loss"], theirs["initial_loss"], rtol=1e-4, atol=1e-6)
    near = np.isclose(ours["final_loss"], theirs["final_loss"], rtol=1e-2, atol=1e-5)
    assert near.mean() >= least
    same = ours["success"] == theirs["success"]
    assert same.mean() >= least
    assert (ours["steps"] == theirs["steps"])[same].mean() >= least
    assert (ours["status"] == theirs["status"]).all()
    assert ours["born_dead"].ge(theirs["born_dead"]).all()  # on the points, on the interval
    assert 0 < theirs["success"].sum() < 256


@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("depth", [2, 4])
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.02)], ids=str)
def test_success_and_losses_are_those_of_the_fused_engine(optimizer, depth, batch_size):
    more = {"scheme": He(bias_std=0.1), "tolerance": 3e-2, "max_steps": 40}
    module, plain = pair_of(
        width=4, depth=depth, optimizer=optimizer, batch_size=batch_size, **more
    )
    agree(module, plain, 0.98)


def test_accuracies_are_those_of_the_fused_engine():
    more = {"scheme": He(bias_std=0.1), "tolerance": None, "target_accuracy": 0.85}
    module, plain = pair_of(
        d_in=2, width=4, depth=2, task=TwoMoons(n_train=40), loss=BinaryCrossEntropy(),
        optimizer=Adam(0.05), max_steps=20, **more,
    )  # fmt: skip
    agree(module, plain, 0.98)
