"""What torch's operations do to the numbers of neurons: move, pool, alter, rectify them."""

from __future__ import annotations

from typing import Any, TypeGuard

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from trainability.modules.flow import MIXED

MOVING = {
    "cat", "stack", "clone", "_to_copy", "index_select", "index", "gather", "flip", "roll",
    "repeat", "constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "reflection_pad3d",
    "replication_pad1d", "replication_pad2d", "replication_pad3d", "pixel_shuffle",
    "pixel_unshuffle", "channel_shuffle", "native_channel_shuffle", "im2col",
    "repeat_interleave", "take_along_dim", "_unsafe_view", "view_copy", "permute_copy",
    "slice_scatter", "select_scatter", "copy", "upsample_nearest1d", "upsample_nearest2d",
    "upsample_nearest3d", "contiguous", "unsafe_split", "unsafe_chunk",
    "unsafe_split_with_sizes", "_unsafe_index", "masked_select", "rot90", "tril", "triu",
}  # fmt: skip
"""Each number given out is one that went in, or a constant."""
MAX_POOLING = {
    "max_pool1d", "max_pool2d", "max_pool3d", "max_pool2d_with_indices",
    "max_pool3d_with_indices", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "max_pool1d_with_indices",
}  # fmt: skip
AVERAGING = {
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "_adaptive_avg_pool2d", "_adaptive_avg_pool3d",
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d",
}  # fmt: skip
MAXIMA = {"amax", "max"}
SUMS = {"mean", "sum"}
NORMALIZING = {
    "batch_norm", "native_batch_norm", "_native_batch_norm_legit", "cudnn_batch_norm",
    "_native_batch_norm_legit_no_training", "_batch_norm_with_update", "miopen_batch_norm",
    "_batch_norm_no_update", "native_layer_norm", "native_group_norm", "_fused_rms_norm",
}  # fmt: skip
ALTERING = NORMALIZING | {
    "add", "sub", "mul", "div", "neg", "rsub", "native_dropout", "_fused_dropout", "addcmul",
    "addcdiv", "lerp",
}  # fmt: skip
"""Each number given out is arithmetic on the numbers at the same place."""
KEEPS_SIGN = MOVING | MAX_POOLING | AVERAGING | MAXIMA | SUMS | {"native_dropout", "mul"}
NON_NEGATIVE = {"abs", "sigmoid", "exp", "_softmax", "softplus", "relu", "bernoulli"}
SHAPES_ONLY = {
    "size", "sym_size", "stride", "sym_stride", "numel", "sym_numel", "storage_offset",
    "sym_storage_offset", "is_contiguous", "dim", "is_same_size", "_assert_async", "is_pinned",
}  # fmt: skip
GARBAGE = {"empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided", "resize"}
FACTORIES = {
    "zeros", "ones", "full", "arange", "linspace", "eye", "scalar_tensor", "lift_fresh",
    "tril_indices",
    "triu_indices", "zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full",
    "logspace", "hann_window", "range",
}  # fmt: skip
"""What gives out the same numbers whatever goes in: only shapes are taken from it."""


INDICES = {torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool}
"""Types of numbers that may say where others go."""


def pooled(name: str, func: Any, codes: Tensor, args: tuple[Any, ...], kwargs: Any) -> Tensor:
    """Codes of what pooling gives out: a neuron's where all it looks at is the neuron's."""
    # Indices of neurons are exact in float64.
    values = codes.double()

    def most(of: Tensor) -> Tensor:
        given = _max_pool(name, func, of, args, kwargs)
        return given[0] if isinstance(given, tuple | list) else given

    high, low = most(values), -most(-values)
    return torch.where(high == low, high, MIXED).to(torch.int32)


def _max_pool(name: str, func: Any, values: Tensor, args: tuple[Any, ...], kwargs: Any) -> Any:
    if name in MAX_POOLING or name in MAXIMA:
        return func(values, *args[1:], **kwargs)
    if name in SUMS:
        dims = args[1] if len(args) > 1 else kwargs.get("dim")
        keep = args[2] if len(args) > 2 else kwargs.get("keepdim", False)
        return torch.amax(values, dims if dims else list(range(values.ndim)), keep)
    d = int(name.removesuffix("d")[-1])
    if "adaptive" in name:
        return getattr(torch.nn.functional, f"adaptive_max_pool{d}d")(values, args[1])
    kernel, stride, padding, ceil = (*args[1:5], *(None, None, 0, False)[len(args) - 1 :])
    pool = getattr(torch.nn.functional, f"max_pool{d}d")
    return pool(values, kernel, stride or None, padding, ceil_mode=ceil)


def rectifies(name: str, func: Any, args: tuple[Any, ...], kwargs: Any) -> str | None:
    """Whether the call is a ReLU of its first argument, maybe with a cap: "plain", "strict" or not.

    Strict is one that passes a gradient where its input is exactly 0.
    """
    name = name.removesuffix("_")
    if name == "relu":
        return "plain"

    def bound(index: int, key: str) -> Any:
        value = args[index] if len(args) > index else kwargs.get(key)
        if isinstance(value, Tensor):
            return 0 if value.numel() and not value.any() else None
        return value

    if name == "hardtanh":
        return "plain" if bound(1, "min_val") == 0 else None
    if name == "threshold":
        return "plain" if bound(1, "threshold") == 0 and bound(2, "value") == 0 else None
    if name == "leaky_relu":
        return "plain" if bound(1, "negative_slope") == 0 else None
    if name in ("clamp", "clamp_min"):
        return "strict" if bound(1, "min") == 0 and bound(1, "min") is not None else None
    return None


def trains_on_batch(func: Any, args: tuple[Any, ...], kwargs: Any) -> bool:
    """Whether a batch normalization uses the statistics of the batch."""
    name = func._schema.name
    if "batch_norm" not in name or name.endswith(("_no_training", "_no_update")):
        return False
    values = [_schema_value(func, args, kwargs, key) for key in ("training", "train")]
    return any(values) or values == [None, None]


def _schema_value(func: Any, args: tuple[Any, ...], kwargs: Any, name: str) -> Any:
    for index, argument in enumerate(func._schema.arguments):
        if argument.name == name:
            if argument.name in kwargs:
                return kwargs[name]
            return args[index] if index < len(args) else argument.default_value
    return None


def written_by(func: Any, args: tuple[Any, ...], kwargs: Any) -> list[Tensor]:
    """The tensors among its arguments that an operation writes into."""
    written = []
    training = trains_on_batch(func, args, kwargs)
    for index, argument in enumerate(func._schema.arguments):
        value = kwargs.get(argument.name) if index >= len(args) else args[index]
        writes = argument.alias_info is not None and argument.alias_info.is_write
        # Batch normalization does not say that it does.
        writes = writes or (training and argument.name in ("running_mean", "running_var"))
        if writes:
            written += [t for t in tree_leaves(value) if isinstance(t, Tensor)]
    return written


def is_tensor(value: Any) -> TypeGuard[Tensor]:
    return isinstance(value, Tensor)
