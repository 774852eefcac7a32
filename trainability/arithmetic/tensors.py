"""Torch as a target of rules."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from trainability.arithmetic.protocol import Number

_BELOW_LEAST = 2.0**-125 * (1 - 2.0**-24)


class TensorArithmetic:
    """Tensors of any shape on any device; constants are plain floats."""

    def constant(self, value: float) -> Number:
        return value

    def fma(self, a: Number, b: Number, c: Number) -> Number:
        if all(isinstance(number, Tensor) for number in (a, b, c)):
            return torch.addcmul(c, a, b)
        if isinstance(c, float):
            return a * b if c == 0 else a * b + c
        # A plain factor is exact here: torch multiplies and adds in one pass.
        factor, tensor = (b, a) if isinstance(a, Tensor) else (a, b)
        return torch.add(c, tensor, alpha=factor) if isinstance(factor, float) else a * b + c

    def where(self, mask: Number, yes: Number, no: Number) -> Number:
        if mask.device.type != "cpu":
            return torch.where(mask, yes, no)
        # On a CPU `torch.where` goes number by number, at a quarter of the speed of these.
        one = next(number for number in (yes, no) if isinstance(number, Tensor))
        bits = torch.int32 if one.dtype == torch.float32 else torch.int64
        set_bits = mask.to(bits).neg_()
        if isinstance(no, float) and no == 0:
            return (yes.view(bits) & set_bits).view(one.dtype)
        ours, theirs = (torch.as_tensor(number, dtype=one.dtype).view(bits) for number in (yes, no))
        return (theirs ^ ((ours ^ theirs) & set_bits)).view(one.dtype)

    def maximum(self, a: Number, b: Number) -> Number:
        return torch.maximum(a, b) if isinstance(b, Tensor) else torch.clamp_min(a, b)

    def minimum(self, a: Number, b: Number) -> Number:
        return torch.minimum(a, b) if isinstance(b, Tensor) else torch.clamp_max(a, b)

    def absolute(self, a: Number) -> Number:
        return abs(a)

    def sqrt(self, a: Number) -> Number:
        return torch.sqrt(a) if isinstance(a, Tensor) else math.sqrt(a)

    def without_denormals(self, a: Number) -> Number:
        return torch.nn.functional.hardshrink(a, _BELOW_LEAST)

    def exp(self, a: Number) -> Number:
        return torch.exp(a)

    def exp_of_nonpositive(self, a: Number) -> Number:
        return torch.exp(a)

    def log(self, a: Number) -> Number:
        return torch.log(a)

    def log1p(self, a: Number) -> Number:
        return torch.log1p(a)

    def tanh(self, a: Number) -> Number:
        return torch.tanh(a)

    def erf(self, a: Number) -> Number:
        return torch.erf(a)


TENSORS = TensorArithmetic()
