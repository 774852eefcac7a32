"""What networks make of points, outside of any training: their loss and their accuracy."""

from __future__ import annotations

import numpy as np
import torch

from trainability.activations import Activation
from trainability.losses import Loss
from trainability.networks import Ensemble
from trainability.training.passes import Passes, named_classes, padded
from trainability.training.torch_engine import float32_on_one_thread, padded_points, tile_size

_MOST_POINTS = 4096
"""Points that are passed forward together, so that a large table fits into memory."""


class Evaluation:
    """Loss and accuracy of networks of one shape on some points, the same whatever the engine.

    All by the torch engine's forward pass, in tiles of a fixed size, so that neither a network's
    neighbors nor the number of networks changes a bit, and a network that is constant on the
    points has one output for all of them.

    Args:
        x: Inputs, shape (N, d_in).
        y: Targets, shape (N, d_out).
        sizes: d_in, the hidden widths, d_out.
        activation: Of the hidden neurons.
        loss: What is computed, and what tells which class an output means.
        classes: The class of every point, shape (N,), or None where targets are no classes.
        device: A torch device.
    """

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        sizes: tuple[int, ...],
        activation: Activation,
        loss: Loss,
        classes: np.ndarray | None = None,
        device: str = "cpu",
    ) -> None:
        self._passes = Passes(sizes, activation, loss)
        self._d_out = sizes[-1]
        self._undecided_at = loss.undecided_at
        self._n_points = len(x)
        # Parts of one size: rows of matrices of different sizes may be rounded differently.
        self._n_parts = -(-len(x) // _MOST_POINTS)
        self._part = len(padded_points(np.arange(-(-len(x) // self._n_parts))[None])[0])
        self._tile = tile_size(sizes, self._part)
        self._device = torch.device(device)
        self._classes = None if classes is None else torch.from_numpy(classes).to(self._device)
        index = torch.arange(self._n_parts * self._part).clamp(max=len(x) - 1)
        self._x, self._y = (
            padded(torch.as_tensor(table, dtype=torch.float32)[index][None]).to(self._device)
            for table in (x, y)
        )
        self._scales = torch.zeros(self._y.shape[1:], device=self._device)
        self._scales[: len(x), : self._d_out] = loss.scale(len(x), self._d_out)

    def __call__(self, ensemble: Ensemble) -> tuple[np.ndarray, np.ndarray]:
        """The loss of every network, float32, and its accuracy, float64, NaN without classes.

        The accuracy is the share of points whose class the network names. Both of shape (R,).
        """
        parameters = [padded(tensor.to(self._device)) for tensor in ensemble.parameters]
        losses = np.empty(ensemble.n_networks, dtype=np.float32)
        accuracies = np.full(ensemble.n_networks, np.nan)
        with float32_on_one_thread():
            torch.set_num_threads(1)
            for first in range(0, ensemble.n_networks, self._tile):
                rows = np.arange(first, min(first + self._tile, ensemble.n_networks))
                index = torch.from_numpy(np.resize(rows, self._tile)).to(self._device)
                tile = [parameter[index] for parameter in parameters]
                loss, right = self._sums(tile)
                losses[rows] = loss[: len(rows)].cpu().numpy()
                if right is not None:
                    accuracies[rows] = right[: len(rows)].cpu().numpy() / self._n_points
        return losses, accuracies

    def _sums(self, tile: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The loss of every network of a tile, and how many points it names the class of."""
        loss, right = torch.zeros(self._tile, device=self._device), None
        for k in range(self._n_parts):
            part = slice(k * self._part, (k + 1) * self._part)
            x, y = (table[:, part].expand(self._tile, -1, -1) for table in (self._x, self._y))
            outputs, own = self._passes.outputs_and_loss(tile, x, y, self._scales[part])
            loss = loss + own
            if self._classes is not None:
                classes = self._classes[part]
                named = named_classes(outputs[:, : len(classes), : self._d_out], self._undecided_at)
                of_part = (named == classes).sum(dim=1)
                right = of_part if right is None else right + of_part
        return loss, right
