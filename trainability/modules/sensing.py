"""What the layers of copies of a module take in: how much it still varies over the data."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from trainability.networks.copies import AFFINE_FUNCTIONS, Copies
from trainability.sensitivity import of_layer


def measure_layers(copies: Copies, x: Tensor) -> Tensor | None:
    """Of what each Linear and convolution layer but the first takes in, `sensitivity.of_layer`.

    Layers come in the order of use, one that is used twice comes twice. Normalizations are as at
    the first step of training: they use the statistics of the points.

    Args:
        copies: R of them.
        x: Points, shape (N, d_in).

    Returns:
        Shape (R, layers, 3); None where there is no such layer, or where copies that decide by
        their numbers don't use as many.
    """
    layout = copies.layout
    parts: list[Tensor] = []
    for rows, trained, kept in copies.tiles():
        # Copies that can't be stacked may use other numbers of layers.
        single = [[index] for index in range(len(rows))]
        for index in [slice(None)] if layout.stacked else single:
            with torch.no_grad():
                _, _, taken = layout.run(
                    [tensor[index] for tensor in trained], [tensor[index] for tensor in kept], x,
                    batch_statistics=True, watch=_Inputs,
                )  # fmt: skip
            if len(taken) < 2:
                return None
            parts.append(torch.stack(taken[1:], dim=1)[: len(rows)])
    if len({part.shape[1] for part in parts}) > 1:
        return None
    return torch.cat(parts)


class _Inputs(TorchFunctionMode):
    """Measures what Linear and convolution layers take in, in one pass of one copy."""

    def __init__(self) -> None:
        super().__init__()
        self._measured: list[Tensor] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in AFFINE_FUNCTIONS:
            taken = torch.atleast_2d((args[0] if args else kwargs["input"]).detach())
            # Examples come first, and neurons last.
            taken = taken if name == "linear" else taken.movedim(1, -1)
            n, *places, width = taken.shape
            self._measured.append(of_layer(taken.reshape(n, math.prod(places), width)))
        return func(*args, **kwargs)

    def results(self) -> list[Tensor]:
        return self._measured
