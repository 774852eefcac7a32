"""Inspecting an ordinary module counts its dead as a census does, and proves what it says."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
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


@pytest.fixture(autouse=True)
def one_thread():
    """Threads cost more than they bring to tensors this small."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def points(n, d, seed=0):
    return torch.tensor(np.random.default_rng(seed).standard_normal((n, d)), dtype=torch.float32)


def images(n=6, seed=0):
    return points(n, 2 * 6 * 6, seed).reshape(n, 2, 6, 6)


def linear(weight, bias):
    layer = nn.Linear(len(weight[0]), len(weight))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        layer.bias.copy_(torch.tensor(bias))
    return layer


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
    n_networks = 25
    x = points(12, sizes[0])
    ensemble = initialize(scheme, sizes, n_networks, np.random.default_rng(7))
    counted = census(ensemble, Points(x.numpy()))
    for index in range(n_networks):
        found = inspect(as_module(ensemble, index), x)
        assert found.is_chain
        for of_layer, status in zip(counted.status, found.status.values(), strict=True):
            np.testing.assert_array_equal(status, of_layer[index])


def test_the_copied_networks_show_every_status():
    ensemble = initialize(He(bias_std=1.0), (1, 2, 2, 2, 2, 1), 25, np.random.default_rng(7))
    shown = [inspect(as_module(ensemble, i), points(12, 1)).status.values() for i in range(25)]
    every = np.concatenate([status for layers in shown for status in layers])
    assert set(every) == {ACTIVE, TENTATIVE, PERMANENT}


class Skip(nn.Module):
    """Two blocks with a skip connection, written with functions."""

    def __init__(self, norm=nn.Identity):
        super().__init__()
        self.enter = nn.Conv2d(2, 6, 3, padding=1)
        self.norm = norm(6)
        self.inner = nn.Conv2d(6, 6, 3, padding=1)
        self.head = nn.Linear(6, 4)
        self.out = nn.Linear(4, 1)

    def forward(self, x):
        h = F.relu(self.norm(self.enter(x)))
        h = (self.inner(h) + h).relu()
        return self.out(F.relu(self.head(h.mean((2, 3)))))


def chain():
    return nn.Sequential(
        nn.Conv2d(2, 6, 3),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 6, 2, groups=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6, 5),
        nn.ReLU6(),
        nn.Linear(5, 4),
        nn.ReLU(),
        nn.Linear(4, 1),
    )


def double_use():
    """The first layer once, the second twice."""
    shared = nn.Linear(8, 8)
    first = nn.Sequential(nn.Flatten(), nn.Linear(72, 8), nn.ReLU())
    return nn.Sequential(*first, shared, nn.ReLU(), shared, nn.ReLU(), nn.Linear(8, 1))


def normalized():
    return Skip(nn.BatchNorm2d)


@pytest.mark.parametrize("build", [chain, Skip, normalized, double_use])
def test_dead_are_the_constant_and_the_permanently_dead_stay_so_in_training(build):
    """The oracle: outputs of the ReLUs, taken by a patched function, before and after training."""
    n_permanent = n_tentative = n_revived = 0
    for seed in range(8):
        torch.manual_seed(seed)
        module, x = build(), images()
        apply(He(bias_std=2.0), module, x, seed)
        module.eval()
        found = inspect(module, x)
        dead = constants(module, x)
        if build is double_use:
            # The two uses of the shared layer are one row: dead is who is so in both.
            dead = [dead[0], dead[1] & dead[2]]
        assert len(dead) == len(found.status)
        for constant, status in zip(dead, found.status.values(), strict=True):
            np.testing.assert_array_equal(status != ACTIVE, constant)
        descend(module, x, n_steps=10)
        later = inspect(module, x).status
        for name, status in found.status.items():
            n_permanent += (status == PERMANENT).sum()
            n_tentative += (status == TENTATIVE).sum()
            n_revived += ((status == TENTATIVE) & (later[name] == ACTIVE)).sum()
            assert (later[name][status == PERMANENT] != ACTIVE).all()
    assert n_tentative > 0
    if build is not normalized:
        assert n_permanent > 0
    if build is not double_use:
        assert n_revived > 0


def descend(module, x, n_steps):
    """Gradient descent on squared errors, in steps of length 0.2: plain, without momentum."""
    parameters = list(module.parameters())
    for _ in range(n_steps):
        loss = (module(x) - x.mean((1, 2, 3))[:, None]).square().mean()
        gradients = torch.autograd.grad(loss, parameters)
        length = torch.stack([gradient.norm() for gradient in gradients]).norm() + 1e-12
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter -= 0.2 * gradient / length


def constants(module, x):
    """Which neurons are constant, by ReLU, in the order of flow."""
    seen = []
    plain = torch.clamp

    def look(values, *_args, high=None, **_kwargs):
        out = plain(values, 0, high)
        axes = [0] if out.ndim == 2 else [0, 2, 3]
        seen.append((out.amax(axes) == out.amin(axes)).numpy())
        return out

    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(F, "relu", look)
        patch.setattr(torch.Tensor, "relu", look)
        patch.setattr(F, "hardtanh", lambda values, *_: look(values, high=6))
        module(x)
    return seen


def hand_made(*between):
    """One input, 2 + 3 neurons; on [-1, 1]: a living, a dead; then dead by signs, by 0, and not."""
    return nn.Sequential(
        linear([[1.0], [1.0]], [0.0, -2.0]),
        nn.ReLU(),
        *between,
        linear([[-1.0, -1.0], [-1.0, 1.0], [-1.0, 0.0]], [-1.0, -1.0, 2.0]),
        nn.ReLU(),
        nn.Linear(3, 1),
    )


LINE = torch.linspace(-1, 1, 9)[:, None]


def test_inputs_from_the_permanently_dead_count_as_zero_in_a_chain_only():
    in_chain = inspect(hand_made(), LINE)
    assert in_chain.is_chain
    assert [s.tolist() for s in in_chain.status.values()] == [[0, 2], [2, 2, 0]]
    # Softplus of a ReLU is unknown here: then not even the sign of the inputs is.
    outside = inspect(hand_made(nn.Softplus()), LINE)
    assert not outside.is_chain
    assert [s.tolist() for s in outside.status.values()] == [[0, 2], [1, 1, 0]]

    class Twice(nn.Module):
        def forward(self, h):
            return h + h

    signed = inspect(hand_made(Twice()), LINE)
    assert not signed.is_chain
    assert [s.tolist() for s in signed.status.values()] == [[0, 2], [2, 1, 0]]


def test_a_permanently_dead_channel_counts_as_zero_wherever_it_goes():
    enter = nn.Conv2d(1, 4, 1)
    grouped = nn.Conv2d(4, 2, 2, groups=2)
    last = nn.Linear(4, 3)
    with torch.no_grad():
        enter.weight.fill_(1.0)
        enter.bias.copy_(torch.tensor([0.0, -9.0, 0.0, 0.0]))
        # Channels 0 and 1, of which 1 is dead: by its sign for 0 alone, and alive.
        grouped.weight.fill_(-1.0)
        grouped.weight[0, 1, 1, 0] = 1.0
        grouped.weight[1, 1, 1, 1] = 1.0
        grouped.bias.copy_(torch.tensor([-1.0, 4.0]))
        # Two places of a dead channel, then two of a living one.
        last.weight.copy_(torch.tensor([[1.0, 1, -1, -1], [1, 1, -1, 0.1], [-1, -1, 1, 1]]))
        last.bias.copy_(torch.tensor([-1.0, -99.0, 0.0]))
    module = nn.Sequential(
        *(enter, nn.ReLU(), nn.MaxPool2d(2, 1), grouped, nn.ReLU()),
        *(nn.Flatten(), last, nn.ReLU(), nn.Linear(3, 1)),
    )
    found = inspect(module, points(9, 12).reshape(9, 1, 3, 4))
    assert found.is_chain
    statuses = [status.tolist() for status in found.status.values()]
    assert statuses == [[0, 2, 0, 0], [2, 0], [2, 1, 0]]


def test_dropout_leaves_the_proof_by_signs_alone():
    found = inspect(hand_made(nn.Dropout()), LINE)
    assert not found.is_chain
    assert [s.tolist() for s in found.status.values()] == [[0, 2], [2, 1, 0]]
    first = nn.Sequential(nn.Dropout(), linear([[1.0, 1.0]], [-2.0]), nn.ReLU())
    assert inspect(first, LINE.expand(9, 2)).table["tentatively_dead"].tolist() == [1]


def test_a_wholly_dead_layer_ends_all_hope_in_a_chain():
    layers = [linear([[1.0]], [-2.0]), nn.ReLU(), linear([[1.0], [1.0]], [-1.0, 1.0]), nn.ReLU()]
    table = inspect(nn.Sequential(*layers), LINE).table
    assert table["permanently_dead"].tolist() == [1, 2]


class Branching(nn.Module):
    """Neurons 1 + 3 + 1 on [-1, 1]: alive; alive, dead, dead by its signs for good; dead."""

    def __init__(self, branch):
        super().__init__()
        self.branch = branch
        self.first = linear([[1.0]], [0.0])
        self.second = linear([[1.0], [1.0], [-1.0]], [0.0, -2.0, -1.0])
        self.third = linear([[1.0, 1.0, 1.0]], [-9.0])

    def forward(self, x):
        first = F.relu(self.first(x))
        if self.branch == "sometimes" and x.mean() > 0:
            first = F.softplus(first) - 0.6
        second = F.relu(self.second(first))
        third = F.relu(self.third(second))
        return third + second.sum(1, keepdim=True) if self.branch == "skip" else third


@pytest.mark.parametrize(
    ("branch", "permanent"), [(None, [0, 2, 1]), ("skip", [0, 1, 0]), ("sometimes", [0, 0, 0])]
)
def test_a_wholly_dead_layer_leaves_hope_where_there_is_a_way_around(branch, permanent):
    table = inspect(Branching(branch), list(LINE.split(5))).table
    assert table["active"].tolist() == [1, 1, 0]
    assert table["permanently_dead"].tolist() == permanent


def written_into(h, x):
    seen = h.view(len(h), -1)
    h -= 1
    return seen


@pytest.mark.parametrize(
    ("combine", "permanent"),
    [
        (lambda h, x: torch.cat([h, h], 1), 1),
        (lambda h, x: torch.cat([h, x], 1), 0),
        (lambda h, x: h + h, 1),
        (lambda h, x: h + x, 0),
        (lambda h, x: torch.add(h, h, alpha=-1), 0),
        (lambda h, x: h - 1, 0),
        (lambda h, x: F.avg_pool1d(h[:, None], 1)[:, 0], 0),
        (lambda h, x: h.mean(1, keepdim=True), 1),
        (written_into, 0),
    ],
)
def test_signs_prove_death_only_where_no_input_can_be_negative(combine, permanent):
    class Combined(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = linear([[1.0]], [0.0])
            self.second = linear([[-1.0] * combine(LINE + 1, LINE).shape[1]], [-3.0])

        def forward(self, x):
            return F.relu(self.second(combine(F.relu(self.first(x)), x)))

    found = inspect(Combined(), LINE)
    assert not found.is_chain
    assert found.table["permanently_dead"].tolist() == [0, permanent]
    assert found.table["active"].tolist() == [1, 0]


def test_a_layer_across_the_channels_places_is_no_chain_of_neurons():
    module = nn.Sequential(nn.Conv2d(2, 6, 1), nn.ReLU(), nn.Linear(6, 3), nn.ReLU())
    assert not inspect(module, images()).is_chain


def test_layers_that_serve_elsewhere_are_not_called_permanently_dead():
    class Elsewhere(nn.Module):
        def __init__(self, how):
            super().__init__()
            self.layer, self.how = linear([[1.0]], [-2.0]), how

        def forward(self, x):
            pre = self.layer(x)
            if self.how == "output":
                return F.relu(pre), pre
            if self.how == "sum":
                return F.relu(pre) + pre
            if self.how == "weight":
                return F.relu(pre) @ self.layer.weight
            return F.relu(pre)

    for how in ("output", "sum", "weight"):
        table = inspect(Elsewhere(how), LINE).table
        assert table["tentatively_dead"].tolist() == [1], how
    assert inspect(Elsewhere("not"), LINE).table["permanently_dead"].tolist() == [1]


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

    found = inspect(Written(), LINE)
    assert found.is_chain
    assert [s.tolist() for s in found.status.values()] == [[ACTIVE, PERMANENT]]


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
        found = inspect(module, form)
        assert found.n_examples == 90
        pd.testing.assert_frame_equal(found.table, whole.table)
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
        ("x", "must be a tensor, a tuple .* got str"),
        (TensorDataset(LINE), "got TensorDataset; wrap a Dataset in a DataLoader"),
        (LINE[:1], "at least 2 examples to show what is constant, got 1"),
        ([], "at least 2 examples to show what is constant, got 0"),
        ((LINE, LINE[:3]), "as many targets as inputs, got 2 entries; pass several batches as a"),
        (LINE.split(3), "got 3 entries; pass several batches as a list"),
        ([{"x": LINE}], "inputs must be a tensor or an array of shape .* got dict"),
        (LINE / 0, "must be finite"),
        (LINE[3], r"0 gets an input of shape \(1,\)"),
    ],
)
def test_what_is_wrong_with_the_data_is_said(data, message):
    with pytest.raises(InputError, match=message):
        inspect(hand_made(), data)


def test_one_image_is_not_a_batch():
    with pytest.raises(InputError, match=r"0 gets an input of shape \(2, 6, 6\)"):
        inspect(chain(), images()[0])


def test_diverged_modules_are_refused():
    module = hand_made()
    with torch.no_grad():
        module[2].bias[0] = torch.nan
    with pytest.raises(InputError, match="behind 2 gives out NaN or infinity"):
        inspect(module, LINE)


def test_a_readable_table_and_a_figure_with_the_same_numbers():
    found = inspect(hand_made(), LINE)
    assert list(found.table.columns) == [
        "layer",
        "neurons",
        "active",
        "tentatively_dead",
        "permanently_dead",
        "dead_rate",
    ]
    text = str(found)
    assert "9 examples" in text and "66.7%" in text and "permanently dead" in text
    assert "Not a plain chain" not in text
    assert "Not a plain chain" in str(inspect(hand_made(nn.Softplus()), LINE))
    ax = found.plot()
    widths = [bar.get_width() for bar in ax.patches]
    np.testing.assert_allclose(widths, [1 / 2, 1 / 3, 0, 0, 1 / 2, 2 / 3])
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "0\n1 of 2 dead",
        "2\n2 of 3 dead",
    ]
    assert found.plot(ax) is ax


def test_matplotlib_is_loaded_for_the_figure_only():
    code = "import sys, trainability.modules; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
