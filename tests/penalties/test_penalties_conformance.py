"""Laws of every penalty that the catalog finds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from rule_examples import PENALTIES

from trainability.arithmetic import ARRAYS
from trainability.arithmetic.tensors import TENSORS
from trainability.errors import InputError
from trainability.penalties import Jumpstart, Penalty

ASKED = [penalty for penalty in PENALTIES if penalty is not None]
VALUES = np.array([-2.5, -1.0, -0.3, 0.0, 0.7, 1.0, 4.0])


@pytest.mark.parametrize("penalty", ASKED, ids=str)
def test_it_moves_what_the_loss_leaves_alone_or_says_so(penalty: Penalty) -> None:
    """A parameter whose loss has no gradient, and a neuron that is dead at every point."""
    moved = [
        penalty.gradient(ARRAYS, np.float64(value), np.float64(0.0), is_weight, penalty.numbers())
        for value in VALUES
        for is_weight in (True, False)
    ]
    if penalty.extremes:
        moved += penalty.by_extremes(ARRAYS, np.float64(-3.0), np.float64(-5.0), penalty.numbers())
    assert penalty.moves_dead == any(change != 0 for change in moved)


@pytest.mark.parametrize("penalty", ASKED, ids=str)
def test_all_interpreters_agree(penalty: Penalty) -> None:
    given = np.meshgrid(VALUES, VALUES)
    numbers = penalty.numbers()
    for is_weight in (True, False):
        by_arrays, by_tensors = (
            penalty.gradient(on, *ours, is_weight, numbers)
            for on, ours in ((ARRAYS, given), (TENSORS, [torch.from_numpy(g) for g in given]))
        )
        np.testing.assert_allclose(by_arrays, by_tensors.numpy(), rtol=1e-12)
    if penalty.extremes:
        tensors = [torch.from_numpy(g) for g in given]
        by_tensors = penalty.by_extremes(TENSORS, *tensors, numbers)
        by_arrays = penalty.by_extremes(ARRAYS, *given, numbers)
        for ours, theirs in zip(by_arrays, by_tensors, strict=True):
            np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Jumpstart(0), "coefficient must be a finite number > 0, got 0"),
        (lambda: Jumpstart(1, rho=1.5), "rho must be at most 1, got 1.5"),
        (lambda: Jumpstart(1, rho=math.nan), "rho must be a finite number >= 0, got nan"),
        (
            lambda: Jumpstart(1, terms="points"),
            "terms must be 'both' or 'units' or 'samples', got 'points'",
        ),  # type: ignore[arg-type]
    ],
)
def test_settings_that_make_no_sense_are_refused(make, message) -> None:
    with pytest.raises(InputError, match=message):
        make()
