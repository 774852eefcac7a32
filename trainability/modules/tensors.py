"""Small questions to tensors of numbers and of codes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from trainability.modules.flow import RECTIFIED

MASKS = {torch.bool, torch.uint8}


def bare(codes: Tensor) -> Tensor:
    """Where codes are of neurons that were not through a ReLU."""
    return (codes >= 0) & (codes & RECTIFIED == 0)


def unrectified(codes: Tensor) -> np.ndarray:
    return torch.unique(codes[bare(codes)]).cpu().numpy()


def broadcast(tensors: list[Tensor]) -> torch.Size:
    try:
        return torch.broadcast_shapes(*(t.shape for t in tensors))
    except RuntimeError:
        return tensors[0].shape


def has_hooks(tensors: list[Tensor]) -> bool:
    return any(t._backward_hooks for t in tensors)


def along(axis: int, ndim: int) -> list[int]:
    shape = [1] * ndim
    shape[axis] = -1
    return shape


def extent(tensor: Tensor) -> int:
    """How many places of its storage the tensor spans."""
    if not tensor.numel():
        return 0
    pairs = zip(tensor.shape, tensor.stride(), strict=True)
    return 1 + sum(int(size - 1) * int(stride) for size, stride in pairs)
