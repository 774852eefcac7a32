"""Every engine trains every rule: activations x losses x penalties x optimizers, as found."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable

import numpy as np
import pytest
import torch
import training_by_loop as loop
from rule_examples import (
    ACTIVATIONS,
    LOSSES,
    OPTIMIZERS,
    PENALTIES,
    SCHEDULES,
    Differentiable,
    targets_for,
)

from trainability.seeds import batch_order
from trainability.training import Problem, engine_type
from trainability.training.catalog import engine_modules

# Small, for what takes time is to compile.
SIZES, N_NETWORKS, N_STEPS = (2, 4, 3, 2), 3, 12
ENGINES = [engine_type(name)("cpu") for name in engine_modules()]
LEAST = 1000 * 2.0**-24
"""Relative straying that is always allowed: tanh and erf are off by some 10 roundings."""


KINDS = (ACTIVATIONS, LOSSES, PENALTIES, OPTIMIZERS, (None, 7))
"""The last are points per minibatch."""


def cases() -> tuple[list[tuple], list[tuple]]:
    """Those of every day, and the rest.

    First every activation three times, so that all pairs of a loss, a penalty, an optimizer and a
    size of batches meet, every activation meets every size, and as many pairs and threes as may be;
    schedules with rules whose kernel there is by then. The rest are the pairs of an activation and
    a loss that are left: code for hidden neurons and code for outputs.
    """
    met: set[tuple] = set()

    def choose(*candidates: Iterable[int]) -> tuple[int, ...]:
        def new(case: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(len(meetings(case, n) - met) for n in (2, 3))

        chosen = max(itertools.product(*candidates), key=new)
        met.update(*(meetings(chosen, n) for n in (2, 3)))
        return chosen

    every = [range(len(kind)) for kind in KINDS]
    chosen = [choose([a], *every[1:]) for _ in range(3) for a in every[0]]
    places = [[(i, k) for k in every[i]] for i in range(len(KINDS))]
    two_of = [*itertools.combinations(places[1:], 2), (places[0], places[-1])]
    wanted = {pair for two in two_of for pair in itertools.product(*two)}
    while not wanted <= met:
        chosen.append(choose(*every))
    rest = [
        choose([a], [ls], *every[2:])
        for a, ls in itertools.product(*every[:2])
        if ((0, a), (1, ls)) not in met
    ]
    first = [rules_of(case) for case in chosen]
    compiled = itertools.cycle([case for case in first if case[3] == OPTIMIZERS[0]])
    for schedule in SCHEDULES:
        *of_it, optimizer, size = next(compiled)
        first.append((*of_it, dataclasses.replace(optimizer, schedule=schedule), size))
    return first, [rules_of(case) for case in rest]


def meetings(case: tuple[int, ...], n: int) -> set[tuple]:
    return {*itertools.combinations(enumerate(case), n)}


def rules_of(case: tuple[int, ...]) -> tuple:
    return tuple(kind[k] for kind, k in zip(KINDS, case, strict=True))


FIRST, REST = cases()


def name_of(case: tuple) -> str:
    return "-".join(str(rule) for rule in case).replace("()", "")


def problem_of(activation, loss, penalty, optimizer, batch_size) -> Problem:
    plain = loop.problem(SIZES, N_NETWORKS, optimizer, batch_size=batch_size)
    return dataclasses.replace(
        plain,
        y=targets_for(loss, len(plain.x), SIZES[-1]),
        activation=activation,
        loss=loss,
        penalty=penalty,
    )


@pytest.mark.parametrize("case", FIRST, ids=name_of)
def test_every_engine_trains_as_automatic_differentiation_does(case) -> None:
    """Or refuses by name. The oracle strays in float32 from itself in float64; an engine may
    stray 10 times as far. Networks whose loss grows a hundredfold, as polynomials may, are left
    out; one that diverges in the oracle does so in an engine.
    """
    train(case)


@pytest.mark.parametrize("case", REST, ids=name_of)
def test_every_activation_is_trained_with_every_loss(case) -> None:
    train(case)


def train(case: tuple) -> None:
    task = problem_of(*case)
    nets = dataclasses.replace(loop.ensemble(SIZES, N_NETWORKS), activation=task.activation)
    assert len(nets.learnable) == (len(SIZES) - 2 if task.activation.learnable else 0)
    exact, rounded = (curves(nets, task, dtype) for dtype in (torch.float64, torch.float32))
    lost = ~np.isfinite(exact[:, -1]) & ~np.isfinite(rounded[:, -1])
    tame = (exact < 100 * exact[:, :1]).all(axis=1)
    assert tame.any()
    exact, rounded = exact[tame], rounded[tame]
    straying = np.maximum.accumulate((np.abs(rounded - exact) / exact).max(axis=0))
    bound = np.maximum(10 * straying, LEAST)
    for engine in ENGINES:
        if engine.problem_obstacle(SIZES, task):
            continue
        training = engine.start(nets, task)
        computed = np.empty_like(exact)
        for step in range(N_STEPS + 1):
            training.advance(step)
            computed[:, step] = training.loss[tame]
        assert training.diverged[lost].all() and not training.diverged[tame].any()
        assert (np.abs(computed - exact) / exact < bound).all(), engine.name
        assert training.ensemble().activation == task.activation


def curves(nets, task: Problem, dtype: torch.dtype) -> np.ndarray:
    """The loss before every step and after the last, network by network."""
    computed = np.empty((N_NETWORKS, N_STEPS + 1))
    x, y = (torch.from_numpy(table).to(dtype) for table in (task.x, task.y))
    numbers = task.optimizer.numbers()
    own = task.penalty.numbers() if task.penalty is not None else []
    factors = task.optimizer.factors(0, N_STEPS + 1).astype(float)
    for n in range(N_NETWORKS):
        parameters = [tensor[n].to(dtype) for tensor in nets.parameters]
        moments = [
            [torch.zeros_like(p) for p in parameters] for _ in range(task.optimizer.n_moments)
        ]
        for step in range(N_STEPS + 1):
            computed[n, step] = loss_at(task, parameters, x, y)
            points = points_of(task, n, step)
            free = [p.clone().requires_grad_() for p in parameters]
            descended = loss_at(task, free, x[points], y[points])
            descended = descended + pull_of_extremes(task, free, x[points])
            gradients = torch.autograd.grad(descended, free)
            for k, (p, g) in enumerate(zip(parameters, gradients, strict=True)):
                if task.penalty is not None:
                    g = task.penalty.gradient(Differentiable(), p, g, p.ndim == 2, own)
                kept = [group[k] for group in moments]
                parameters[k] = task.optimizer.update(
                    Differentiable(), p, g, kept, numbers, factors[step].tolist()
                )
                for group, moment in zip(moments, kept, strict=True):
                    group[k] = moment
    return computed


def pre_activations(task: Problem, parameters, x) -> list[torch.Tensor]:
    """Of every layer, shape (points, neurons); those of the last are the outputs."""
    on, h, z = Differentiable(), x, []
    n_affine = 2 * (len(SIZES) - 1)
    learnable = [list(numbers) for numbers in parameters[n_affine:]] or [[]] * len(SIZES)
    for layer, k in enumerate(range(0, n_affine, 2)):
        z.append(h @ parameters[k].T + parameters[k + 1])
        if k < n_affine - 2:
            h = task.activation.value_at(on, z[-1], learnable[layer])
    return z


def pull_of_extremes(task: Problem, parameters, x) -> torch.Tensor:
    """A number whose derivative is that of the penalty by the extremes that it asks for.

    Torch's amax and amin share a derivative equally where there are several.
    """
    total = torch.zeros((), dtype=x.dtype)
    if task.penalty is None:
        return total
    for over in task.penalty.extremes:
        axis = {"points": 0, "neurons": 1}[over]
        for z in pre_activations(task, parameters, x)[:-1]:
            ends = z.amax(axis), z.amin(axis)
            pulls = task.penalty.by_extremes(
                Differentiable(), *(end.detach() for end in ends), task.penalty.numbers()
            )
            total = total + sum((end * pull).sum() for end, pull in zip(ends, pulls, strict=True))
    return total


def loss_at(task: Problem, parameters, x, y) -> torch.Tensor:
    on, h = Differentiable(), pre_activations(task, parameters, x)[-1]
    scale = torch.full_like(h, task.loss.scale(*h.shape))
    if task.loss.by_rows:
        rows = [list(tensor.unbind(1)) for tensor in (h, y)]
        return task.loss.accumulate(on, *rows, scale[:, 0], 0.0)[1].sum() * task.loss.factor
    return task.loss.accumulate(on, [h], [y], scale, 0.0)[1].sum() * task.loss.factor


def points_of(task: Problem, n: int, step: int) -> np.ndarray:
    if task.batch_size is None:
        return np.arange(len(task.x))
    epoch, batch = divmod(step, task.steps_per_epoch)
    order = batch_order(task.order_keys[n : n + 1], epoch, len(task.x))[0]
    return order[batch * task.batch_size : (batch + 1) * task.batch_size]
