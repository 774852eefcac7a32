"""Draw the layers of a module while data flows through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainability.errors import InputError, refuse
from trainability.modules.affine import AffineLayer
from trainability.modules.data import Batch
from trainability.modules.probing import probing
from trainability.schemes import Layer, Scheme, draw_layer

MAX_NUMBERS = 1 << 24
"""Numbers of a layer's inputs that a scheme sees, 128 MiB; beyond, it sees a sample of examples."""
MAX_PAIRED = 2048
"""Training points up to which a scheme sees them too: its closed forms look at all pairs."""


@dataclass(frozen=True)
class Shift:
    """A batch normalization that stands for the bias of the layer before it.

    Args:
        name: Its name in the module.
        norm: The normalization.
    """

    name: str
    norm: nn.Module

    def problems(self) -> list[str]:
        """Why it can't stand for a bias."""
        weight = self.norm._parameters.get("weight")
        if weight is None or bool((weight > 0).all()):
            return []
        return [f"{self.name} must have weights > 0 to take the bias, got {float(weight.min()):g}"]

    def set(self, inputs: Tensor, bias: np.ndarray) -> None:
        """Shift its outputs so that their signs are those of inputs + bias."""
        norm = self.norm
        assert isinstance(norm, nn.modules.batchnorm._BatchNorm)
        values = inputs.detach().double()
        if norm.training or norm.running_mean is None or norm.running_var is None:
            axes = [axis for axis in range(values.ndim) if axis != 1]
            mean, variance = values.mean(axes), values.var(axes, correction=0)
        else:
            mean, variance = norm.running_mean.double(), norm.running_var.double()
        scale = norm.weight.double() / torch.sqrt(variance + norm.eps)
        drawn = torch.from_numpy(bias.reshape(-1)).to(mean.device)
        with torch.no_grad():
            norm.bias.copy_(scale * (mean + drawn))


def order_of_flow(
    root: nn.Module, layers: list[AffineLayer], batch: Batch
) -> tuple[list[AffineLayer], dict[str, Shift], Any]:
    """The layers in the order in which a pass first uses them, and the pass's outputs.

    Between them stand, by layer without a bias, the normalizations that follow at once.

    Raises:
        InputError: If the pass does not use all layers, or examples can't be told apart.
    """
    order: list[AffineLayer] = []
    shifts: dict[str, Shift] = {}
    given: dict[int, tuple[str, Tensor]] = {}

    def note(layer: AffineLayer, inputs: Tensor) -> None:
        wanted = inputs.ndim if isinstance(layer.module, nn.Linear) else layer.module.weight.ndim
        if inputs.ndim < 2 or inputs.ndim != wanted:
            raise InputError(
                f"data must be a batch of examples, but {layer.name} gets an input of shape "
                f"{tuple(inputs.shape)}; pass x of shape (N, ...), such as x[None] for one example"
            )
        if layer not in order:
            order.append(layer)

    def keep(layer: AffineLayer, outputs: Tensor) -> None:
        if layer.module.bias is None:
            given[id(outputs)] = (layer.name, outputs)

    def normalize(name: str, norm: nn.Module, inputs: Tensor) -> None:
        layer, outputs = given.get(id(inputs), ("", None))
        if outputs is inputs and getattr(norm, "bias", None) is not None:
            shifts.setdefault(layer, Shift(name, norm))

    outputs = _run(root, layers, batch, before=note, after=keep, normalize=normalize)
    refuse(
        f"{layer.name} is not used when the module is called on the data; apply the scheme to "
        f"submodules that are used as a whole, or name it in skip"
        for layer in layers
        if layer not in order
    )
    return order, shifts, outputs


def draw_with_data(
    scheme: Scheme,
    root: nn.Module,
    layers: list[AffineLayer],
    batch: Batch,
    mean_square: float,
    rng: np.random.Generator,
    shifts: dict[str, Shift],
) -> dict[str, np.ndarray]:
    """Draw each layer in one pass over the data, just before it is used for the first time.

    Args:
        scheme: A data-dependent scheme.
        root: The module.
        layers: Its layers, in the order of flow.
        batch: The inputs.
        mean_square: Of the targets, per output.
        rng: The stream.
        shifts: By layer without a bias, the normalization that takes the bias.

    Returns:
        The biases drawn, by layer.
    """
    drawing = _Drawing(scheme, layers, batch.n, mean_square, rng, shifts)
    _run(
        root, layers, batch, before=drawing.before, after=drawing.after,
        normalize=drawing.normalize,
    )  # fmt: skip
    refuse(
        f"{layer.name} was not used once the layers before it were drawn: the module's control "
        f"flow depends on its weights; apply the scheme to its submodules"
        for layer in layers[drawing.n_drawn :]
    )
    return drawing.biases


class _Drawing:
    """What is known of the layers drawn so far."""

    def __init__(
        self,
        scheme: Scheme,
        layers: list[AffineLayer],
        n_examples: int,
        mean_square: float,
        rng: np.random.Generator,
        shifts: dict[str, Shift],
    ) -> None:
        self.shifts = {shift.name: (layer, shift) for layer, shift in shifts.items()}
        self.biases: dict[str, np.ndarray] = {}
        self.scheme, self.layers, self.rng = scheme, layers, rng
        self.mean_square = mean_square
        self.n_drawn = 0
        self.living = np.ones(n_examples, bool)
        self.points: np.ndarray | None = None
        self.outputs: Tensor | None = None
        self.written: set[int] = set()

    def before(self, layer: AffineLayer, inputs: Tensor) -> None:
        if self.n_drawn == len(self.layers) or layer is not self.layers[self.n_drawn]:
            return
        self.n_drawn += 1
        living = self._by_input(len(inputs))
        n_kept = max(1, MAX_NUMBERS // max(1, layer.numbers_per_example(inputs)))
        kept = np.arange(len(inputs))
        if n_kept < len(inputs):
            kept = np.sort(self.rng.choice(kept, n_kept, replace=False))
        rows = layer.rows(inputs[torch.from_numpy(kept).to(inputs.device)])
        if not np.isfinite(rows).all() or not rows.any():
            raise InputError(
                f"{layer.name} gets inputs that are all zero or not finite, so no data-dependent "
                f"scheme can draw it; look at what lies before it"
            )
        self._note_points(layer, inputs, rows)
        weight, bias = draw_layer(
            self.scheme,
            Layer(
                n_networks=layer.groups,
                index=self.n_drawn,
                depth=len(self.layers),
                fan_in=layer.fan_in,
                fan_out=layer.fan_out,
                inputs=rows,
                living=np.repeat(living[kept], rows.shape[1] // len(kept))[None],
                training_inputs=self.points,
                target_mean_square=self.mean_square * layer.fan_out,
                kernel=layer.kernel,
                name=layer.name,
            ),
            self.rng,
        )
        self.biases[layer.name] = bias
        layer.assign(weight, bias, self.written)

    def normalize(self, name: str, norm: nn.Module, inputs: Tensor) -> None:
        layer, shift = self.shifts.pop(name, ("", None))
        if shift is not None:
            shift.set(inputs, self.biases[layer])

    def after(self, layer: AffineLayer, outputs: Tensor) -> None:
        if layer is self.layers[self.n_drawn - 1]:
            self.outputs = outputs
            if any(layer.name == shifted for shifted, _ in self.shifts.values()):
                bias = torch.from_numpy(self.biases[layer.name].reshape(-1)).to(outputs)
                outputs = outputs + bias.reshape(-1, *(1,) * (outputs.ndim - 2))
            fires = layer.fires(outputs)
            if len(fires) % len(self.living) == 0:
                self.living &= fires.reshape(len(self.living), -1).any(axis=1)

    def _by_input(self, n_inputs: int) -> np.ndarray:
        """Who lives, where a module may have cut examples into n_inputs pieces."""
        pieces, rest = divmod(n_inputs, len(self.living))
        return np.ones(n_inputs, bool) if rest else np.repeat(self.living, pieces)

    def _note_points(self, layer: AffineLayer, inputs: Tensor, rows: np.ndarray) -> None:
        """Keep the training points as long as nothing but ReLU lies between Linear layers."""
        if self.n_drawn == 1:
            few = rows.shape[1] <= MAX_PAIRED
            self.points = rows[0] if few and isinstance(layer.module, nn.Linear) else None
        elif self.outputs is None or not torch.equal(torch.relu(self.outputs), inputs):
            self.points = None


def _run(
    root: nn.Module,
    layers: list[AffineLayer],
    batch: Batch,
    before: Callable[[AffineLayer, Tensor], None],
    after: Callable[[AffineLayer, Tensor], None],
    normalize: Callable[[str, nn.Module, Tensor], None],
) -> Any:
    """One pass that leaves no trace but what `before` and `after` do at each use of a layer."""
    hooks = []
    for layer in layers:

        def on_call(_: Any, args: Any, kwargs: Any, layer: AffineLayer = layer) -> None:
            before(layer, args[0] if args else kwargs["input"])

        def on_return(_: Any, args: Any, outputs: Tensor, layer: AffineLayer = layer) -> None:
            after(layer, outputs)

        hooks.append(layer.module.register_forward_pre_hook(on_call, with_kwargs=True))
        hooks.append(layer.module.register_forward_hook(on_return))
    for name, part in root.named_modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):

            def on_norm(part: nn.Module, args: Any, name: str = name) -> None:
                normalize(name, part, args[0])

            hooks.append(part.register_forward_pre_hook(on_norm))
    try:
        with probing(root, batch_statistics=None):
            return batch.copied().run(root)
    finally:
        for hook in hooks:
            hook.remove()
