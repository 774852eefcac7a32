"""Inspecting an ordinary module counts its dead as a census does, and proves what it says."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from modules_by_hand import LINE, hand_made, images, linear, points
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from trainability.death import ACTIVE, PERMANENT, TENTATIVE, census
from trainability.domains import Points
from trainability.errors import InputError
from trainability.modules import apply, inspect
from trainability.networks import initialize
from trainability.schemes import (
    DataDependent,
    Glorot,
    He,
    Orthogonal,
    RandomizedAsymmetric,
    TorchDefault,
    UnitSphere,
)


def as_module(ensemble, index):
    parts = []
    for weight, bias in zip(ensemble.weights, ensemble.biases, strict=True):
        parts += [linear(weight[index].tolist(), bias[index].tolist()), nn.ReLU()]
    return nn.Sequential(*parts[:-1])


@pytest.mark.parametrize(
    "scheme",
    [
        He(),
        He(bias_std=1.0),
        Glorot(),
        Orthogonal(bias_std=0.5),
        RandomizedAsymmetric(),
        TorchDefault(),
        UnitSphere(),
    ],
    ids=str,
)
@pytest.mark.parametrize("sizes", [(1, 2, 2, 2, 2, 1), (2, 3, 4, 3, 1), (3, 20, 2)], ids=str)
def test_a_copied_network_has_the_dead_of_the_census(scheme, sizes):
    n_networks = 8
    x = points(12, sizes[0])
    ensemble = initialize(scheme, sizes, n_networks, np.random.default_rng(7))
    counted = census(ensemble, Points(x.numpy()))
    for index in range(n_networks):
        inspection = inspect(as_module(ensemble, index), x)
        assert inspection.is_chain
        for of_layer, status in zip(counted.status, inspection.status.values(), strict=True):
            np.testing.assert_array_equal(status, of_layer[index])


def test_the_copied_networks_show_every_status():
    ensemble = initialize(He(bias_std=1.0), (1, 2, 2, 2, 2, 1), 25, np.random.default_rng(7))
    shown = [inspect(as_module(ensemble, i), points(12, 1)).status.values() for i in range(25)]
    every = np.concatenate([status for layers in shown for status in layers])
    assert set(every) == {ACTIVE, TENTATIVE, PERMANENT}


@pytest.mark.parametrize(
    "relu",
    [
        torch.relu,
        F.relu,
        F.relu_,
        F.relu6,
        torch.Tensor.relu,
        torch.Tensor.relu_,
        lambda h: h.clamp(min=0),
        lambda h: torch.clamp(h, 0),
        lambda h: h.clamp_min_(0),
        lambda h: F.threshold(h, 0, 0),
        lambda h: F.hardtanh(h, 0, 2),
    ],
)
def test_every_way_to_write_relu_is_seen(relu):
    class Written(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.tensor([[1.0], [0.0]]))
            self.bias = nn.Parameter(torch.tensor([0.0, -1.0]))
            self.out = nn.Linear(2, 1)

        def forward(self, x):
            return self.out(relu(F.linear(x, self.weight, self.bias)))

    inspection = inspect(Written(), LINE)
    assert inspection.is_chain
    assert [s.tolist() for s in inspection.status.values()] == [[ACTIVE, PERMANENT]]


@pytest.mark.parametrize(
    "other", [lambda h: h.clamp(min=-1), lambda h: F.threshold(h, 1, 0), F.leaky_relu, F.gelu]
)
def test_other_activations_are_not_counted(other):
    class Other(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(1, 2)

        def forward(self, x):
            return other(self.layer(x))

    with pytest.raises(InputError, match="found no ReLU behind a Linear or convolution layer in O"):
        inspect(Other(), LINE)


def test_transformers_recurrences_and_transposed_convolutions_are_counted():
    encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    assert inspect(encoder, points(5, 56).reshape(5, 7, 8)).status["linear1"].shape == (16,)
    up = nn.Sequential(nn.ConvTranspose2d(2, 5, 2), nn.ReLU(), nn.Conv2d(5, 3, 2), nn.ReLU())
    assert [len(s) for s in inspect(up, images()).status.values()] == [5, 3]
    normed = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(1, 4)), nn.ReLU())
    assert list(inspect(normed, LINE).status) == ["0"]


def test_batches_add_up_and_may_come_in_any_form():
    module, x, y = mixed(), points(90, 4), points(90, 2)
    whole = inspect(module, x)
    forms = [
        x.numpy().astype(np.float64),
        (x, y),
        list(x.split(7)),
        ((b, b) for b in x.split(31)),
        DataLoader(TensorDataset(x, y), batch_size=16),
    ]
    for form in forms:
        inspection = inspect(module, form)
        assert inspection.n_examples == 90
        pd.testing.assert_frame_equal(inspection.table, whole.table)
    assert not inspect(module, x[:2]).table.equals(whole.table)


def mixed():
    module = nn.Sequential(
        nn.Linear(4, 40), nn.ReLU(), nn.BatchNorm1d(40), nn.Linear(40, 9), nn.ReLU()
    )
    apply(He(bias_std=2.0), module, generator=0)
    return module


def test_the_module_is_left_as_it_was():
    module, x = mixed().train(), points(20, 4)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    random_state, kept = torch.get_rng_state(), x.clone()
    inspect(module, x)
    with torch.inference_mode():
        inspect(module, x + 0)
    assert all(part.training for part in module.modules())
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.equal(x, kept)
    for part in module.modules():
        assert not part._forward_hooks and not part._forward_pre_hooks


def test_data_dependent_initialization_leaves_nobody_dead():
    x = points(200, 4)
    module = nn.Sequential(*mixed(), nn.Linear(9, 2))
    assert inspect(module, x).table["dead_rate"].max() > 0
    apply(DataDependent(sigma_e=1e-3), module.eval(), x, 0)
    assert inspect(module, x).table["dead_rate"].max() == 0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("x", "must be a tensor, an array, a frame, a tuple .* got str"),
        (LINE[:1], "at least 2 examples to show what is constant, got 1"),
        ([], "at least 2 examples to show what is constant, got 0"),
        ((LINE, LINE[:3]), r"as many targets as inputs, got x of shape \(9, 1\) and y of \(3, 1\)"),
        (LINE.split(2), r"the module takes 1 \(input\), got 5 entries; pass several batches as"),
        ([{"x": LINE}], r"0 \(Linear\), which takes 1 features, got inputs .* not dict"),
        (LINE / 0, "must be finite"),
        (LINE[3], r"0 gets an input of shape \(1,\)"),
    ],
)
def test_what_is_wrong_with_the_data_is_said(data, message):
    with pytest.raises(InputError, match=message):
        inspect(hand_made(), data)


def test_one_image_is_not_a_batch():
    with pytest.raises(InputError, match=r"0 gets an input of shape \(2, 6, 6\)"):
        inspect(nn.Sequential(nn.Conv2d(2, 6, 3), nn.ReLU()), images()[0])


def test_diverged_modules_are_refused():
    module = hand_made()
    with torch.no_grad():
        module[2].bias[0] = torch.nan
    with pytest.raises(InputError, match="behind 2 gives out NaN or infinity"):
        inspect(module, LINE)


def test_a_readable_table_and_a_figure_with_the_same_numbers():
    inspection = inspect(hand_made(), LINE)
    assert list(inspection.table.columns) == [
        "layer",
        "neurons",
        "active",
        "tentatively_dead",
        "permanently_dead",
        "dead_rate",
    ]
    text = str(inspection)
    assert "9 examples" in text and "66.7%" in text and "permanently dead" in text
    assert "Not a plain chain" not in text
    assert "Not a plain chain" in str(inspect(hand_made(nn.Tanh()), LINE))
    ax = inspection.plot()
    widths = [bar.get_width() for bar in ax.patches]
    np.testing.assert_allclose(widths, [1 / 2, 1 / 3, 0, 0, 1 / 2, 2 / 3])
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "0\n1 of 2 dead",
        "2\n2 of 3 dead",
    ]
    assert inspection.plot(ax) is ax


def test_matplotlib_is_loaded_for_the_figure_only():
    code = "import sys, trainability.modules; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_in_a_notebook_the_text_of_a_count_is_its_table(monkeypatch):
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    text = str(inspect(model, torch.rand(8, 2)))
    assert "tentatively dead" in text
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert str(inspect(model, torch.rand(8, 2))).splitlines()[0] == text.splitlines()[0]


def test_of_activations_that_are_not_counted_no_more_is_said_than_that():
    model = nn.Sequential(nn.Linear(2, 4), nn.Hardtanh(), nn.Linear(4, 1))
    with pytest.raises(InputError, match="other activations are not counted, even where") as caught:
        inspect(model, torch.rand(8, 2))
    assert "no dead neurons" not in str(caught.value)
