"""What was not seen is unknown: nothing is called permanently dead that training can revive."""

import dataclasses
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from modules_by_hand import LINE, linear
from random_modules import Passing, StraightThrough, moved, swish
from torch import nn
from torch.nn.utils import prune
from torch.utils.checkpoint import checkpoint

from trainability.modules import inspect

X = torch.rand(64, 2, generator=torch.Generator().manual_seed(0))


def written_data(x):
    h = torch.zeros(len(x), 4)
    h[:, :2], h[:, 2:] = x, 1.0
    return h


class Between(nn.Module):
    """Features of a layer reach the next layer, whose neurons 0 and 2 are dead, in some way."""

    def __init__(self, way):
        super().__init__()
        self.a, self.c, self.o = nn.Linear(2, 4), nn.Linear(4, 3), nn.Linear(3, 1)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.fill_(0.5)
            self.c.bias.copy_(torch.tensor([-30.2, 0.0, -30.5]))
        self.leaf = torch.full((4,), 0.5, requires_grad=True)
        self.register_buffer("running", torch.zeros(4))
        self.cache, self.way = [], way

    def forward(self, x):
        return self.o(F.relu(self.c(self.way(self, x))))


def empty(x):
    return torch.zeros(len(x), 4)


def write(fill):
    def way(net, x):
        h = empty(x)
        fill(h, net.a(x))
        return h

    return way


def rows(h, a):
    for row, values in enumerate(a):
        h[row] = values


def through_list(net, x):
    net.cache.append(net.a(x))
    return torch.stack([net.cache.pop()])[0]


def in_buffer(net, x):
    net.running.mul_(0.5).add_(net.a(x).mean(0).detach())
    return net.running.expand(len(x), 4)


def in_training(net, x):
    if net.training:
        net.running.copy_(net.a(x).mean(0).detach())
    return net.running.expand(len(x), 4)


def by_numpy(net, x):
    return torch.from_numpy(net.a(x).detach().numpy().copy())


def by_values(net, x):
    return torch.tensor(net.a(x).tolist())


def without_gradients(net, x):
    with torch.no_grad():
        return net.a(x)


def branch(net, x):
    return torch.ones(len(x), 4) if net.a(x).sum() > 0 else -torch.ones(len(x), 4)


WAYS = {
    "slice": write(lambda h, a: h.__setitem__((slice(None), slice(None)), a)),
    "mask": write(lambda h, a: h.__setitem__(a > -9, a[a > -9])),
    "copy_": write(lambda h, a: h.copy_(a)),
    "data copy": write(lambda h, a: h.data.copy_(a)),
    "view": write(lambda h, a: h.view(-1).copy_(a.reshape(-1))),
    "add_": write(lambda h, a: h.add_(a)),
    "index_put_": write(lambda h, a: h.index_put_((torch.arange(len(a)),), a)),
    "index_copy_": write(lambda h, a: h.index_copy_(0, torch.arange(len(a)), a)),
    "scatter_": write(lambda h, a: h.scatter_(1, torch.arange(4).expand(len(a), -1), a)),
    "masked_scatter_": write(lambda h, a: h.masked_scatter_(h == 0, a)),
    "masked_fill_": write(lambda h, a: h.masked_fill_(a > 0, 1.0)),
    "rows": write(rows),
    "out": write(lambda h, a: torch.add(a, 0.0, out=h)),
    "swap": write(lambda h, a: h.set_(a.clone())),
    "foreach": write(lambda h, a: torch._foreach_add_([h], [a])),
    "split": write(lambda h, a: [p.copy_(q) for p, q in zip(h.split(1), a.split(1), strict=True)]),
    "numpy in place": write(lambda h, a: np.copyto(h.numpy(), a.detach().numpy())),
    "scripted": lambda net, x: swish(net.a(x)),
    "scripted write": lambda net, x: moved(net.a(x)),
    "own function": lambda net, x: Passing.apply(net.a(x)),
    "leaf": lambda net, x: net.leaf.expand(len(x), 4),
    "leaf times x": lambda net, x: x.repeat(1, 2) * net.leaf,
    "list": through_list,
    "buffer": in_buffer,
    "buffer in training": in_training,
    "numpy": by_numpy,
    "values": by_values,
    "detach": lambda net, x: net.a(x).detach(),
    "data": lambda net, x: net.a(x).data,
    "no_grad": without_gradients,
    "branch": branch,
    "number": lambda net, x: x.repeat(1, 2) * net.a(x).mean().item(),
    "checkpoint": lambda net, x: checkpoint(net.a, x, use_reentrant=True),
    "other checkpoint": lambda net, x: checkpoint(net.a, x, use_reentrant=False),
    "batch mean": lambda net, x: (x - x.mean(0)).repeat(1, 2),
    "batch order": lambda net, x: (x.cumsum(0) / len(x)).repeat(1, 2),
    "noise": lambda net, x: (x + torch.randn_like(x)).repeat(1, 2),
    "other noise": lambda net, x: (x + random.random()).repeat(1, 2),
    "numpy noise": lambda net, x: (x + np.random.rand()).repeat(1, 2),
    "dropout": lambda net, x: F.dropout(x, training=net.training).repeat(1, 2),
    "garbage": lambda net, x: torch.empty(len(x), 4).copy_(net.a(x)),
    "weights alone": lambda net, x: net.a.weight.reshape(1, -1)[:, :4].expand(len(x), 4),
    "weights' data": lambda net, x: net.a.weight.data.reshape(1, -1)[:, :4].expand(len(x), 4),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_features_that_come_another_way_are_not_taken_for_constants(way):
    module = Between(WAYS[way])
    table = inspect(module, X).table.set_index("layer").loc["c"]
    assert table["permanently_dead"] == 0
    assert table["tentatively_dead"] >= 2


@pytest.mark.parametrize(
    "way",
    [
        lambda net, x: x.repeat(1, 2),
        lambda net, x: (x + net.running[:2]).repeat(1, 2),
        lambda net, x: written_data(x),
        lambda net, x: torch.cat([x, torch.ones(len(x), 2)], 1),
        lambda net, x: torch.zeros(len(x), 4).copy_(x.repeat(1, 2)),
        lambda net, x: x[:, torch.tensor([0, 1, 0, 1])],
        lambda net, x: F.pad(x, (1, 1)),
    ],
)
def test_what_is_shown_to_be_data_stays_data(way):
    module = Between(way)
    assert inspect(module, X).status["c"].tolist() == [2, 0, 2]


@dataclasses.dataclass
class Output:
    logits: torch.Tensor
    hidden: torch.Tensor


class Doors(nn.Module):
    """A layer whose features leave by some door; the layer behind it is wholly dead."""

    def __init__(self, door):
        super().__init__()
        self.first = linear([[1.0], [-1.0], [1.0]], [0.5, 0.5, 0.3])
        self.second = linear([[1.0] * 3] * 4, [-50.0] * 4)
        self.out, self.door, self.kept = nn.Linear(4, 1), door, None

    def forward(self, x):
        h = F.relu(self.first(x))
        return self.door(self, h, self.out(F.relu(self.second(h))))


def keep(net, h, out):
    net.kept = h
    return out


def keep_deep(net, h, out):
    net.kept = {"a": [SimpleNamespace(b=h.view(-1).data)]}
    return out


EVERYWHERE = []


DOORS = {
    "tuple": lambda net, h, out: (out, h),
    "dataclass": lambda net, h, out: Output(out, h),
    "dict": lambda net, h, out: {"out": out, "h": h},
    "object": lambda net, h, out: SimpleNamespace(out=out, more=SimpleNamespace(h=h)),
    "closure": lambda net, h, out: (out, lambda: h),
    "generator": lambda net, h, out: (t for t in (out, h)),
    "attribute": keep,
    "deep": keep_deep,
    "global": lambda net, h, out: (EVERYWHERE.append(h), out)[1],
    "sum": lambda net, h, out: out + h.sum(),
    "numpy": lambda net, h, out: (out, h.detach().numpy()),
}


@pytest.mark.parametrize("door", DOORS)
def test_features_that_leave_by_any_door_leave_hope(door):
    inspection = inspect(Doors(DOORS[door]), LINE)
    assert not inspection.is_chain
    assert inspection.table.set_index("layer").loc["second", "permanently_dead"] == 0
    EVERYWHERE.clear()


def test_features_that_a_hook_takes_leave_hope():
    for part in ("first", "second"):
        module, taken = Doors(lambda net, h, out: out), []
        assert inspect(module, LINE).is_chain
        hook = getattr(module, part).register_forward_hook(
            lambda _m, _a, out, to=taken: to.append(out)
        )
        inspection = inspect(module, LINE)
        assert not inspection.is_chain
        assert inspection.status["second"].tolist() == [1] * 4
        hook.remove()


class Own(nn.Module):
    """A silent neuron that sees nothing but data; its pre-activation is used in some way."""

    def __init__(self, use):
        super().__init__()
        self.layer, self.out, self.use = linear([[1.0]], [-2.0]), nn.Linear(1, 1), use

    def forward(self, x):
        return self.out(self.use(self.layer(x), self))


def hooked(h, net):
    if h.requires_grad:
        h.register_hook(lambda gradient: gradient + 1)
    return F.relu(h)


USES = {
    "leaky too": lambda h, net: F.relu(h) + F.leaky_relu(h),
    "gelu too": lambda h, net: F.relu(h) * F.gelu(h),
    "residual": lambda h, net: F.relu(h) + h,
    "straight through": lambda h, net: StraightThrough.apply(h),
    "passing": lambda h, net: F.relu(Passing.apply(h)),
    "hook": hooked,
    "weight too": lambda h, net: F.relu(h) + net.layer.weight.sum(),
    "weight's data too": lambda h, net: F.relu(h) + net.layer.weight.data.sum(),
    "batch mean": lambda h, net: F.relu(h - h.mean(0)),
    "average": lambda h, net: F.relu(h.mean(0, keepdim=True)).expand(len(h), 1),
    "normalized": lambda h, net: F.relu(F.batch_norm(h, None, None, training=True)),
    "softplus": lambda h, net: F.relu(h) + F.softplus(h) * 0.1,
    "in place, then the rest": lambda h, net: torch.cat([h, h], 1)[:, :1].clamp(max=3.0),
    "training only": lambda h, net: F.relu(h) + (h.sigmoid() if net.training else 0),
}


@pytest.mark.parametrize("use", USES)
def test_a_pre_activation_that_serves_elsewhere_leaves_hope(use):
    module = Own(lambda h, net: USES[use](h, net) + 0 * F.relu(h))
    assert inspect(module, LINE).status["layer"].tolist() in ([1], [0])


@pytest.mark.parametrize(
    ("relu", "status"),
    [
        (F.relu, 2),
        (lambda h: h.clamp(min=0), 1),
        (lambda h: h.clip(0), 1),
        (lambda h: torch.maximum(h, torch.zeros(())), 1),
        (lambda h: F.threshold(h, 0, 0), 2),
        (F.relu6, 2),
        (lambda h: torch.where(h >= 0, h, 0.0), 1),
    ],
)
def test_a_gradient_at_zero_revives_a_neuron_that_rests_there(relu, status):
    """The pre-activation is 0 everywhere; clamping and the maximum pass a gradient there."""
    module = nn.Sequential(linear([[0.0]], [0.0]), nn.Identity(), nn.Linear(1, 1))
    module[1].forward = relu
    assert inspect(module, LINE).status["0"].tolist() == [status]
    loss = module(LINE).sum()
    loss.backward()
    assert bool(module[0].bias.grad.any()) == (status == 1)


@pytest.mark.parametrize(
    "wrap",
    [
        nn.utils.parametrizations.weight_norm,
        nn.utils.parametrizations.spectral_norm,
        nn.utils.parametrizations.orthogonal,
        lambda layer: prune.identity(layer, "weight"),
    ],
)
def test_computed_weights_are_not_called_permanently_dead(wrap):
    layer = wrap(nn.Linear(2, 3))
    with torch.no_grad():
        layer.bias.fill_(-9.0)
    inspection = inspect(nn.Sequential(layer, nn.ReLU(), nn.Linear(3, 1)), X)
    assert inspection.table["tentatively_dead"].tolist() == [3]


def test_a_module_that_does_not_run_in_training_mode_shows_nothing_permanent():
    class Detector(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = linear([[1.0]], [-2.0])

        def forward(self, x, targets=None):
            if self.training and targets is None:
                raise ValueError("targets are needed")
            return F.relu(self.layer(x))

    inspection = inspect(Detector(), LINE)
    assert inspection.table["tentatively_dead"].tolist() == [1]
    assert "targets are needed" in str(inspection)


def test_written_parameters_are_restored():
    class Writes(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = linear([[1.0]], [-2.0])

        def forward(self, x):
            with torch.no_grad():
                self.layer.weight.add_(1.0)
            return F.relu(self.layer(x))

    module = Writes()
    assert inspect(module, LINE).table["permanently_dead"].tolist() == [0]
    assert module.layer.weight.item() == 1.0
