"""What all copies of a user's module have in common, found out on one of them; or what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from trainability.checks import reason, shown
from trainability.errors import InputError, refuse
from trainability.modules.affine import AffineLayer, affine_layers
from trainability.modules.building import build_problems, replacement_problems
from trainability.modules.data import Batch
from trainability.modules.drawing import order_of_flow
from trainability.modules.hidden_state import hidden_state
from trainability.modules.probing import guarded, plain_module, probing
from trainability.modules.reading import files_read
from trainability.modules.stacking import modes_and_stacking
from trainability.networks.chance import seeded
from trainability.networks.copies import Layout

if TYPE_CHECKING:
    from trainability.tasks.base import Task

_EXAMPLES = 8
"""Examples on which a module is tried, at most; a normalization wants several."""


@dataclass(frozen=True)
class Blueprint:
    """Facts of a module on a task.

    Args:
        n_parameters: Numbers that training moves.
        sizes: Of the layers that schemes draw, in the order of flow: d_in and the outputs of each
            where they are Linear layers one behind the other, as for fully connected networks,
            else for each layer its groups, fan_in, fan_out and kernel.
        products: Of a weight and a number, for one example.
        numbers: That the module makes of one example on the way to its outputs.
        by_mode: Whether training mode gives other outputs than evaluation mode, or changes buffers.
        not_stacked: Why copies must be run one after the other, or "".
        layers: Names of the layers that schemes draw.
    """

    n_parameters: int
    sizes: tuple[Any, ...]
    products: int
    numbers: int
    by_mode: bool
    not_stacked: str
    layers: tuple[str, ...]


def draw_up(build: Callable[[], nn.Module], task: Task) -> Blueprint:
    """Try a module on a few training points.

    Args:
        build: Gives a new module.
        task: What it is to be trained on.

    Raises:
        InputError: If it can't be studied; lists every problem.
    """
    with files_read() as files:
        module = new_module(build)
    if files:
        raise InputError(
            f"the function reads {', '.join(files)}, and nothing would tell results apart when "
            "that changes; read it in the study file into a tensor or an array, whose numbers count"
        )
    refuse(build_problems(lambda seed: new_module(build, seed), module))
    given = torch.from_numpy(task.data()[0][:_EXAMPLES])
    x = given.clone()
    layout = Layout(module, task.input_shapes)
    batch = Batch(layout.inputs(x), {}, len(x))
    outputs, numbers = _counted(module, batch)
    refuse(_output_problems(outputs, len(x), task.d_out))
    states = [layout.state(new_module(build, seed)) for seed in (0, 1)]
    by_mode, not_stacked = modes_and_stacking(layout, states, x)
    if not not_stacked:
        not_stacked = hidden_state(lambda: Layout(new_module(build), task.input_shapes), states, x)
    refuse(_gradient_problems(module, batch))
    if not torch.equal(x, given):
        raise InputError(
            "the module writes over its inputs, which all copies and steps share; look for "
            "operations in place, such as x.mul_(2) or ReLU(inplace=True), and write x = x * 2"
        )
    # Where weights can't be drawn TorchOwn can leave them; other schemes say so.
    layers = [] if affine_layers(module, None)[2] else layers_in_flow(module, batch)
    return Blueprint(
        n_parameters=sum(p.numel() for p in module.parameters() if p.requires_grad),
        sizes=_sizes(layers),
        products=_products(module, batch),
        numbers=numbers,
        by_mode=by_mode,
        not_stacked=not_stacked,
        layers=tuple(layer.name for layer in layers),
    )


def new_module(build: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """A module, in training mode, with what its function draws from the seed.

    Raises:
        InputError: If there is none that can be trained.
    """
    with seeded(seed):
        try:
            module = build()
        except InputError:
            raise
        except (Exception, SystemExit) as error:
            raise InputError(
                f"the function that builds the module fails: {reason(error)}"
            ) from error
    if not isinstance(module, nn.Module):
        raise InputError(
            f"the function must return a torch.nn.Module, got {shown(module)}; did you forget "
            "return?"
        )
    module = plain_module(module)
    refuse(replacement_problems(module))
    trained = [p for p in module.parameters() if p.requires_grad]
    problems = [] if trained else ["the module has no parameters that training could move"]
    parameters = dict(module.named_parameters())
    if other := [name for name, p in parameters.items() if p.dtype != torch.float32]:
        problems.append(
            f"the module's parameters must be float32, got {parameters[other[0]].dtype} in "
            f"{', '.join(other)}"
        )
    tensors = parameters | dict(module.named_buffers())
    if other := [name for name, tensor in tensors.items() if tensor.device.type != "cpu"]:
        problems.append(
            f"the module must be made on the CPU, got {tensors[other[0]].device} in "
            f"{', '.join(other)}; copies are moved to where they are trained"
        )
    refuse(problems)
    return module.train()


def layers_in_flow(module: nn.Module, batch: Batch) -> list[AffineLayer]:
    """The layers that schemes draw, in the order in which data flows; none if there is none."""
    layers, _, problems = affine_layers(module, None)
    if not layers:
        return []
    refuse(problems)
    return order_of_flow(module, layers, batch)[0]


class _Numbers(TorchDispatchMode):
    """Counts the numbers that operations make."""

    n = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        results = func(*args, **(kwargs or {}))
        if not func.is_view:
            self.n += sum(t.numel() for t in tree_leaves(results) if isinstance(t, Tensor))
        return results


def _counted(module: nn.Module, batch: Batch) -> tuple[Any, int]:
    """Outputs on a batch, and how many numbers were made of one example."""
    with probing(module, batch_statistics=False), _Numbers() as counting:
        outputs = guarded(module, batch.args, {})
    return outputs, max(1, -(-counting.n // batch.n))


def _output_problems(outputs: Any, n: int, d_out: int) -> list[str]:
    wanted = f"the module must return one row of {d_out} numbers for each of the {n} examples"
    if not isinstance(outputs, Tensor):
        return [f"{wanted}, got a {type(outputs).__name__}; return a tensor"]
    if outputs.dtype != torch.float32:
        return [f"{wanted} as float32, got {outputs.dtype}"]
    if not outputs.ndim or len(outputs) != n or outputs.numel() != n * d_out:
        return [f"{wanted}, got shape {tuple(outputs.shape)}"]
    if not bool(torch.isfinite(outputs).all()):
        return ["the module gives out NaN or infinity before any training; look at how it is built"]
    return []


def _gradient_problems(module: nn.Module, batch: Batch) -> list[str]:
    for training in (True, False):  # a layer that is left out by chance is there in evaluation
        with probing(module, batch_statistics=training, training=training, gradients=True):
            if guarded(module, batch.args, {}).requires_grad:
                return []
    return [
        "no gradient gets from the module's outputs to its parameters; look for detach(), "
        "no_grad(), or layers that forward doesn't use"
    ]


def _sizes(layers: list[AffineLayer]) -> tuple[Any, ...]:
    plain = all(isinstance(layer.module, nn.Linear) for layer in layers)
    chain = [(a.fan_out, b.fan_in) for a, b in pairwise(layers)]
    if layers and plain and all(given == taken for given, taken in chain):
        return (layers[0].fan_in, *(layer.fan_out for layer in layers))
    return tuple((layer.groups, layer.fan_in, layer.fan_out, *layer.kernel) for layer in layers)


def _products(module: nn.Module, batch: Batch) -> int:
    """Products of a weight and a number for one example; of other than affine layers one each."""
    n_products = sum(p.numel() for p in module.parameters() if p.ndim < 2)
    hooks = []
    counted: list[int] = []

    def count(part: Any, _: Any, outputs: Tensor) -> None:
        neurons = part.weight.shape[0] if isinstance(part, nn.Linear) else part.out_channels
        counted.append(part.weight.numel() * (outputs.numel() // neurons))

    for part in module.modules():
        if isinstance(part, nn.Linear | nn.modules.conv._ConvNd):
            hooks.append(part.register_forward_hook(count))
    try:
        with probing(module, batch_statistics=False):
            guarded(module, batch.args, {})
    finally:
        for hook in hooks:
            hook.remove()
    return n_products + sum(counted) // batch.n
