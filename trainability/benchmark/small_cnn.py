"""Copies of the network of the study `small_cnn`, as a study trains them and written by hand.

Both do the same: steps on minibatches of each copy's own order, with the batch's statistics where
there is batch normalization, and once an epoch the loss of all points in evaluation mode, by which
a study tells who has succeeded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from trainability.families import family_of
from trainability.families.copies_of_module import ENGINE
from trainability.losses import CrossEntropy
from trainability.networks.copies import Copies
from trainability.schemes import He
from trainability.study import load_study
from trainability.study.cell import Cell
from trainability.study.files import shipped_studies
from trainability.tasks import Digits
from trainability.training import Training

if TYPE_CHECKING:
    from trainability.benchmark.workload import Workload

__all__ = ["ENGINE", "cell_of", "engine_steps", "nn_loop", "vmap_by_hand"]

Steps = Callable[[int], Any]


@lru_cache(maxsize=16)
def cell_of(work: Workload) -> Cell:
    """What a study would run."""
    study = load_study(str(shipped_studies()["small_cnn"]))
    modules = [cell.network for cell in study.cells() if cell.network is not None]
    module = next(m for m in modules if m.arguments["batch_norm"] == work.batch_norm)
    return Cell(
        task=Digits(n_pictures=work.n_train),
        scheme=He(),
        width=None,
        depth=None,
        optimizer=work.rule,
        batch_size=work.batch,
        max_steps=10**9,
        tolerance=0.0,  # nobody retires
        seed=0,
        loss=CrossEntropy(),
        network=module.with_arguments(channels=work.width),
    )


def training_of(
    work: Workload, n_copies: int, device: str = "cpu", threads: int = 1
) -> Training[Copies]:
    """Copies in training, as a study has them."""
    family = family_of(cell_of(work), device)
    problem = family.problem([0])
    problem = replace(problem, order_keys=problem.order_keys[:n_copies])
    return family.start(family.draw([0])[:n_copies], problem, "auto", threads)[0]


def engine_steps(work: Workload, n_copies: int, device: str, threads: int) -> Steps:
    """A function that trains k steps more, as a study does."""
    training = training_of(work, n_copies, device, threads)
    training.advance(0)

    def steps(k: int) -> None:
        training.advance(int(training.steps[0]) + k)

    return steps


def nn_loop(work: Workload, n_copies: int) -> Steps:
    """One module, by its own passes and `torch.optim`."""
    x, y = _pictures(work)
    model = cell_of(work).build()
    optimizer = torch.optim.SGD(model.parameters(), lr=work.rule.learning_rate)

    def steps(k: int) -> None:
        order = torch.randperm(len(x))
        for step in range(k):
            batch = step % (len(x) // work.batch)
            if not batch:
                order = torch.randperm(len(x))
                with torch.no_grad():
                    nn.functional.cross_entropy(model.eval()(x), y)
            at = order[batch * work.batch : (batch + 1) * work.batch]
            optimizer.zero_grad()
            nn.functional.cross_entropy(model.train()(x[at]), y[at]).backward()
            optimizer.step()

    return steps


def vmap_by_hand(work: Workload, n_copies: int, device: str = "cpu") -> Steps:
    """`torch.func`: `vmap` of `grad` over stacked parameters and buffers, SGD on the stack."""
    models = [cell_of(work).build().to(device) for _ in range(n_copies)]
    parameters, buffers = torch.func.stack_module_state(models)  # type: ignore[arg-type]
    return stacked_steps(work, parameters, buffers, device)


def stacked_steps(
    work: Workload, stacked: dict[str, Tensor], buffers: dict[str, Tensor], device: str = "cpu"
) -> Callable[[int], dict[str, Tensor]]:
    """A function that trains k steps more, and gives the parameters.

    Args:
        work: What is trained.
        stacked: Parameters of R copies by name, (R, ...) each.
        buffers: The same of buffers.
        device: Where they are.
    """
    x, y = (tensor.to(device) for tensor in _pictures(work))
    n_copies = len(next(iter(stacked.values())))
    model = cell_of(work).build().to(device)

    def loss(parameters: Any, buffers: Any, x: Tensor, y: Tensor) -> tuple[Tensor, Any]:
        buffers = {name: buffer.clone() for name, buffer in buffers.items()}
        outputs = functional_call(model, (parameters, buffers), (x,))
        return nn.functional.cross_entropy(outputs, y), buffers

    gradients = vmap(grad(loss, has_aux=True))
    losses = vmap(loss, in_dims=(0, 0, None, None))
    rate = work.rule.learning_rate

    def steps(k: int) -> dict[str, Tensor]:
        nonlocal stacked, buffers
        order = torch.empty(0, 0, dtype=torch.int64)
        for step in range(k):
            batch = step % (len(x) // work.batch)
            if not batch:
                order = torch.rand(n_copies, len(x), device=device).argsort(dim=1)
                model.eval()
                with torch.no_grad():
                    losses(stacked, buffers, x, y)
                model.train()
            at = order[:, batch * work.batch : (batch + 1) * work.batch]
            by_parameter, buffers = gradients(stacked, buffers, x[at], y[at])
            with torch.no_grad():
                stacked = {
                    name: value.detach() - rate * by_parameter[name]
                    for name, value in stacked.items()
                }
        if device != "cpu":
            torch.cuda.synchronize(device)
        return stacked

    return steps


def _pictures(work: Workload) -> tuple[Tensor, Tensor]:
    """Pictures and their classes."""
    task = cell_of(work).task
    x, y = map(torch.from_numpy, task.data())
    return x.reshape(len(x), *task.input_shapes[0]), y.argmax(dim=1)
