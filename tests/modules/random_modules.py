"""Modules put together at random, as people write them, and training that uses all they give."""

import dataclasses
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from trainability.modules.following import tensors_in

WIDTH = 4


class StraightThrough(torch.autograd.Function):
    """A ReLU whose backward pass lets every gradient through."""

    @staticmethod
    def forward(ctx, h):
        return h.clamp(min=0)

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class Passing(torch.autograd.Function):
    """The identity, with a gradient that its own forward pass knows nothing of."""

    @staticmethod
    def forward(ctx, h):
        return h.view_as(h)

    @staticmethod
    def backward(ctx, gradient):
        return gradient + 0.1


def scripted(function):
    """Compiled by torch.jit.script, which newer torches warn of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(function)


@scripted
def swish(h: torch.Tensor) -> torch.Tensor:
    return h * torch.sigmoid(h)


@scripted
def moved(h: torch.Tensor) -> torch.Tensor:
    h[:, 0] = h[:, 1]
    return h - 0.3


RELUS = {
    "module": nn.ReLU(),
    "function": F.relu,
    "torch": torch.relu,
    "method": lambda h: h.relu(),
    "in place": lambda h: torch.relu_(h.clone()),
    "clamp": lambda h: h.clamp(min=0),
    "threshold": lambda h: F.threshold(h, 0, 0),
    "maximum": lambda h: torch.maximum(h, torch.zeros(())),
    "six": F.relu6,
    "where": lambda h: torch.where(h > 0, h, 0.0),
    "mask": lambda h: h * (h > 0),
    "straight through": StraightThrough.apply,
    "part by part": lambda h: torch.cat([F.relu(part) for part in h.chunk(2, 1)], 1),
    "pooled": lambda h: F.relu(F.max_pool1d(h[:, :, None].repeat(1, 1, 2), 2)).flatten(1),
    "transposed": lambda h: F.relu(h.T).T,
    "written": lambda h: F.relu(_written(h)),
}


def _written(h):
    out = torch.zeros(len(h), h.shape[1])
    out[:, :] = h
    return out


class Act(nn.Module):
    """A ReLU in one of its spellings."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def forward(self, h):
        return RELUS[self.kind](h)


@dataclasses.dataclass
class Features:
    logits: torch.Tensor
    hidden: torch.Tensor


class Random(nn.Module):
    """Steps drawn from a list; each keeps the width."""

    def __init__(self, rng: np.random.Generator):
        super().__init__()
        self.layers = nn.ModuleList()
        self.acts = nn.ModuleList()
        self.norms = nn.ModuleList()
        self.plan = []
        self.kept = []
        self.leaf = torch.randn(WIDTH, requires_grad=True)
        self.register_buffer("offset", torch.full((WIDTH,), 0.1))
        self.first = self.add_layer(rng)
        for _ in range(rng.integers(1, 5)):
            self.plan.append(self.step(rng))
        self.out = nn.Linear(WIDTH, 1)
        self.ending = str(rng.choice(["plain", "plain", "tuple", "dict", "dataclass"]))

    def add_layer(self, rng, kind=None):
        kind = kind or rng.choice(["linear"] * 4 + ["convolution", "weight norm", "no bias"])
        if kind == "convolution":
            layer = nn.Sequential(
                nn.Unflatten(1, (WIDTH, 1)), nn.Conv1d(WIDTH, WIDTH, 1), nn.Flatten()
            )
        elif kind == "weight norm":
            layer = nn.utils.parametrizations.weight_norm(nn.Linear(WIDTH, WIDTH))
        else:
            layer = nn.Linear(WIDTH, WIDTH, bias=kind != "no bias")
        with torch.no_grad():
            for parameter in layer.parameters():
                values = rng.standard_normal(tuple(parameter.shape))
                if parameter.ndim == 1:
                    values -= rng.choice([0.0, 1.0, 3.0])
                elif kind in ("linear", "no bias", "convolution"):
                    signed = rng.random(len(values)) < 0.25
                    values[signed] = -np.abs(values[signed])
                parameter.copy_(torch.tensor(values))
        self.layers.append(layer)
        return len(self.layers) - 1

    def add_act(self, rng):
        common = ["module", "function", "clamp", "torch"]
        kind = rng.choice(common) if rng.random() < 0.5 else rng.choice(sorted(RELUS))
        self.acts.append(Act(str(kind)))
        return len(self.acts) - 1

    def step(self, rng):
        names = [
            "plain", "plain", "plain", "norm", "residual", "residual_pre", "cat", "gate", "write",
            "add_in_place", "dropout", "leaky_too", "kept", "detach", "round_trip", "no_grad",
            "script", "script_written", "leaf", "passing", "checkpoint", "centered", "again",
            "data", "pool_mean", "buffer", "item", "average", "copied", "scatter",
        ]  # fmt: skip
        name = str(rng.choice(names))
        layer = self.first if name == "again" else self.add_layer(rng)
        self.norms.append(nn.BatchNorm1d(WIDTH) if rng.random() < 0.5 else nn.LayerNorm(WIDTH))
        return name, layer, self.add_act(rng), len(self.norms) - 1

    def forward(self, x):
        self.kept = []
        h = self.layers[self.first](x)
        entry = h
        h = F.relu(h)
        for name, layer, act, norm in self.plan:
            h = self.take(name, h, x, entry, self.layers[layer], self.acts[act], self.norms[norm])
        out = self.out(h)
        if self.ending == "tuple":
            return out, h
        if self.ending == "dict":
            return {"out": out, "more": [h]}
        return Features(out, h) if self.ending == "dataclass" else out

    def take(self, name, h, x, entry, layer, act, norm):
        """One step."""
        if name == "norm":
            return act(norm(layer(h)))
        if name == "residual":
            return act(layer(h)) + h
        if name == "residual_pre":
            return act(layer(h) + entry)
        if name == "cat":
            return torch.cat([act(layer(h))[:, :2], h[:, 2:]], 1)
        if name == "gate":
            one, other = layer(h).chunk(2, 1)
            return torch.cat([act(one), torch.sigmoid(other)], 1)
        if name == "write":
            out = torch.zeros(len(h), WIDTH)
            out[:, :] = h - 0.5
            return act(layer(out))
        if name == "copied":
            return act(layer(torch.zeros(len(h), WIDTH).copy_(h - 0.5)))
        if name == "scatter":
            where = torch.arange(WIDTH).expand(len(h), -1)
            return act(layer(torch.zeros(len(h), WIDTH).scatter_(1, where, h - 0.5)))
        if name == "add_in_place":
            h = h.clone()
            h += layer(h)
            return act(h)
        if name == "dropout":
            return act(layer(F.dropout(h, 0.3, self.training)))
        if name == "leaky_too":
            pre = layer(h)
            return act(pre) + F.leaky_relu(pre)
        if name == "kept":
            pre = layer(h)
            self.kept.append({"deep": [pre.view(-1)]})
            return act(pre)
        if name == "detach":
            return act(layer(h.detach() - 0.5))
        if name == "round_trip":
            return act(layer(torch.from_numpy(h.detach().numpy() - 0.5)))
        if name == "no_grad":
            with torch.no_grad():
                fixed = h - 0.5
            return act(layer(fixed))
        if name == "script":
            return act(layer(swish(h - 0.5)))
        if name == "script_written":
            return act(layer(moved(h.clone())))
        if name == "leaf":
            return act(layer(x * 0 + self.leaf))
        if name == "passing":
            return act(Passing.apply(layer(h)))
        if name == "checkpoint":
            reentrant = len(self.plan) % 2 == 0
            return checkpoint(lambda h: act(layer(h)), h, use_reentrant=reentrant)
        if name == "centered":
            return act(layer(x - x.mean(0)))
        if name == "data":
            return act(layer(x))
        if name == "buffer":
            return act(layer(x + self.offset)) + h
        if name == "pool_mean":
            return act(layer(h.mean(1, keepdim=True).expand(-1, WIDTH)))
        if name == "item":
            return act(layer(x * float(h.detach().mean())))
        if name == "average":
            return act(layer(h) - layer(h).mean(0))
        return act(layer(h))


def random_case(seed):
    """A module and data for it."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    module = Random(rng)
    x = torch.tensor(rng.standard_normal((12, WIDTH)), dtype=torch.float32)
    return module, (x if rng.random() < 0.7 else x.abs())


def train(module, x, seed, n_steps=200):
    """Steps on a loss of all that the module gives out and keeps; whether it stayed finite."""
    rng = np.random.default_rng(seed)
    parameters = [*module.parameters(), module.leaf]
    rate = float(rng.choice([0.01, 0.1, 0.5]))
    if rng.random() < 0.5:
        optimizer = torch.optim.Adam(parameters, lr=min(rate, 0.1), foreach=True)
    else:
        optimizer = torch.optim.SGD(parameters, lr=rate, foreach=True)
    whole = rng.random() < 0.5
    goal = float(rng.choice([-2.0, 0.0, 3.0]))
    module.train()
    for _ in range(n_steps):
        rows = slice(None) if whole else torch.from_numpy(rng.choice(len(x), 6, replace=False))
        given = tensors_in((module(x[rows]), module.kept))
        loss = sum((t - goal).square().mean() for t in given if t.requires_grad)
        optimizer.zero_grad()
        loss.backward()
        length = torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        if not torch.isfinite(length):
            return False
        optimizer.step()
    return True
