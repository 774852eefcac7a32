"""Follow data through a module: in evaluation mode on all of it, in training mode on a part."""

from __future__ import annotations

import dataclasses
import pickle
import random
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainability.modules.data import Batch
from trainability.modules.flow import CONSTANT, DATA, UNKNOWN, Flow
from trainability.modules.modes import Functions, Operations
from trainability.modules.probing import probing
from trainability.modules.watching import Watcher


def follow(module: nn.Module, batches: Iterable[Batch], *, batch_statistics: bool) -> Flow:
    """Run the module on all batches, and note what happens.

    A part of the first batch runs in training mode too, once with gradients: what holds for good
    must hold there as well, and silent neurons must get no gradient.
    """
    flow = Flow()
    follower = _Follower(flow, module)
    for index, batch in enumerate(batches):
        inputs = {}
        if index == 0:
            inputs = follower.train(batch)
        with probing(module, batch_statistics=batch_statistics):
            seen = follower.run(batch, counts=True)
        if index == 0:
            follower.compare(inputs, seen, batch)
    return flow


class _Follower:
    """Runs one module."""

    def __init__(self, flow: Flow, module: nn.Module) -> None:
        self.flow, self.module = flow, module
        self.written: set[int] = set()
        self.part: list[int] = []

    def train(self, batch: Batch) -> dict[str, Tensor]:
        """Two passes in training mode over half of the batch; inputs of the first layers."""
        for part in (list(range(0, batch.n, 2)), list(range(batch.n))):
            self.part = part
            before, kept = self.flow, Flow()
            try:
                self.flow = kept
                with probing(self.module, batch_statistics=True, training=True):
                    inputs = self.run(batch.part(part), counts=False)
                with probing(self.module, batch_statistics=True, training=True, gradients=True):
                    self.run(batch.part(part), counts=False, with_gradients=True)
            except Exception as problem:
                self.flow = before
                reason = str(problem).strip().splitlines() or [type(problem).__name__]
                failure = f"it does not run in training mode on this data alone: {reason[0]}"
            else:
                self.flow = before
                vars(before).update(vars(kept))
                return inputs
        self.flow.doubt(failure)
        return {}

    def run(self, batch: Batch, *, counts: bool, with_gradients: bool = False) -> dict[str, Tensor]:
        """One pass; returns what layers that see nothing but data get."""
        flow, module, batch = self.flow, self.module, batch.copied()
        names = {id(p): _layer_name(name, module) for name, p in module.named_parameters()}
        watcher = Watcher(
            flow, names, list(module.parameters()), counts=counts, with_gradients=with_gradients
        )
        memory = watcher.memory
        for buffer in module.buffers():
            block = memory.block(buffer)
            if not watcher.parameters_in(buffer) and not buffer.requires_grad:
                block.level = UNKNOWN if id(buffer) in self.written else CONSTANT
        for tensor in batch.tensors():
            memory.mark(tensor, DATA)
        chance = random.getstate(), np.random.get_state()
        numbers = pickle.dumps(chance)  # as text, NumPy's took half of a count's time
        with ExitStack() as stack:
            for name, part in module.named_modules():
                if not isinstance(part, torch.jit.ScriptModule):
                    _announce(stack, watcher, name, part)
            stack.callback(_restore, watcher)
            stack.enter_context(Functions(watcher))
            stack.enter_context(Operations(watcher))
            outputs = batch.run(module)
            watcher.busy = True
        if pickle.dumps((random.getstate(), np.random.get_state())) != numbers:
            flow.doubt("it draws random numbers outside torch")
            random.setstate(chance[0])
            np.random.set_state(chance[1])
        for buffer in module.buffers():
            if memory.block(buffer).n_writes:
                if counts and id(buffer) not in self.written:
                    flow.doubt("it writes into its buffers in evaluation mode")
                self.written.add(id(buffer))
        if with_gradients:
            self._look_at_gradients(outputs)
        else:
            for codes in memory.kept():
                flow.neurons.spend(torch.unique(codes).cpu().numpy())
        flow.n_passes += 1
        return watcher.inputs

    def _look_at_gradients(self, outputs: Any) -> None:
        """Note whose weights or biases get a gradient from a random function of the outputs."""
        flow = self.flow
        roots = [t for t in tensors_in(outputs) if t.requires_grad and not t.is_complex()]
        wanted = {}
        for name, use in flow.layers.items():
            for parameter in (use.weight, use.bias):
                if parameter is not None and parameter.requires_grad:
                    wanted[id(parameter)] = (name, parameter)
        if not roots or not wanted:
            return
        given = torch.autograd.grad(
            roots,
            [parameter for _, parameter in wanted.values()],
            [torch.randn_like(root) for root in roots],
            allow_unused=True,
        )
        for (name, _), gradient in zip(wanted.values(), given, strict=True):
            n = len(flow.layers[name].neurons)
            if gradient is not None and len(gradient) == n:
                moves = (gradient.reshape(n, -1) != 0).any(dim=1).cpu().numpy()
                flow.moving[name] = flow.moving.get(name, np.zeros(n, bool)) | moves

    def compare(self, inputs: dict[str, Tensor], seen: dict[str, Tensor], batch: Batch) -> None:
        """Doubt what depends on which examples stand together in a batch, or on the mode."""
        for name, use in self.flow.layers.items():
            if use.level != DATA:
                continue
            part, whole = inputs.get(name), seen.get(name)
            if part is None or whole is None or len(whole) % batch.n:
                use.level = UNKNOWN
                continue
            rows = whole.reshape(batch.n, -1)[self.part]
            same = rows.numel() == part.numel() and torch.allclose(
                rows.double(), part.reshape(rows.shape).double(), rtol=1e-4, atol=1e-7
            )
            if not same:
                use.level = UNKNOWN


def tensors_in(value: Any, depth: int = 6) -> list[Tensor]:
    """The tensors in containers and objects of any kind."""
    if isinstance(value, Tensor):
        return [value]
    if depth == 0 or isinstance(value, str | bytes | int | float | type | nn.Module):
        return []
    if isinstance(value, dict):
        parts: Iterable[Any] = list(value.values())
    elif isinstance(value, list | tuple | set | frozenset):
        parts = list(value)
    elif dataclasses.is_dataclass(value):
        parts = [getattr(value, field.name, None) for field in dataclasses.fields(value)]
    else:
        parts = list(getattr(value, "__dict__", {}).values())
    return [tensor for part in parts for tensor in tensors_in(part, depth - 1)]


def _announce(stack: ExitStack, watcher: Watcher, name: str, part: nn.Module) -> None:
    """Let the watcher know when the pass is inside this part."""

    def enter(*_: Any) -> None:
        watcher.inside.append((name, part))

    def leave(*_: Any) -> None:
        watcher.inside.pop()

    stack.callback(part.register_forward_pre_hook(enter, prepend=True).remove)
    stack.callback(part.register_forward_hook(leave).remove)


def _restore(watcher: Watcher) -> None:
    """Undo what the pass wrote into parameters."""
    with torch.no_grad():
        for parameter, before in watcher.saved.values():
            parameter.copy_(before)


def _layer_name(parameter: str, module: nn.Module) -> str:
    return type(module).__name__ if parameter == "weight" else parameter.removesuffix(".weight")
