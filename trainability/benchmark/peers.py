"""The same work done by what else one might use: each returns a function that does k steps.

A peer trains full batch only. It is left out where it is not installed or can't run here, and
the reason is told.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable
from importlib import import_module

import torch
from torch import nn

from trainability.benchmark import small_cnn
from trainability.benchmark.workload import QUICK, Workload

Steps = Callable[[int], None]


def nn_loop(work: Workload, n_networks: int) -> Steps:
    """A plain loop: `nn.Sequential` and `torch.optim`, one network."""
    if work.network:
        return small_cnn.nn_loop(work, n_networks)
    x, y = (torch.from_numpy(part) for part in work.data())
    layers: list[nn.Module] = []
    for fan_in, fan_out in zip(work.sizes[:-1], work.sizes[1:], strict=True):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    rule = torch.optim.Adam if work.optimizer == "adam" else torch.optim.SGD
    optimizer = rule(model.parameters(), lr=1e-3)

    def steps(k: int) -> None:
        for _ in range(k):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()

    return steps


def torch_vmap(work: Workload, n_networks: int) -> Steps:
    """`torch.func.vmap` of `grad` over stacked parameters, optimizer on the stack."""
    if work.network:
        return small_cnn.vmap_by_hand(work, n_networks)
    step = torch.func.vmap(torch.func.grad(_network_loss(work)))
    return _stacked(work, n_networks, step)


def torch_compile(work: Workload, n_networks: int) -> Steps:
    """The same under `torch.compile`."""
    step = torch.compile(torch.func.vmap(torch.func.grad(_network_loss(work))))
    return _stacked(work, n_networks, step)


def jax_scan(work: Workload, n_networks: int) -> Steps:
    """JAX: `jit(vmap(scan))`, the whole training of every network in one compiled program."""
    # Named at run time: the peer is no dependency, and type checkers run where it is not.
    jax = import_module("jax")
    jnp = import_module("jax.numpy")

    x, y = (jnp.asarray(part) for part in work.data())
    ensemble, _ = work.start(n_networks)
    parameters = tuple(
        (jnp.asarray(w.numpy()), jnp.asarray(b.numpy()))
        for w, b in zip(ensemble.weights, ensemble.biases, strict=True)
    )
    adam = work.optimizer == "adam"

    def loss(parameters):
        h = x
        for weight, bias in parameters[:-1]:
            h = jax.nn.relu(h @ weight.T + bias)
        weight, bias = parameters[-1]
        return jnp.mean((h @ weight.T + bias - y) ** 2)

    def update(state, t):
        p, m, v = state
        g = jax.grad(loss)(p)
        if not adam:
            return (jax.tree.map(lambda p, g: p - 1e-3 * g, p, g), m, v), None
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        a, b = 1e-3 / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
        p = jax.tree.map(lambda p, m, v: p - a * m / (jnp.sqrt(v) / b + 1e-8), p, m, v)
        return (p, m, v), None

    def train(p, times):
        zeros = jax.tree.map(jnp.zeros_like, p)
        (p, _, _), _ = jax.lax.scan(update, (p, zeros, zeros), times)
        return p

    compiled = jax.jit(jax.vmap(train, in_axes=(0, None)))

    def steps(k: int) -> None:
        # One length of scan, so that one program is compiled: k is done in chunks of it.
        times = jnp.arange(1, _JAX_CHUNK + 1, dtype=jnp.float32)
        for _ in range(max(1, k // _JAX_CHUNK)):
            jax.block_until_ready(compiled(parameters, times))

    return steps


_JAX_CHUNK = 20

PEERS: dict[str, tuple[Callable[[Workload, int], Steps], int]] = {
    "nn-loop": (nn_loop, 1),
    "torch-vmap": (torch_vmap, 512),
    "torch-compile": (torch_compile, 512),
    "jax": (jax_scan, 512),
}
"""Name: what it is, and how many networks it trains side by side."""


def obstacle(name: str, work: Workload, device: str = "cpu") -> str | None:
    """Why a peer is left out here, or None."""
    if work.network:
        return None if name in ("nn-loop", "torch-vmap") else "copies of a module are not among it"
    if device != "cpu" and name != "jax":
        return "measured on the CPU only"
    if work.batch != work.n_train:
        return "full batch only"
    if name == "jax":
        return _jax_obstacle(device)
    if name == "torch-compile" and shutil.which("g++") is None:
        return "no C++ compiler"
    if name == "torch-compile" and work not in QUICK:
        return "it compiles for up to a minute, so only three shapes of it are measured"
    return None


def _jax_obstacle(device: str) -> str | None:
    if importlib.util.find_spec("jax") is None:
        return "not installed"
    # Else it takes most of a GPU's memory when it starts.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    platform = import_module("jax").default_backend()
    if (platform == "gpu") != (device != "cpu"):
        return f"it runs on {platform} here"
    return None


def _network_loss(work: Workload):
    x, y = (torch.from_numpy(part) for part in work.data())

    def loss(parameters: list[torch.Tensor]) -> torch.Tensor:
        h = x
        for index in range(0, len(parameters), 2):
            h = nn.functional.linear(h, parameters[index], parameters[index + 1])
            if index + 2 < len(parameters):
                h = h.relu()
        return ((h - y) ** 2).mean()

    return loss


def _stacked(work: Workload, n_networks: int, gradient) -> Steps:
    ensemble, _ = work.start(n_networks)
    parameters = [
        part for pair in zip(ensemble.weights, ensemble.biases, strict=True) for part in pair
    ]
    rule = torch.optim.Adam if work.optimizer == "adam" else torch.optim.SGD
    optimizer = rule(parameters, lr=1e-3, fused=True)

    def steps(k: int) -> None:
        for _ in range(k):
            for parameter, derivative in zip(parameters, gradient(parameters), strict=True):
                parameter.grad = derivative
            optimizer.step()

    return steps
