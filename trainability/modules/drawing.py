"""Draw the layers of a module while data flows through it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainability.errors import InputError, refuse
from trainability.modules.affine import AffineLayer
from trainability.modules.probing import probing
from trainability.schemes import Layer, Scheme

MAX_NUMBERS = 1 << 24
"""Numbers of a layer's inputs that a scheme sees, 128 MiB; beyond, it sees a sample of examples."""
MAX_PAIRED = 2048
"""Training points up to which a scheme sees them too: its closed forms look at all pairs."""


def order_of_flow(
    root: nn.Module, layers: list[AffineLayer], x: Tensor
) -> tuple[list[AffineLayer], Any]:
    """The layers in the order in which a pass over x first uses them, and the pass's outputs.

    Raises:
        InputError: If the pass does not use all layers, or examples can't be told apart.
    """
    order: list[AffineLayer] = []

    def note(layer: AffineLayer, inputs: Tensor) -> None:
        wanted = inputs.ndim if isinstance(layer.module, nn.Linear) else layer.module.weight.ndim
        if inputs.ndim < 2 or inputs.ndim != wanted:
            raise InputError(
                f"data must be a batch of examples, but {layer.name} gets an input of shape "
                f"{tuple(inputs.shape)}; pass x of shape (N, ...), such as x[None] for one example"
            )
        if layer not in order:
            order.append(layer)

    outputs = _run(root, layers, x, before=note)
    refuse(
        f"{layer.name} is not used when the module is called on the data; apply the scheme to "
        f"submodules that are used as a whole"
        for layer in layers
        if layer not in order
    )
    return order, outputs


def draw_with_data(
    scheme: Scheme,
    root: nn.Module,
    layers: list[AffineLayer],
    x: Tensor,
    mean_square: float,
    rng: np.random.Generator,
) -> None:
    """Draw each layer in one pass over x, just before it is used for the first time.

    Args:
        scheme: A data-dependent scheme.
        root: The module.
        layers: Its layers, in the order of flow.
        x: The inputs.
        mean_square: Of the targets, per output.
        rng: The stream.
    """
    drawing = _Drawing(scheme, layers, len(x), mean_square, rng)
    _run(root, layers, x, before=drawing.before, after=drawing.after)
    refuse(
        f"{layer.name} was not used once the layers before it were drawn: the module's control "
        f"flow depends on its weights; apply the scheme to its submodules"
        for layer in layers[drawing.n_drawn :]
    )


class _Drawing:
    """What is known of the layers drawn so far."""

    def __init__(
        self,
        scheme: Scheme,
        layers: list[AffineLayer],
        n_examples: int,
        mean_square: float,
        rng: np.random.Generator,
    ) -> None:
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
        drawn = self.scheme.draw(
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
            ),
            self.rng,
        )
        layer.assign(*drawn, self.written)

    def after(self, layer: AffineLayer, outputs: Tensor) -> None:
        if layer is self.layers[self.n_drawn - 1]:
            self.outputs = outputs
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
    x: Tensor,
    before: Callable[[AffineLayer, Tensor], None],
    after: Callable[[AffineLayer, Tensor], None] | None = None,
) -> Any:
    """One pass that leaves no trace but what `before` and `after` do at each use of a layer."""
    hooks = []
    for layer in layers:

        def on_call(_: Any, args: Any, kwargs: Any, layer: AffineLayer = layer) -> None:
            before(layer, args[0] if args else kwargs["input"])

        def on_return(_: Any, args: Any, outputs: Tensor, layer: AffineLayer = layer) -> None:
            if after is not None:
                after(layer, outputs)

        hooks.append(layer.module.register_forward_pre_hook(on_call, with_kwargs=True))
        hooks.append(layer.module.register_forward_hook(on_return))
    try:
        with probing(root, batch_statistics=True):
            return root(x)
    finally:
        for hook in hooks:
            hook.remove()
