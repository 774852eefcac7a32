"""What an inspection calls permanently dead can't be revived, and each step of the proof counts."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from modules_by_hand import LINE, hand_made, images, linear, points
from torch import nn

from trainability.death import ACTIVE, PERMANENT, TENTATIVE
from trainability.modules import apply, inspect
from trainability.schemes import He


@pytest.fixture(autouse=True)
def one_thread():
    """Threads cost more than they bring to tensors this small."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


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
        inspection = inspect(module, x)
        dead = constants(module, x)
        if build is double_use:
            # The two uses of the shared layer are one row: dead is who is so in both.
            dead = [dead[0], dead[1] & dead[2]]
        assert len(dead) == len(inspection.status)
        for constant, status in zip(dead, inspection.status.values(), strict=True):
            np.testing.assert_array_equal(status != ACTIVE, constant)
        descend(module, x, n_steps=10)
        later = inspect(module, x).status
        for name, status in inspection.status.items():
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


def test_inputs_from_the_permanently_dead_count_as_zero_in_a_chain_only():
    in_chain = inspect(hand_made(), LINE)
    assert in_chain.is_chain
    assert [s.tolist() for s in in_chain.status.values()] == [[0, 2], [2, 2, 0]]
    # The tangent of a ReLU's output is unknown here: then not even the sign of the inputs is.
    outside = inspect(hand_made(nn.Tanh()), LINE)
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
    inspection = inspect(module, points(9, 12).reshape(9, 1, 3, 4))
    assert inspection.is_chain
    statuses = [status.tolist() for status in inspection.status.values()]
    assert statuses == [[0, 2, 0, 0], [2, 0], [2, 1, 0]]


def test_dropout_leaves_the_proof_by_signs_alone():
    inspection = inspect(hand_made(nn.Dropout()), LINE)
    assert not inspection.is_chain
    assert [s.tolist() for s in inspection.status.values()] == [[0, 2], [2, 1, 0]]
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
        (lambda h, x: F.avg_pool1d(h[:, None], 1)[:, 0], 1),
        (lambda h, x: torch.stack([h, h.abs()], 1).flatten(1), 1),
        (lambda h, x: F.softplus(x), 1),
        (lambda h, x: F.pad(h, (1, 1)), 1),
        (lambda h, x: F.pad(h, (1, 1), value=-1.0), 0),
        (lambda h, x: h * h, 1),
        (lambda h, x: h * -1.0, 0),
        (lambda h, x: torch.cat([h, torch.ones(len(h), 1)], 1), 1),
        (lambda h, x: torch.cat([h, -torch.ones(len(h), 1)], 1), 0),
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

    inspection = inspect(Combined(), LINE)
    assert inspection.table["permanently_dead"].tolist() == [0, permanent]
    assert inspection.table["active"].tolist() == [1, 0]


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
