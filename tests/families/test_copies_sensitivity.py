"""What the layers of copies make of their data: as of fully connected networks, and by loops."""

from itertools import combinations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from example_modules import Deciding, cell_of, mlp
from torch import nn

from trainability import Module
from trainability.families import family_of
from trainability.schemes import He, TorchOwn
from trainability.tasks import Examples
from trainability.trial import Runtime, run_trial

NAMES = ("variance", "log_scale", "cosine")
RNG = np.random.default_rng(0)
FEATURES, PICTURES = RNG.standard_normal((6, 5, 3)), RNG.standard_normal((6, 2, 3, 3))
GRAPHS = (RNG.random((6, 5, 5)) < 0.5) + np.eye(5)


class GraphNetwork(nn.Module):
    """Two layers on graphs, and a number for each node."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 4)
        self.last = nn.Linear(4, 1)

    def forward(self, features, graphs):
        h = torch.relu(self.first(graphs @ features))
        return self.last(torch.relu(self.second(graphs @ h)))


class Convolutions(nn.Module):
    """Two convolutions and a linear layer."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(2, 3, 2), nn.Conv2d(3, 2, 1)
        self.last = nn.Linear(8, 1)

    def forward(self, pictures):
        return self.last(self.second(torch.tanh(self.first(pictures))).flatten(1))


class Normalized(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(1, 4), nn.Linear(4, 1)
        self.norm = nn.BatchNorm1d(4, eps=1e-12)

    def forward(self, x):
        return self.last(self.norm(self.first(x)))


class Repeating(nn.Module):
    """Uses its second layer as often as its numbers say."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(1, 2), nn.Linear(2, 2)
        self.last = nn.Linear(2, 1)

    def forward(self, x):
        h = self.first(x)
        for _ in range(2 if h.sum() > 0 else 1):
            h = self.second(h)
        return self.last(h)


def sensed(cell):
    family = family_of(cell)
    networks = family.draw([0])
    return family.sensitivity(networks), networks


def on(*tensors):
    return Examples("sensed", tensors)


def by_loop(layers, inputs):
    """Of each layer, (N, places, neurons) in NumPy, the three numbers."""
    measured = []
    for h in layers:
        flat = h.reshape(len(h), -1)
        share = np.square(flat - flat.mean(axis=0)).sum() / np.square(flat).sum()
        groups = h if h.shape[1] > 1 else h.transpose(1, 0, 2)
        cosines = [
            a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            for rows in groups
            for a, b in combinations([row for row in rows if row.any()], 2)
        ]
        scale = np.square(h).mean() / np.square(inputs).mean()
        measured.append((share, np.log10(scale), np.mean(cosines)))
    return measured


@pytest.mark.parametrize("scheme", [He(), He(bias_std=0.5)], ids=str)
def test_a_module_that_is_fully_connected_has_the_numbers_of_the_same_networks(scheme):
    ours, _ = sensed(cell_of(Module(mlp), width=4, scheme=scheme))
    theirs, _ = sensed(cell_of(None, width=4, depth=3, scheme=scheme))
    for name in NAMES:
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-6)
    assert ours.living is None


def test_nodes_of_a_graph_are_compared_within_it_and_features_are_the_inputs():
    cell = cell_of(Module(GraphNetwork), task=on(FEATURES, GRAPHS, FEATURES[:, :, 0]))
    ours, copies = sensed(cell)
    weights = dict(zip(copies.layout.trained, copies.trained, strict=True))
    for r in range(5):
        first, second = (weights[f"{n}.weight"][r].double().numpy().T for n in ("first", "second"))
        taken = GRAPHS @ np.maximum(GRAPHS @ FEATURES @ first, 0)
        wanted = by_loop([taken, np.maximum(taken @ second, 0)], FEATURES)
        for place, name in enumerate(NAMES):
            column = [layer[place] for layer in wanted]
            # float32 against float64, two layers
            np.testing.assert_allclose(getattr(ours, name)[r], column, atol=1e-4)


def test_pixels_are_places_and_a_flattened_picture_is_one():
    cell = cell_of(Module(Convolutions), task=on(PICTURES, PICTURES[:, 0, 0, 0]), scheme=TorchOwn())
    ours, copies = sensed(cell)
    for r in range(5):
        w = {n: t[r] for n, t in zip(copies.layout.trained, copies.trained, strict=True)}
        x = torch.from_numpy(PICTURES).float()
        h = torch.tanh(F.conv2d(x, w["first.weight"], w["first.bias"]))
        last = F.conv2d(h, w["second.weight"], w["second.bias"]).flatten(1)
        layers = [h.flatten(2).transpose(1, 2).double().numpy(), last[:, None].double().numpy()]
        wanted = by_loop(layers, PICTURES)
        for place, name in enumerate(NAMES):
            np.testing.assert_allclose(
                getattr(ours, name)[r], [layer[place] for layer in wanted], atol=1e-4
            )


def test_normalizations_use_the_statistics_of_the_points_as_at_the_first_step():
    cell = cell_of(Module(Normalized))
    ours, _ = sensed(cell)
    x = cell.task.data()[0]
    # A normalized number has variance 1 and mean 0: all of it is variance.
    assert ours.variance == pytest.approx(1)
    assert ours.log_scale == pytest.approx(-np.log10(np.square(x).mean()), abs=1e-4)


def test_copies_that_use_other_numbers_of_layers_have_none_and_others_do():
    assert sensed(cell_of(Module(Repeating)))[0] is None
    ours, _ = sensed(cell_of(Module(Deciding)))
    assert ours.cosine.shape == (256, 1)


def test_rows_hold_one_number_per_layer_that_takes_in_what_others_give():
    cell = cell_of(Module(mlp), width=1, max_steps=1)
    rows, _ = run_trial("s", cell, [0], Runtime())
    ours, _ = sensed(cell)
    assert rows["living_init"].isna().all()
    for name in NAMES:
        stored = np.array([list(layers) for layers in rows[f"{name}_init"]], dtype=float)
        np.testing.assert_allclose(stored, getattr(ours, name), rtol=1e-6)
    # Of width 1 some are dead: they have no scale.
    assert np.isnan(ours.log_scale[:, 1]).any()
    alone = cell_of(Module(nn.Linear, in_features=1, out_features=1), max_steps=1)
    assert run_trial("s", alone, [0], Runtime())[0]["cosine_init"].isna().all()
