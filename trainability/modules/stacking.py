"""Whether copies of a module can be run at once, and whether its mode matters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map_only

from trainability.checks import reason
from trainability.errors import InputError
from trainability.networks.copies import Layout

State = tuple[Sequence[Tensor], Sequence[Tensor]]
"""The trained and the kept tensors of a copy."""
_RELATIVE, _ABSOLUTE = 1e-3, 1e-5
"""How near results are that are the same but for rounding: of each, and of the largest."""
_TIMES = 16
"""How many times as much as by the last digits of its numbers a copy may move by rounding."""
_MOST = 0.1
"""Of what lies between two copies: from there on rounding can't be told from mixing them up."""
_SHARING = ("from_numpy", "as_tensor", "asarray", "frombuffer")
"""Functions of torch whose results may lie in the memory of what they are given."""


def modes_and_stacking(layout: Layout, states: Sequence[State], x: Tensor) -> tuple[bool, str]:
    """Whether the mode matters, and why two copies can't be run at once, or "".

    Copies run at once must give the outputs, and leave the buffers, of one after the other. Stacked
    they are rounded otherwise, and some modules make much of that: thirty batch normalizations
    upon each other amplify it by ten thousands. So what differs in float32 is looked at again in
    float64, where rounding is less by nine digits, and what is mixed up between copies is not.

    Args:
        layout: How they are run.
        states: Of two copies, from `layout.state`.
        x: Inputs, shape (N, d_in).

    Raises:
        InputError: If a copy alone can't be run.
    """
    trained, kept = (
        [torch.stack(tensors) for tensors in zip(*group, strict=True)]
        for group in zip(*states, strict=True)
    )
    alone, together = {}, {}
    for training in (False, True):
        try:
            alone[training] = _run(layout, False, trained, kept, x, training)
        except Exception as error:
            mode = "training" if training else "evaluation"
            raise InputError(f"the module can't be run in {mode} mode: {reason(error)}") from error
    # After all of these: what a stacked run leaves in a module's attributes may break others.
    for training in (False, True):
        try:
            together[training] = _run(layout, True, trained, kept, x, training)
        except Exception as error:
            return True, f"torch.vmap can't run it: {reason(error)}"
    for training, ours in together.items():
        same = _agree(alone[training], ours, [0.0] * len(ours))
        if not same and not _agree_in_double(layout, trained, kept, x, training):
            return True, "torch.vmap gives other outputs than one copy after the other"
    chance = any(isinstance(p, nn.modules.dropout._DropoutNd) for p in layout.parts())
    one_mode = all(map(torch.equal, together[False], together[True]))
    return chance or not one_mode, ""


def _run(
    layout: Layout, stacked: bool, trained: Sequence[Tensor], kept: Sequence[Tensor], x: Tensor,
    training: bool, watch: Callable[[], Any] | None = None,
) -> list[Tensor]:  # fmt: skip
    """The outputs of two copies, and their kept tensors afterwards."""
    layout.stacked = stacked
    keys = torch.tensor([1, 2])
    outputs, after, _ = layout.run(trained, kept, x, training=training, keys=keys, watch=watch)
    return [outputs, *after]


def _agree(ours: Sequence[Tensor], theirs: Sequence[Tensor], moves: Sequence[float]) -> bool:
    """Whether results are the same but for rounding, which moves each by so much.

    Outputs, which come first, may be small: rounding is then smaller too. What statistics keep of
    numbers that cancel is nothing but rounding.
    """
    size = float(torch.nan_to_num(ours[0].detach().double()).abs().amax()) if ours[0].numel() else 0
    size = min(1.0, size)
    return all(
        torch.allclose(
            one, other, rtol=_RELATIVE, atol=(1 if index else size) * _ABSOLUTE + move,
            equal_nan=True,
        )
        for index, (one, other, move) in enumerate(zip(ours, theirs, moves, strict=True))
    )  # fmt: skip


def _agree_in_double(
    layout: Layout, trained: Sequence[Tensor], kept: Sequence[Tensor], x: Tensor, training: bool
) -> bool:
    """Whether copies run at once agree with one after the other where rounding is finer.

    As much as a copy alone moves, some times over, if all its numbers move by their last digit: at
    a hundred normalizations that shows too. Where that is much, nothing tells them apart.
    """
    numbers = [[_doubled(tensor) for tensor in group] for group in (trained, kept, [x])]
    watched, not_watched = partial(_Doubles, True), partial(_Doubles, False)
    chance = torch.Generator().manual_seed(0)
    moved = [[_last_digit(tensor, chance) for tensor in group] for group in numbers]
    try:
        alone, together, nearby = (
            _run(layout, stacked, parameters, others, points, training, watch)
            for stacked, watch, (parameters, others, (points,)) in (
                (False, watched, numbers), (True, not_watched, numbers), (False, watched, moved)
            )
        )  # fmt: skip
    except Exception:  # it may want float32, or write into numbers of its own
        return False
    moves = [
        _TIMES * float((one.double() - other.double()).abs().max()) if one.numel() else 0.0
        for one, other in zip(alone, nearby, strict=True)
    ]
    tells_apart = alone[0].dtype == torch.float64 and all(
        move <= _most(result) for move, result in zip(moves, alone, strict=True)
    )
    return tells_apart and _agree(alone, together, moves)


def _most(result: Tensor) -> float:
    """How much a result of two copies may move: less than lies between them.

    Where that is next to nothing, as of constants that both have, as little as counts as the same.
    """
    if not result.numel():
        return 0.0
    one, other = result.double()
    apart, size = float((one - other).abs().max()), float(result.double().abs().max())
    return max(_MOST * apart, _RELATIVE * size)


def _last_digit(tensor: Tensor, chance: torch.Generator) -> Tensor:
    if tensor.dtype != torch.float64:
        return tensor
    signs = torch.randint(2, tensor.shape, generator=chance).double() * 2 - 1
    return tensor * (1 + torch.finfo(torch.float64).eps * signs)


def _doubled(tensor: Tensor) -> Tensor:
    return tensor.double() if tensor.dtype == torch.float32 else tensor


class _Doubles(TorchFunctionMode):
    """Within, what a module makes as float32 is float64.

    Args:
        watches: Whether `results` raises where a float32 tensor from before was written into: what
            goes into its copy is lost, and a module that passes it on would look as if it didn't.
    """

    def __init__(self, watches: bool) -> None:
        super().__init__()
        self._watches = watches
        self._copied: list[tuple[Tensor, Tensor]] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        args, kwargs = tree_map_only(Tensor, self._copy, (args, kwargs or {}))
        results = func(*args, **kwargs)
        shared = getattr(func, "__name__", "") in _SHARING
        return tree_map_only(Tensor, self._copy if shared else _doubled, results)

    def _copy(self, tensor: Tensor) -> Tensor:
        copy = _doubled(tensor)
        if self._watches and copy is not tensor:
            self._copied.append((tensor, copy))
        return copy

    def results(self) -> list[Tensor]:
        if any(_is_written(copy, tensor) for tensor, copy in self._copied):
            raise RuntimeError("the module writes into numbers of its own")
        return []


def _is_written(copy: Tensor, tensor: Tensor) -> bool:
    """Whether something was written into a new copy, be it past the count of writes."""
    ours, theirs = (t.detach().to_dense().view(torch.int64) for t in (copy, tensor.double()))
    return copy._version > 0 or not torch.equal(ours, theirs)
