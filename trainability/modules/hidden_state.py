"""What runs of copies leave in a module, beside parameters and buffers, that later runs may see."""

from __future__ import annotations

import logging
import math
import types
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainability.errors import InputError
from trainability.networks.copies import Layout

State = tuple[Sequence[Tensor], Sequence[Tensor]]
"""The trained and the kept tensors of a copy."""
SEEN = "what a copy gives out depends on the copies that were run before it"
KEPT = "the module counts or collects in its attributes, which all copies share"
_ROUNDS = 3
_SHAKEN = 0.1
"""Standard deviation of what is added to numbers that a module is built with."""
_DEEPEST = 8
"""Objects within objects that are looked into."""
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def hidden_state(fresh: Callable[[], Layout], states: Sequence[State], x: Tensor) -> str:
    """How copies of a module hang together by what is no parameter and no buffer, or "".

    Two looks, neither of which asks how large an output is. A copy must give out the same bits
    whatever was run before it: on a module of its own, and on one through which the other copy and
    it have gone in both modes. Where its numbers as built hide that, as those of a last layer of
    zeros do, numbers beside them may not. And a run like the one before may leave nothing new: what
    counts calls may tell at the thousandth only. What a module keeps of its last run, or makes once
    from what all copies have in common, is neither.

    Args:
        fresh: Gives the layout of a module that was never run.
        states: Of two copies, from `Layout.state`.
        x: Inputs, shape (N, d_in).

    Raises:
        InputError: If the module makes parameters while it runs: nothing would train them.
    """
    if _sees(fresh, states, x) or _sees(fresh, [_shaken(state) for state in states], x):
        return SEEN
    layout = fresh()
    for training in (False, True):
        _run(layout, states[0], 0, x, training)
        before = _snapshot(layout.running)
        _run(layout, states[0], 0, x, training)
        if _snapshot(layout.running) != before:
            return KEPT
    made = set(dict(layout.running.named_parameters())) - {*layout.trained, *layout.kept}
    if made:
        raise InputError(
            f"the module makes parameters while it runs, which nothing would train: "
            f"{', '.join(sorted(made))}; make them in __init__"
        )
    return ""


def _sees(fresh: Callable[[], Layout], states: Sequence[State], x: Tensor) -> bool:
    """Whether a copy gives out other bits after others than on a module of its own."""
    turns = list(product((False, True), range(len(states))))
    try:
        alone = {turn: _run(fresh(), states[turn[1]], turn[1], x, turn[0]) for turn in turns}
    except Exception:  # of numbers that were shaken; those as built have been run
        return False
    used = fresh()
    try:
        return any(
            _run(used, states[copy], copy, x, training) != alone[training, copy]
            for training, copy in turns * _ROUNDS
        )
    except Exception:  # which it did not raise alone
        return True


def _run(layout: Layout, state: State, copy: int, x: Tensor, training: bool) -> list[bytes]:
    """The bits of the outputs of one copy, and of its kept tensors afterwards."""
    layout.stacked = False
    trained, kept = ([tensor[None] for tensor in group] for group in state)
    keys = torch.tensor([copy + 1])
    outputs, after, _ = layout.run(trained, kept, x, training=training, keys=keys)
    return [_bits(tensor) for tensor in (outputs, *after)]


def _bits(tensor: Tensor) -> bytes:
    dense = tensor.detach().to_dense().cpu().resolve_conj().contiguous()
    return dense.reshape(-1).view(torch.uint8).numpy().tobytes()


def _shaken(state: State) -> State:
    chance = torch.Generator().manual_seed(0)
    trained, kept = state
    return [t + _SHAKEN * torch.randn(t.shape, generator=chance) for t in trained], kept


def _snapshot(module: nn.Module) -> dict[str, Any]:
    """What a module, its classes, and what their functions call by name hold, as plain values."""
    values: dict[str, Any] = {}
    frozen = _Frozen()
    for name, part in module.named_modules():
        for key, value in vars(part).items():
            if key in ("_parameters", "_buffers", "_modules"):
                values[f"{name}.{key}"] = tuple(value)
            else:
                values[f"{name}.{key}"] = frozen(value)
    for kind in {kind: None for part in module.modules() for kind in type(part).__mro__}:
        if kind.__module__.partition(".")[0] in ("torch", "builtins", "typing", "abc"):
            continue
        for key, value in vars(kind).items():
            owner = f"{kind.__module__}.{kind.__qualname__}.{key}"
            values[owner] = frozen(value)
            values |= {f"{owner} {named}": frozen(used) for named, used in _used_by(value)}
    return values


def _used_by(function: Any) -> Iterator[tuple[str, Any]]:
    """The globals that a function names, and what it has from the function around it."""
    function = getattr(function, "__func__", function)
    if not isinstance(function, types.FunctionType):
        return
    for name in function.__code__.co_names:
        if name in function.__globals__:
            yield name, function.__globals__[name]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # nothing yet
            continue


class _Frozen:
    """Values as what can be compared; of what has no numbers to look at, their kinds.

    Each object is looked into once: objects may hold each other, as loggers do, and then the ways
    through them are more than can be gone.
    """

    def __init__(self) -> None:
        self._seen: dict[int, Any] = {}  # which are kept, so that no other one gets their number

    def __call__(self, value: Any, depth: int = 0) -> Any:
        if isinstance(value, float) and math.isnan(value):
            return "nan"
        if isinstance(value, _PLAIN):
            return type(value).__name__, value
        if isinstance(value, Tensor):
            return _frozen_tensor(value)
        if isinstance(value, np.ndarray):
            return value.shape, value.tobytes() if value.dtype != object else repr(value)
        if isinstance(value, torch.Generator):
            return _bits(value.get_state())
        if isinstance(value, np.random.Generator):
            return repr(value.bit_generator.state)
        if depth > _DEEPEST or isinstance(value, nn.Module | type | types.ModuleType):
            return type(value).__name__
        if isinstance(value, logging.Logger) or id(value) in self._seen:
            return type(value).__name__
        self._seen[id(value)] = value
        return self._inside(value, depth)

    def _inside(self, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping):
            return [(repr(key), self(entry, depth + 1)) for key, entry in value.items()]
        if isinstance(value, Set):
            return sorted(map(repr, value))
        if isinstance(value, Sequence):
            return [self(entry, depth + 1) for entry in value]
        if callable(value):
            return type(value).__name__
        try:
            own = vars(value)
        except TypeError:  # such as an iterator, which says what it has come to
            return repr(value)
        return [(key, self(entry, depth + 1)) for key, entry in own.items()]


def _frozen_tensor(tensor: Tensor) -> Any:
    try:
        return tuple(tensor.shape), str(tensor.dtype), _bits(tensor)
    except (RuntimeError, TypeError, NotImplementedError):  # without numbers that can be read
        return "tensor"
