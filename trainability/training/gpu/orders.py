"""Orders of minibatches, on the device."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from trainability.seeds import batch_order


def orders(keys: Tensor, first: int, stop: int, n_points: int) -> Tensor:
    """`seeds.batch_order` of epochs first..stop-1: int32, shape (epochs, rows, points)."""
    host = keys.cpu().numpy().view(np.uint64)
    tables = [batch_order(host, epoch, n_points) for epoch in range(first, stop)]
    return torch.from_numpy(np.stack(tables)).to(keys.device)
