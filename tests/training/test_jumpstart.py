"""A penalty of extremes, as Jumpstart's paper has it, in every engine that takes it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
import training_by_loop as loop
from example_cells import a_cell

from trainability.death import ACTIVE, PERMANENT, TENTATIVE, census
from trainability.errors import InputError
from trainability.optimizers import SGD
from trainability.penalties import Jumpstart
from trainability.training import choose_engine, engine_type
from trainability.training.catalog import engine_modules


def engines_for(task, sizes=(2, 5, 3, 3)):
    engines = [engine_type(name)("cpu") for name in engine_modules()]
    return [engine for engine in engines if not engine.problem_obstacle(sizes, task)]


def published(weights, biases, x, coefficient: float, rho: float, terms: str) -> torch.Tensor:
    """The sum of the paper, straight from its formula; one hidden layer after the other."""
    total, h = torch.zeros((), dtype=x.dtype), x
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        z = h @ weight.T + bias
        for axis, name in ((0, "units"), (1, "samples")):
            if terms in (name, "both"):
                to_on = (1 - z.max(axis).values).clamp_min(0)
                to_off = (1 + z.min(axis).values).clamp_min(0)
                total = total + ((rho * to_on + (1 - rho) * to_off) ** 2).sum()
        h = z.relu()
    return coefficient * total


@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("terms", ["both", "units", "samples"])
def test_jumpstart_descends_the_sum_of_its_paper(terms, batch_size) -> None:
    """One step of gradient descent, in every engine that takes it, against automatic
    differentiation of loss and sum in float64; float32 strays by some roundings.
    """
    sizes, rate = (2, 5, 3, 3), 0.1
    penalty = Jumpstart(0.2, rho=0.3, terms=terms)
    task = loop.problem(sizes, 4, SGD(rate), batch_size=batch_size)
    task = dataclasses.replace(task, penalty=penalty)
    nets = loop.ensemble(sizes, 4)
    engines = engines_for(task)
    assert {engine.name for engine in engines} >= {"torch", "fused-cpu"}
    trained = []
    for engine in engines:
        training = engine.start(nets, task)
        training.advance(1)
        trained.append(training.ensemble())
    for n in range(4):
        points = loop.points_of_step(task, n, 0)
        x, y = (torch.from_numpy(table[points]).double() for table in (task.x, task.y))
        first = [t[n].double().requires_grad_() for t in (*nets.weights, *nets.biases)]
        h = x
        for weight, bias in zip(first[:3], first[3:], strict=True):
            h = (h if weight is first[0] else h.relu()) @ weight.T + bias
        descended = ((h - y) ** 2).mean() + published(first[:3], first[3:], x, 0.2, 0.3, terms)
        gradients = torch.autograd.grad(descended, first)
        for one in trained:
            ours = [t[n].double() for t in (*one.weights, *one.biases)]
            for new, old, gradient in zip(ours, first, gradients, strict=True):
                torch.testing.assert_close(
                    new, (old - rate * gradient).detach(), rtol=1e-4, atol=1e-5
                )


def test_jumpstart_shares_a_derivative_among_all_that_are_extreme_and_counts_no_filling() -> None:
    """All points have the pre-activation -2, those that fill up a pass as well, and the neuron is
    dead: only the penalty moves it, by the mean of the 5 points and not of what fills up.
    """
    task = loop.problem((1, 1, 1), 1, SGD(1.0), n_points=5)
    x = np.array([[0.0], [1.0], [0.5], [0.0], [0.2]], dtype=np.float32)
    penalty = Jumpstart(0.5, rho=1.0, terms="units")
    task = dataclasses.replace(task, x=x, penalty=penalty)
    nets = loop.ensemble((1, 1, 1), 1)
    nets.weights[0].fill_(0.0)
    nets.biases[0].fill_(-2.0)
    for engine in engines_for(task, (1, 1, 1)):
        training = engine.start(nets, task)
        training.advance(1)
        # s = 1 - max z = 3; the derivative of coefficient s^2 by max z is -2 * .5 * 3.
        after = training.ensemble()
        assert after.biases[0].item() == pytest.approx(-2.0 + 3.0, abs=1e-6), engine.name
        assert after.weights[0].item() == pytest.approx(3.0 * x.mean(), abs=1e-6), engine.name


def test_under_jumpstart_no_death_is_permanent_and_the_dead_come_back() -> None:
    """By the declaration of the penalty: the cell's census asks it."""
    cell = a_cell(penalty=Jumpstart(1e-2), optimizer=SGD(0.1))
    plain = a_cell(optimizer=SGD(0.1))
    nets = loop.ensemble((1, 4, 1), 3)
    nets.weights[0][:, :2] = 0.1
    nets.biases[0][:, :2] = -0.4
    domain = cell.task.domain
    assert (census(nets, domain, idle=plain.idle).status[0][:, :2] == PERMANENT).all()
    assert (census(nets, domain, idle=cell.idle).status[0][:, :2] == TENTATIVE).all()
    task = loop.problem((1, 4, 1), 3, SGD(0.1))
    for penalty, revived in ((None, False), (Jumpstart(0.1), True)):
        theirs = dataclasses.replace(task, penalty=penalty)
        training = choose_engine("auto", (1, 4, 1), theirs).start(nets, theirs)
        training.advance(500)
        status = census(training.ensemble(), domain).status[0][:, :2]
        assert (status == ACTIVE).all() == revived and (revived or (status != ACTIVE).all())


def test_an_engine_without_extremes_refuses_by_the_name_of_the_penalty(monkeypatch) -> None:
    task = dataclasses.replace(loop.problem((1, 3, 1), 1, SGD(0.1)), penalty=Jumpstart(1e-4))
    for name in ("graph-gpu", "warp-gpu"):
        refusal = engine_type(name)().problem_obstacle((1, 3, 1), task)
        assert refusal is not None
        assert refusal.startswith(
            "Jumpstart(coefficient=0.0001) wants extremes of pre-activations, which this engine"
        )
    monkeypatch.setattr(engine_type("fused-cpu"), "meets", frozenset())
    assert choose_engine("auto", (1, 3, 1), task).name == "torch"
    with pytest.raises(InputError, match="'fused-cpu' can't train this: Jumpstart.*try engine"):
        choose_engine("fused-cpu", (1, 3, 1), task)
