"""The oracle: one network after the other as `nn.Sequential` under `torch.optim`."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import nn

from trainability.networks import Ensemble
from trainability.optimizers import SGD, Adam, Optimizer
from trainability.seeds import batch_order, order_keys
from trainability.training import Problem


def ensemble(sizes: tuple[int, ...], n_networks: int, seed: int = 0) -> Ensemble:
    """He-like weights, with biases that keep some neurons dead."""
    rng = np.random.default_rng(seed)

    def draw(shape: tuple[int, ...], scale: float) -> torch.Tensor:
        return torch.from_numpy((scale * rng.standard_normal(shape)).astype(np.float32))

    fans = list(itertools.pairwise(sizes))
    return Ensemble(
        tuple(draw((n_networks, out, into), (2 / into) ** 0.5) for into, out in fans),
        tuple(draw((n_networks, out), 0.3) for _, out in fans),
    )


def problem(
    sizes: tuple[int, ...],
    n_networks: int,
    optimizer: Optimizer,
    *,
    n_points: int = 37,
    batch_size: int | None = None,
    tolerance: float = 0.0,
) -> Problem:
    rng = np.random.default_rng(1)
    x = rng.uniform(-1.7, 1.7, (n_points, sizes[0]))
    y = np.abs(x @ rng.standard_normal((sizes[0], sizes[-1])))
    return Problem(
        x=x.astype(np.float32),
        y=y.astype(np.float32),
        optimizer=optimizer,
        tolerance=tolerance,
        batch_size=batch_size,
        order_keys=order_keys(0, "oracle", 0)[:n_networks],
    )


def curves(nets: Ensemble, task: Problem, n_steps: int, dtype: torch.dtype) -> np.ndarray:
    """The loss over all points before every step and after the last, (n_networks, n_steps + 1)."""
    x, y = torch.from_numpy(task.x).to(dtype), torch.from_numpy(task.y).to(dtype)
    computed = np.empty((nets.n_networks, n_steps + 1))
    for index in range(nets.n_networks):
        net = sequential(nets, index).to(dtype)
        optimizer = torch_optimizer(task.optimizer, net)
        for step in range(n_steps + 1):
            with torch.no_grad():
                computed[index, step] = nn.functional.mse_loss(net(x), y)
            points = points_of_step(task, index, step)
            optimizer.zero_grad()
            nn.functional.mse_loss(net(x[points]), y[points]).backward()
            optimizer.step()
    return computed


def points_of_step(task: Problem, index: int, step: int) -> np.ndarray:
    """The points that network `index` sees at `step`."""
    if task.batch_size is None:
        return np.arange(len(task.x))
    epoch, batch = divmod(step, task.steps_per_epoch)
    order = batch_order(task.order_keys[index : index + 1], epoch, len(task.x))[0]
    return order[batch * task.batch_size : (batch + 1) * task.batch_size]


def sequential(nets: Ensemble, index: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for weight, bias in zip(nets.weights, nets.biases, strict=True):
        layer = nn.Linear(weight.shape[2], weight.shape[1])
        layer.weight.data = weight[index].clone()
        layer.bias.data = bias[index].clone()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def torch_optimizer(optimizer: Optimizer, net: nn.Module) -> torch.optim.Optimizer:
    if isinstance(optimizer, SGD):
        return torch.optim.SGD(
            net.parameters(), lr=optimizer.learning_rate, momentum=optimizer.momentum
        )
    assert isinstance(optimizer, Adam)
    return torch.optim.Adam(
        net.parameters(),
        lr=optimizer.learning_rate,
        betas=(optimizer.beta1, optimizer.beta2),
        eps=optimizer.epsilon,
    )
