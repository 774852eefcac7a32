"""The update of an optimizer over arrays of numbers, compiled: one pass through memory.

Torch takes a pass for every operation, most of which wait for memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from trainability.optimizers import Optimizer
from trainability.penalties import Penalty
from trainability.training.cpu.compiled import Function, load
from trainability.training.cpu.fused_cpu_engine import lanes
from trainability.training.cpu.write_update import write_update
from trainability.training.ops.simd import INT, POINTER, Code


class CompiledUpdate:
    """For float32 tensors on a CPU with fused multiply-add.

    Args:
        optimizer: The update rule.
        penalty: Or None.
    """

    def __init__(self, optimizer: Optimizer, penalty: Penalty | None) -> None:
        self._lanes = lanes()
        self._functions = {
            is_weight: _compiled(optimizer, penalty, is_weight, self._lanes)
            for is_weight in ((True, False) if penalty else (True,))
        }

    def __call__(
        self,
        parameter: Tensor,
        gradient: Tensor,
        moments: Sequence[Tensor],
        is_weight: bool,
        numbers: np.ndarray,
        factors: np.ndarray,
    ) -> None:
        """Update a parameter and its moments in place; all are contiguous and of one size."""
        function = self._functions[is_weight or len(self._functions) == 1]
        flat = [tensor.view(-1) for tensor in (parameter, gradient, *moments)]
        size = len(flat[0])
        whole, rest = divmod(size, self._lanes)
        self._run(function, flat, whole, numbers, factors)
        if rest:
            # The numbers left over, filled up to a vector.
            ends = [tensor[size - rest :] for tensor in flat]
            padded = [torch.nn.functional.pad(end, (0, self._lanes - rest)) for end in ends]
            self._run(function, padded, 1, numbers, factors)
            for end, new in zip(ends, padded, strict=True):
                end.copy_(new[:rest])

    @staticmethod
    def _run(
        function: Function,
        tensors: Sequence[Tensor],
        n_vectors: int,
        numbers: np.ndarray,
        factors: np.ndarray,
    ) -> None:
        parameter, gradient, *moments = (tensor.data_ptr() for tensor in tensors)
        places = {f"moment{k}": place for k, place in enumerate(moments)}
        function(
            parameters=parameter,
            gradients=gradient,
            **places,
            numbers=numbers,
            factors=factors,
            n_vectors=n_vectors,
        )


@cache
def _compiled(
    optimizer: Optimizer, penalty: Penalty | None, is_weight: bool, n_lanes: int
) -> Function:
    moments = [f"moment{k}" for k in range(optimizer.n_moments)]
    pointers = ["parameters", "gradients", *moments, "numbers", "factors"]
    arguments = dict.fromkeys(pointers, POINTER) | {"n_vectors": INT}
    code = Code(n_lanes)
    n_numbers = len(optimizer.numbers()) + (len(penalty.numbers()) if penalty else 0)
    n_factors = optimizer.factors(0, 1).shape[1]
    with code.function("update", arguments) as given:
        numbers = [code.splat(given["numbers"], k) for k in range(n_numbers)]
        factors = [code.splat(given["factors"], k) for k in range(n_factors)]
        places = [given[name] for name in moments]
        with code.loop(given["n_vectors"]) as k:
            gradient = code.load(given["gradients"], k)
            old, new = write_update(
                code, optimizer, penalty, given["parameters"], gradient, places, k,
                is_weight, numbers, factors,
            )  # fmt: skip
            del old
            code.store(new, given["parameters"], k)
    return _loaded(str(code), tuple(arguments.items()))


@cache
def _loaded(text: str, arguments: tuple[tuple[str, str], ...]) -> Function:
    """Optimizers that differ in numbers alone have one text."""
    return load(text, {"update": dict(arguments)}, unroll=True)["update"]
