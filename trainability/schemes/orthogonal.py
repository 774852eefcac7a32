"""Orthogonal initialization."""

from __future__ import annotations

from dataclasses import dataclass

from trainability.lazy import numpy as np
from trainability.schemes.base import Layer, Scheme, settle
from trainability.theory import laws


@dataclass(frozen=True)
class Orthogonal(Scheme):
    """`gain` times a Haar-distributed (semi-)orthogonal matrix; biases i.i.d. N(0, bias_std^2).

    With fan_out <= fan_in the rows are orthonormal times the gain, otherwise the columns are.
    Every layer is drawn so, the output layer too.

    Args:
        gain: Factor, > 0. The default 1 is the paper's for linear networks and PyTorch's;
            sqrt(2) keeps the scale of ReLU activations, as He's variance does.
        bias_std: Standard deviation of the biases, >= 0. The default 0 is the paper's.

    Source: Saxe, McClelland & Ganguli (2014), "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks". QR alone is not Haar: the signs of the diagonal of
    R are multiplied in (Mezzadri 2007, "How to generate random matrices").
    """

    gain: float = 1.0
    bias_std: float = 0.0

    def __post_init__(self) -> None:
        settle(self, above={"gain": 0}, at_least={"bias_std": 0})

    def draw(self, layer: Layer, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        tall = (max(layer.fan_in, layer.fan_out), min(layer.fan_in, layer.fan_out))
        q, r = np.linalg.qr(rng.standard_normal((layer.n_networks, *tall)))
        q *= np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]
        weight = q if layer.fan_out >= layer.fan_in else q.transpose(0, 2, 1)
        bias = rng.normal(0.0, self.bias_std, (layer.n_networks, layer.fan_out))
        return self.gain * weight, bias

    def law(self, fan_in: int, fan_out: int) -> laws.OrthogonalRows:
        return laws.OrthogonalRows(self.gain, self.bias_std, fan_out)
