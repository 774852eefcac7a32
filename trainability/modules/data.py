"""What counts as data for a module: inputs with or without targets, in one batch or in many."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from trainability.errors import InputError, refuse
from trainability.modules.probing import guarded

_TARGETS = ("y", "label", "labels", "target", "targets")
_WEIGHTS = ("weight", "weights", "sample_weight", "sample_weights")
_BATCH = 1024
_EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)


@dataclass(frozen=True)
class Batch:
    """A batch as the module takes it.

    Args:
        args: What goes into the module by position: tensors, or containers of tensors.
        kwargs: What goes into it by name.
        n: Examples.
        targets: Targets, of first axis n, or None.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    n: int
    targets: Tensor | None = None

    def tensors(self) -> list[Tensor]:
        """All tensors of the inputs."""
        tensors: list[Tensor] = []
        _each((self.args, self.kwargs), lambda tensor: (tensors.append(tensor), tensor)[1])
        return tensors

    def run(self, module: nn.Module) -> Any:
        """The module's outputs on it, from copies: a module may write into its inputs."""
        return guarded(module, self.args, self.kwargs)

    def part(self, rows: list[int]) -> Batch:
        """Some of the examples."""

        def pick(tensor: Tensor) -> Tensor:
            return tensor[rows] if tensor.ndim and len(tensor) == self.n else tensor

        targets = None if self.targets is None else pick(self.targets)
        return replace(
            self, args=_each(self.args, pick), kwargs=_each(self.kwargs, pick), n=len(rows),
            targets=targets,
        )  # fmt: skip

    def copied(self) -> Batch:
        """The same numbers in memory of its own."""
        return replace(
            self, args=_each(self.args, Tensor.clone), kwargs=_each(self.kwargs, Tensor.clone)
        )


def batches(data: Any, module: nn.Module) -> Iterator[Batch]:
    """The batches that the data holds, with their inputs as the module takes them.

    Inputs are a tensor, a NumPy array, a pandas frame, nested lists of numbers, a dict of such (by
    name, where the module's `forward` has such arguments; else as one argument), or a tuple of
    such if `forward` requires several arguments. With one entry more than it requires a tuple is
    (*inputs, targets), with two (*inputs, targets, weights). A DataLoader, a Dataset and any other
    iterable give batches, each of one of these forms, a list counting as a tuple. A list that
    could be (x, y) as well as two batches is refused.

    Raises:
        InputError: If the data can't be used; at the first batch for which that shows.
    """
    fit = _Fit(module)
    if (
        isinstance(data, Dataset)
        and not isinstance(data, Iterable)
        and not hasattr(data, "__len__")
    ):
        raise InputError(f"data of type {type(data).__name__} has no length; pass a DataLoader")
    if isinstance(data, Dataset) and not isinstance(data, DataLoader):
        data = DataLoader(data, batch_size=_BATCH)
    if isinstance(data, list):
        data = _settled(data)
    if _is_batch(data):
        yield fit.batch(data)
    elif isinstance(data, Iterable) and not isinstance(data, str | bytes | set | nn.Module):
        for batch in data:
            yield fit.batch(
                tuple(batch) if isinstance(batch, list) and not _is_numbers(batch) else batch
            )
    else:
        raise InputError(
            f"data must be a tensor, an array, a frame, a tuple (x, y), a dict or an iterable of "
            f"such batches, got {type(data).__name__}"
        )


def gathered(data: Any, module: nn.Module, max_numbers: int) -> tuple[Batch, str]:
    """The data as one batch; of an iterable as many batches as hold up to `max_numbers` numbers.

    Returns:
        The batch, and a note on what was left out, or "".
    """
    taken: list[Batch] = []
    n_numbers, note = 0, ""
    for batch in batches(data, module):
        n_numbers += sum(tensor.numel() for tensor in batch.tensors())
        if taken and n_numbers > max_numbers:
            note = f"looked at the first {sum(b.n for b in taken):,} examples of the data"
            break
        taken.append(batch)
    if not taken:
        raise InputError("data must hold at least one batch, got none")
    return _joined(taken), note


def _joined(taken: list[Batch]) -> Batch:
    first = taken[0]
    if len(taken) == 1:
        return first

    def join(parts: list[Any]) -> Any:
        if isinstance(parts[0], Tensor):
            whole = all(p.ndim and len(p) == b.n for p, b in zip(parts, taken, strict=True))
            return torch.cat(parts) if whole else parts[0]
        if isinstance(parts[0], dict):
            return {key: join([part[key] for part in parts]) for key in parts[0]}
        if isinstance(parts[0], list | tuple):
            return type(parts[0])(join(list(entries)) for entries in zip(*parts, strict=True))
        return parts[0]

    targets = [b.targets for b in taken if b.targets is not None]
    return Batch(
        join([b.args for b in taken]),
        join([b.kwargs for b in taken]),
        sum(b.n for b in taken),
        torch.cat(targets) if len(targets) == len(taken) else None,
    )


class _Fit:
    """How data fits the module's `forward`; settled at the first batch, the same for all."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.required, self.names, self.any_name = _signature(module)
        embeds = any(isinstance(part, _EMBEDDINGS) for part in module.modules())
        self.keeps_integers: bool | None = True if embeds else None

    def batch(self, data: Any) -> Batch:
        inputs, targets = self._split(data)
        if isinstance(inputs, dict):
            args, kwargs = (), {key: _tensor(v, key) for key, v in inputs.items()}
        else:
            args, kwargs = tuple(_tensor(value, "inputs") for value in inputs), {}
        tensors = [t for t in Batch(args, kwargs, 0).tensors()]
        sizes = {len(t) for t in tensors if t.ndim}
        target = None if targets is None else _tensor(targets, "targets")
        if not tensors or not tensors[0].ndim or not tensors[0].numel():
            shape = tuple(tensors[0].shape) if tensors else ()
            raise InputError(f"inputs must have shape (N, ...) with N >= 1, got {shape}")
        n = len(tensors[0])
        if isinstance(target, Tensor) and (target.ndim == 0 or len(target) != n):
            raise InputError(
                f"data=(x, y) must have as many targets as inputs, got x of shape "
                f"{tuple(tensors[0].shape)} and y of {tuple(target.shape)}; pass several batches "
                f"as an iterable that is no tuple, such as a DataLoader"
            )
        if len(inputs) > 1 and len(sizes) > 1:
            shapes = ", ".join(str(tuple(t.shape)) for t in tensors)
            raise InputError(f"inputs must hold the same number of examples, got shapes {shapes}")
        refuse(
            ["inputs must be finite, got NaN or infinity; drop those examples"]
            if any(t.is_floating_point() and not torch.isfinite(t).all() for t in tensors)
            else []
        )
        return self._typed(Batch(args, kwargs, n, target if isinstance(target, Tensor) else None))

    def _split(self, data: Any) -> tuple[Any, Any]:
        """Inputs, as a tuple or a dict by name, and targets."""
        if isinstance(data, Mapping):
            return self._split_names(dict(data))
        if not isinstance(data, tuple):
            data = (data,)
        if len(data) == 2 and isinstance(data[0], tuple | Mapping):
            inputs, _ = self._split(data[0])
            return inputs, data[1]
        n_inputs = max(1, len(self.required))
        if len(data) == n_inputs:
            return data, None
        if len(data) in (n_inputs + 1, n_inputs + 2):
            return data[:n_inputs], data[n_inputs]
        takes = f"{n_inputs} ({', '.join(self.required)})" if self.required else "1"
        raise InputError(
            f"a tuple must hold the inputs, maybe targets and weights after them; the module "
            f"takes {takes}, got {len(data)} entries; pass several batches as a list or DataLoader"
        )

    def _split_names(self, data: dict[str, Any]) -> tuple[Any, Any]:
        rest = {key: value for key, value in data.items() if key not in self.names}
        targets = next((rest[key] for key in _TARGETS if key in rest), None)
        if not set(self.required) <= set(data):
            if len(self.required) > 1:
                missing = [name for name in self.required if name not in data]
                raise InputError(
                    f"data is a dict of {', '.join(map(str, data))}, but the module also takes "
                    f"{', '.join(missing)}; name the entries as the arguments of forward"
                )
            kept = {k: v for k, v in data.items() if k not in (*_TARGETS, *_WEIGHTS)}
            if not kept:
                raise InputError("data is a dict without inputs; add them under their name")
            return (kept,), targets
        strange = [k for k in rest if k not in (*_TARGETS, *_WEIGHTS) and not self.any_name]
        refuse(
            f"data has an entry {key!r} that forward doesn't take; it takes {', '.join(self.names)}"
            for key in strange
        )
        inputs = {k: v for k, v in data.items() if k in self.names or self.any_name}
        return inputs, targets

    def _typed(self, batch: Batch) -> Batch:
        """In the module's dtype, on its device; integers as the module takes them."""
        parameter = next((p for p in self.module.parameters() if p.is_floating_point()), None)
        if parameter is None:
            parameter = torch.zeros(())

        def fit(tensor: Tensor, integers: bool) -> Tensor:
            tensor = tensor.to(parameter.device)
            counts = not tensor.is_floating_point() and not tensor.is_complex()
            if counts and (integers or tensor.dtype == torch.bool):
                return tensor
            return tensor if tensor.is_complex() else tensor.to(parameter.dtype)

        def typed(integers: bool) -> Batch:
            return replace(
                batch,
                args=_each(batch.args, lambda t: fit(t, integers)),
                kwargs=_each(batch.kwargs, lambda t: fit(t, integers)),
            )

        has_integers = any(
            not t.is_floating_point() and t.dtype != torch.bool for t in batch.tensors()
        )
        if has_integers and self.keeps_integers is None:
            self.keeps_integers = not _runs(self.module, typed(False)) and _runs(
                self.module, typed(True)
            )
        return typed(bool(self.keeps_integers))


def _runs(module: nn.Module, batch: Batch) -> bool:
    from trainability.modules.probing import probing

    try:
        with probing(module, batch_statistics=False):
            batch.run(module)
    except InputError:
        return False
    return True


def _signature(module: nn.Module) -> tuple[list[str], list[str], bool]:
    """Arguments that `forward` requires, all that it takes by name, and whether it takes any."""
    try:
        parameters = list(inspect.signature(module.forward).parameters.values())
    except (TypeError, ValueError):
        return [], [], False
    kinds = inspect.Parameter
    named = [p for p in parameters if p.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)]
    required = [
        p.name
        for p in parameters
        if p.default is kinds.empty
        and p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)
    ]
    return required, [p.name for p in named], any(p.kind == kinds.VAR_KEYWORD for p in parameters)


def _is_array(value: Any) -> bool:
    return isinstance(value, Tensor | np.ndarray | pd.DataFrame | pd.Series | pd.Index)


def _is_numbers(value: Any) -> bool:
    """Whether it is a list of numbers, at any depth."""
    while isinstance(value, list | tuple) and len(value):
        value = value[0]
    return isinstance(value, int | float | np.number)


def _is_batch(data: Any) -> bool:
    numbers = isinstance(data, list) and _is_numbers(data)
    return _is_array(data) or isinstance(data, tuple | Mapping) or numbers


def _settled(data: list[Any]) -> Any:
    """A list as what it is: numbers, (x, y), or batches.

    Raises:
        InputError: If it could be (x, y) as well as batches.
    """
    if not data or _is_numbers(data) or not all(_is_array(entry) for entry in data):
        return data if data and _is_numbers(data) else iter(data)
    shapes = [tuple(entry.shape) for entry in data]
    alike = len({shape[1:] for shape in shapes}) == 1
    if len(data) not in (2, 3) or len({shape[:1] for shape in shapes}) > 1:
        # Several lengths: the entries are no inputs and targets.
        return iter(data)
    if alike:
        raise InputError(
            f"data is a list of {len(data)} arrays of shape {shapes[0]}, which may be batches or "
            f"(x, y); pass (x, y) as a tuple, batches as iter([...]) or a DataLoader"
        )
    return tuple(data)


def _tensor(value: Any, name: str) -> Any:
    """A tensor without gradient, of a copy; containers entry by entry."""
    if isinstance(value, Mapping):
        return {key: _tensor(entry, f"{name}[{key!r}]") for key, entry in value.items()}
    if isinstance(value, tuple) or (isinstance(value, list) and not _is_numbers(value)):
        if not value:
            raise InputError(
                f"{name} must be an array of numbers, got an empty {type(value).__name__}"
            )
        return type(value)(_tensor(entry, name) for entry in value)
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, pd.DataFrame):
        odd = [str(c) for c, kind in value.dtypes.items() if kind.kind not in "fiub"]
        if odd:
            raise InputError(
                f"{name} must be numbers, but the frame's columns {', '.join(odd)} are not; "
                f"encode or drop them"
            )
        # Columns of pandas' own types hold missing values, which become NaN.
        value = value.to_numpy() if value.to_numpy().dtype.kind in "fiub" else value.to_numpy(float)
    elif isinstance(value, pd.Series | pd.Index | list | int | float):
        try:
            value = np.asarray(value)
        except ValueError as problem:
            raise InputError(f"{name} must be a list of rows of one length") from problem
    if not isinstance(value, np.ndarray):
        raise InputError(
            f"{name} must be a tensor or an array of shape (N, ...), got {type(value).__name__}"
        )
    if value.dtype.kind not in "fiubc":
        raise InputError(f"{name} must be numbers, got an array of dtype {value.dtype}")
    value = value.astype(value.dtype.newbyteorder("="))
    if value.dtype.kind == "f" and value.dtype.itemsize > 8:
        value = value.astype(np.float64)
    if value.dtype.kind == "u" and value.dtype.itemsize > 1:
        value = value.astype(np.int64)
    return torch.from_numpy(np.ascontiguousarray(value))


def _each(value: Any, change: Any) -> Any:
    """Containers with every tensor changed."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return {key: _each(entry, change) for key, entry in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_each(entry, change) for entry in value))
    if isinstance(value, list | tuple):
        return type(value)(_each(entry, change) for entry in value)
    return value
