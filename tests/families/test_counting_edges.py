"""Copies whose neurons stand at the edge of being dead: counted as `inspect` counts each."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from example_modules import cell_of
from torch import Tensor, nn

from trainability import Module, inspect
from trainability.death import ACTIVE, PERMANENT, TENTATIVE
from trainability.families import family_of
from trainability.families.copies_of_module import CopiesOfModule


class Edged(nn.Module):
    """Two layers, with a ReLU of either kind; a way around both, so that it is no chain."""

    def __init__(self, kind: str, around: bool) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(1, 3), nn.Linear(3, 3), nn.Linear(3, 1)
        self.kind, self.around = kind, around

    def rectified(self, h: Tensor) -> Tensor:
        if self.kind == "leaks in training" and self.training:
            return F.leaky_relu(h, 0.1)
        return torch.clamp(h, min=0) if self.kind == "clamp" else F.relu(h)

    def forward(self, x: Tensor) -> Tensor:
        h = self.rectified(self.first(x))
        out = self.last(self.rectified(self.second(h)))
        return out + x if self.around else out


def statuses(kind: str, around: bool, change: dict[str, Tensor]) -> list[np.ndarray]:
    """Of a copy with other numbers, beside one as it was born; the same as of each alone."""
    cell = cell_of(Module(Edged, kind=kind, around=around))
    family = family_of(cell)
    assert isinstance(family, CopiesOfModule)
    copies = family.draw([0])[:2]
    positive = {"first.bias": torch.full((2, 3), 2.0), "second.bias": torch.full((2, 3), 9.0)}
    trained = dict(zip(copies.layout.trained, copies.trained, strict=True)) | positive
    for name, value in change.items():
        trained[name][1] = value
    copies = replace(copies, trained=tuple(trained[name] for name in copies.layout.trained))
    census = family.census(copies, at_birth=True)
    for index in range(2):
        module = copy.deepcopy(family.anatomy.module)
        module.load_state_dict({name: value[index] for name, value in trained.items()})
        inspection = inspect(module, cell.task.data()[0], batch_statistics=True)
        for ours, alone in zip(census.status, inspection.status.values(), strict=True):
            np.testing.assert_array_equal(ours[index], alone)
    return [layer[1] for layer in census.status]


ROW = torch.tensor([0.0, 1.0, 1.0])
AT_ZERO = {"first.weight": ROW[:, None], "first.bias": ROW * 2}
"""The first neuron of the first layer is 0 wherever one looks."""
UNHEARD = AT_ZERO | {"second.weight": torch.tensor([[0.0, 0.1, 0.1]]).expand(3, 3)}
"""And nobody takes what it gives: it gets no gradient yet, but will when that changes."""
BELOW = {"first.weight": ROW[:, None], "first.bias": torch.tensor([-1.0, 2.0, 2.0])}


@pytest.mark.parametrize("around", [False, True])
@pytest.mark.parametrize(
    ("kind", "change", "status"),
    [
        ("relu", AT_ZERO, PERMANENT),
        ("clamp", AT_ZERO, TENTATIVE),  # a clamp passes a gradient at its end
        ("relu", UNHEARD, PERMANENT),
        ("clamp", UNHEARD, TENTATIVE),
        ("relu", BELOW, PERMANENT),
        ("clamp", BELOW, PERMANENT),
        ("leaks in training", BELOW, TENTATIVE),
        ("relu", {}, ACTIVE),
    ],
)
def test_who_gets_a_gradient_at_the_edge_may_come_back(kind, change, status, around):
    first, _ = statuses(kind, around, change)
    assert first[0] == status
    assert (first[1:] == ACTIVE).all()
