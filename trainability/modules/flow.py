"""Follow data through a module: which layers feed which ReLU, and what the ReLUs give out.

Torch's own function calls are watched, so nn.ReLU and F.relu, nn.Linear and F.linear count alike.
Every tensor carries its origin; what an operation that is not known here gives out has none, so
an unknown module costs proofs, never truth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from trainability.errors import InputError

_AFFINE = {"linear", "conv1d", "conv2d", "conv3d"} | {f"conv_transpose{d}d" for d in (1, 2, 3)}
_AFFINE_MODULES = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
_RELU = {"relu", "relu_", "relu6"}
_CLAMP = {"clamp": "min", "clamp_": "min", "clamp_min": "min", "clamp_min_": "min"}
_CLAMP |= {"hardtanh": "min_val", "hardtanh_": "min_val"}
_SAME = {"contiguous", "clone", "to", "float", "double"}
_RESHAPE = {"flatten", "view", "reshape", "squeeze"}
_POOL = {f"{kind}_pool{d}d" for kind in ("max", "avg") for d in (1, 2, 3)}
_POOL |= {f"adaptive_{pool}" for pool in _POOL}
_DROPOUT = {"dropout", "dropout_", "dropout1d", "dropout2d", "dropout3d"}
_ELEMENTWISE = _DROPOUT | {"batch_norm", "instance_norm", "group_norm", "layer_norm", "rms_norm"}
_ELEMENTWISE |= {"add", "add_", "sub", "sub_", "mul", "mul_", "div", "div_", "rsub", "neg"}
_NON_NEGATIVE = _SAME | _RESHAPE | _POOL | _DROPOUT
_NON_NEGATIVE |= {"cat", "concat", "mean", "sum", "permute", "transpose"}
_IN_TRAINING = _DROPOUT | {"batch_norm"}
"""What gives out something else while a module trains: it depends on chance or on the batch."""


@dataclass(frozen=True)
class Origin:
    """Where the numbers of a tensor come from.

    Args:
        kind: "data": from the data without any parameter; "affine": from affine layers, not yet
            through a ReLU; "relu": from the ReLU behind affine layers; "other".
        layers: Names of these affine layers, in the order of their use.
        exact: No operation but shape and pooling has changed the layer's, or the ReLU's, output.
        axis: Which axis holds the neurons: -1, or 1 behind a convolution.
        non_negative: No number is negative, whatever the parameters.
    """

    kind: Literal["data", "affine", "relu", "other"]
    layers: tuple[str, ...] = ()
    exact: bool = False
    axis: int = -1
    non_negative: bool = False


OTHER = Origin("other")
DATA = Origin("data")


@dataclass
class AffineUse:
    """How an affine layer is used.

    Args:
        weight: Its weight.
        bias: Its bias, or None.
        source: Where its input comes from.
        is_plain: A neuron's numbers are the entries of `weight` and `bias` at its index.
    """

    weight: Tensor
    bias: Tensor | None
    source: Origin
    is_plain: bool


@dataclass
class Activation:
    """What the ReLU behind affine layers gave out, over all passes.

    Args:
        exact: Nothing lies between the layer and the ReLU.
        low: Smallest output per neuron, shape (W,).
        high: Largest.
    """

    exact: bool
    low: Tensor
    high: Tensor


@dataclass
class Flow:
    """What was seen in passes through a module.

    Args:
        layers: By name, in the order of their first use.
        activations: By the names of the affine layers whose sum the ReLU takes.
        unusual_affine: Layers whose output goes elsewhere than into a ReLU.
        unusual_relu: Layers whose ReLU's output goes elsewhere than into an affine layer.
        n_uses: Of every parameter, by its id, over all passes.
        n_passes: Passes seen.
    """

    layers: dict[str, AffineUse] = field(default_factory=dict)
    activations: dict[tuple[str, ...], Activation] = field(default_factory=dict)
    unusual_affine: set[str] = field(default_factory=set)
    unusual_relu: set[str] = field(default_factory=set)
    n_uses: Counter[int] = field(default_factory=Counter)
    n_passes: int = 0

    def owns(self, name: str) -> bool:
        """Whether the layer's numbers are parameters that serve it alone, once in every pass."""
        use = self.layers[name]
        return use.is_plain and all(
            self.n_uses[id(p)] == self.n_passes for p in (use.weight, use.bias) if p is not None
        )

    def watch(self, module: nn.Module, x: Tensor) -> None:
        """Run the module on a batch and note what happens."""
        names = {id(p): _layer_name(name, module) for name, p in module.named_parameters()}
        watcher = _Watcher(self, names)
        watcher.mark(x, DATA)
        hooks = []
        for name, part in module.named_modules():
            if isinstance(part, _AFFINE_MODULES):
                shown = name or type(part).__name__
                hooks += [
                    part.register_forward_pre_hook(lambda *_, shown=shown: watcher.enter(shown)),
                    part.register_forward_hook(lambda *_: watcher.leave()),
                ]
        try:
            with watcher:
                outputs = module(x)
        finally:
            for hook in hooks:
                hook.remove()
        watcher.spend(watcher.origin(t) for t in tree_leaves(outputs) if isinstance(t, Tensor))
        self.n_passes += 1


class _Watcher(TorchFunctionMode):
    """Passes every call of a torch function on, and marks what it returns with its origin."""

    def __init__(self, flow: Flow, names: dict[int, str]) -> None:
        super().__init__()
        self.flow, self.names = flow, names
        self.inside: list[str] = []
        self.origins = WeakTensorKeyDictionary()

    def enter(self, name: str) -> None:
        self.inside.append(name)

    def leave(self) -> None:
        self.inside.pop()

    def mark(self, tensor: Tensor, origin: Origin) -> None:
        # The version tells whether somebody has written into the tensor since.
        self.origins[tensor] = (origin, tensor._version)

    def origin(self, tensor: Tensor) -> Origin | None:
        """None for a constant: a tensor that is neither a parameter nor computed from anything."""
        if isinstance(tensor, nn.Parameter):
            return OTHER
        if tensor not in self.origins:
            return None
        origin, version = self.origins[tensor]
        return origin if version == tensor._version else OTHER

    def spend(self, origins: Iterable[Origin | None]) -> None:
        """Note that these go into an operation that is not a layer or a ReLU, or are returned."""
        for origin in origins:
            if origin is not None and origin.kind == "affine":
                self.flow.unusual_affine.update(origin.layers)
            elif origin is not None and origin.kind == "relu":
                self.flow.unusual_relu.update(origin.layers)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "").removeprefix("_")
        tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        origins = [self.origin(t) for t in tensors]
        shape = tensors[0].shape if tensors else torch.Size()
        result = func(*args, **kwargs)
        given = [t for t in tree_leaves(result) if isinstance(t, Tensor)]
        if not given or not tensors:
            return result
        first = origins[0]
        self.flow.n_uses.update(id(t) for t in tensors if isinstance(t, nn.Parameter))
        if name in _AFFINE and self._name(args, kwargs):
            origin = self._affine(name, args, kwargs)
        elif first is not None and _is_relu(name, args, kwargs):
            origin = self._relu(first, given[0])
        elif first is not None and len(tensors) == 1 and _keeps(name, first, shape, given[0]):
            origin = first
        else:
            self.spend(origins)
            origin = _after(name, tensors, origins, len(tree_leaves((args, kwargs))), given[0])
        for tensor in given:
            if origin is not None and not isinstance(tensor, nn.Parameter):
                self.mark(tensor, origin)
        return result

    def _name(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
        """The layer's name: by its weight, or by the module that computed the weight."""
        weight = _argument(args, kwargs, 1, "weight")
        return self.names.get(id(weight)) or (self.inside[-1] if self.inside else None)

    def _affine(self, operation: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Origin:
        inputs = _argument(args, kwargs, 0, "input")
        weight = _argument(args, kwargs, 1, "weight")
        bias = _argument(args, kwargs, 2, "bias")
        name = self._name(args, kwargs)
        assert name is not None
        source = self.origin(inputs) or DATA
        axis = -1 if operation == "linear" else 1
        if inputs.ndim != weight.ndim and (axis == 1 or inputs.ndim == 1):
            raise InputError(
                f"data must be batches of examples, but {name} gets an input of shape "
                f"{tuple(inputs.shape)}; pass x of shape (N, ...), such as x[None] for one example"
            )
        if source.kind == "affine":
            # No ReLU comes between two layers.
            self.spend([source])
        flat = operation == "linear" and inputs.ndim == 2
        if source.kind == "relu" and source.axis != axis and not flat:
            source = replace(source, exact=False)
        plain = all(isinstance(p, nn.Parameter) for p in (weight, bias) if p is not None)
        # The neurons of a transposed convolution are not the first axis of its weight.
        plain = plain and not operation.startswith("conv_transpose")
        use = self.flow.layers.setdefault(name, AffineUse(weight, bias, source, plain))
        if use.source != source:
            use.source = OTHER
        return Origin("affine", (name,), exact=True, axis=axis)

    def _relu(self, origin: Origin, output: Tensor) -> Origin:
        if origin.kind != "affine":
            return replace(origin, non_negative=True)
        low, high = torch.aminmax(output.movedim(origin.axis, 0).flatten(1), dim=1)
        low, high = low.to("cpu", torch.float64), high.to("cpu", torch.float64)
        seen = self.flow.activations.get(origin.layers)
        if seen is None:
            self.flow.activations[origin.layers] = Activation(origin.exact, low, high)
        else:
            seen.exact &= origin.exact
            seen.low = torch.minimum(seen.low, low)
            seen.high = torch.maximum(seen.high, high)
        return replace(origin, kind="relu", non_negative=True)


def _is_relu(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    if name in _RELU:
        return True
    if name in _CLAMP:
        return _argument(args, kwargs, 1, _CLAMP[name]) == 0
    return name == "threshold" and not any(
        _argument(args, kwargs, index, key) for index, key in ((1, "threshold"), (2, "value"))
    )


def _keeps(name: str, origin: Origin, before: torch.Size, after: Tensor) -> bool:
    """Whether the operation leaves every neuron where `Origin.axis` says, if maybe pooled."""
    if name in _SAME:
        return True
    if origin.kind == "data":
        return False
    if name in _RESHAPE:
        flat = origin.kind == "relu" and after.ndim == 2 and after.shape[0] == before[0]
        return after.shape == before or (origin.axis == 1 and flat)
    return name in _POOL and origin.kind == "relu" and origin.axis == 1


def _after(
    name: str,
    tensors: list[Tensor],
    origins: list[Origin | None],
    n_arguments: int,
    result: Tensor,
) -> Origin | None:
    """Origin of what an operation gives out that is neither a layer nor a ReLU."""
    known = [origin for origin in origins if origin is not None]
    if all(origin.kind == "data" for origin in known):
        return None if not known else OTHER if name in _IN_TRAINING else DATA
    affine = [
        origin
        for tensor, origin in zip(tensors, origins, strict=True)
        if origin is not None and origin.kind == "affine" and tensor.shape == result.shape
    ]
    if name in _ELEMENTWISE and affine:
        layers = dict.fromkeys(layer for origin in affine for layer in origin.layers)
        return Origin("affine", tuple(layers), axis=affine[0].axis)
    keeps_sign = name in _NON_NEGATIVE or (name in ("add", "add_") and n_arguments == 2)
    signs = [origin is not None and origin.non_negative for origin in origins]
    return replace(OTHER, non_negative=keeps_sign and all(signs))


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], index: int, key: str) -> Any:
    return args[index] if len(args) > index else kwargs.get(key)


def _layer_name(parameter: str, module: nn.Module) -> str:
    return type(module).__name__ if parameter == "weight" else parameter.removesuffix(".weight")
