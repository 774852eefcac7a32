"""What one pass through a module shows, operation by operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map_only

from trainability.errors import InputError
from trainability.modules import operations as ops
from trainability.modules.flow import (
    ALTERED,
    CONSTANT,
    DATA,
    MIXED,
    NO_NEURON,
    RECTIFIED,
    UNKNOWN,
    AffineUse,
    Flow,
)
from trainability.modules.levels import note_levels
from trainability.modules.memory import Memory
from trainability.modules.signs import gate_of, keeps_sign, rectifies_by_mask
from trainability.modules.tensors import (
    MASKS,
    along,
    bare,
    broadcast,
    extent,
    has_hooks,
    unrectified,
)

AFFINE_MODULES = (nn.Linear, nn.modules.conv._ConvNd)


class Watcher:
    """What is known in one pass.

    Args:
        flow: Where it is noted.
        names: Layers' names, by the ids of their weights.
        parameters: Of the module.
        counts: Whether the ReLUs' outputs are those on the data.
        with_gradients: Whether gradients are recorded: operations that run without, then, have a
            backward pass that is not torch's own, or none.
    """

    def __init__(
        self,
        flow: Flow,
        names: dict[int, str],
        parameters: list[nn.Parameter],
        *,
        counts: bool,
        with_gradients: bool,
    ) -> None:
        self.flow, self.names, self.counts = flow, names, counts
        self.with_gradients = with_gradients
        self.memory = Memory()
        self.inside: list[tuple[str, nn.Module]] = []
        self.in_layer = self.busy = False
        self.inputs: dict[str, Tensor] = {}
        self.saved: dict[int, tuple[Tensor, Tensor]] = {}
        self._ranges: dict[int, list[tuple[int, int, nn.Parameter]]] = {}
        for parameter in parameters:
            block = self.memory.block(parameter)
            first = parameter.storage_offset()
            spans = self._ranges.setdefault(id(block), [])
            spans.append((int(first), int(first) + extent(parameter), parameter))

    @property
    def opaque(self) -> bool:
        return self.with_gradients and not torch.is_grad_enabled()

    def parameters_in(self, tensor: Tensor) -> list[nn.Parameter]:
        """The parameters whose memory the tensor shares."""
        spans = self._ranges.get(id(self.memory.block(tensor)), [])
        first = tensor.storage_offset() if spans else 0
        end = first + extent(tensor)
        return [p for start, stop, p in spans if start < end and first < stop]

    def place(self, what: str) -> str:
        """Where the pass is, in words."""
        if not self.inside:
            return what
        name, module = self.inside[-1]
        return f"{name or type(module).__name__} ({type(module).__name__}, {what})"

    def spend(self, tensor: Tensor) -> None:
        codes = self.memory.codes(tensor)
        if codes is not None:
            self.flow.neurons.spend(torch.unique(codes).cpu().numpy())

    def leave(self, name: str, args: Any, kwargs: Any) -> None:
        """Note that something else than torch gets at the numbers of tensors."""
        self.busy = True
        for tensor in tree_leaves((args, kwargs)):
            if isinstance(tensor, Tensor):
                self.spend(tensor)
                if name != "register_hook" and self.memory.level(tensor) >= DATA:
                    self.flow.doubt(self._leak(name))
        self.busy = False

    def _leak(self, name: str) -> str:
        return f"numbers leave torch in {self.place(name)}, and what happens may depend on them"

    def layer(self, operation: str, args: tuple[Any, ...], kwargs: Any, run: Callable) -> Any:
        """Run a call of an affine function, and note the layer."""
        self.busy = True
        try:
            return self._layer(operation, args, kwargs, run)
        finally:
            self.busy = False

    def _layer(self, operation: str, args: tuple[Any, ...], kwargs: Any, run: Callable) -> Any:
        inputs, weight, bias = (
            args[i] if len(args) > i else kwargs.get(key)
            for i, key in enumerate(("input", "weight", "bias"))
        )
        name = self.names.get(id(weight))
        if name is None:
            within = [n for n, part in self.inside[-1:] if isinstance(part, AFFINE_MODULES)]
            name = (within[0] or type(self.inside[-1][1]).__name__) if within else None
        if name is None or self.in_layer or not isinstance(inputs, Tensor):
            self.busy = False
            return run()
        memory, linear = self.memory, operation == "linear"
        level = memory.level(inputs)
        batched = inputs.ndim == weight.ndim if not linear else inputs.ndim > 1
        if not batched and level == DATA:
            raise InputError(
                f"data must be batches of examples, but {name} gets an input of shape "
                f"{tuple(inputs.shape)}; pass x of shape (N, ...), such as x[None] for one example"
            )
        columns = self._columns(inputs, -1 if linear else inputs.ndim - weight.ndim + 1)
        non_negative = memory.non_negative(inputs)
        if level == DATA and name not in self.inputs:
            self.inputs[name] = inputs.detach().clone()
        self.in_layer, self.busy = True, False
        try:
            outputs = run()
        finally:
            self.in_layer, self.busy = False, True
        transposed = operation.startswith("conv_transpose")
        groups = 1
        if not linear:
            groups = args[6] if len(args) > 6 else kwargs.get("groups", 1)
        axis = -1 if linear else outputs.ndim - weight.ndim + 1
        neurons = self.flow.neurons_of(name, outputs.shape[axis])
        plain = all(isinstance(p, nn.Parameter) for p in (weight, bias) if p is not None)
        plain = plain and not transposed and not self.opaque and neurons is not None
        plain = plain and not any(p._backward_hooks for p in (weight, bias) if p is not None)
        if neurons is None:
            memory.write_codes(outputs, None)
            self.flow.doubt(f"{name} has another number of neurons each time")
            return outputs
        use = AffineUse(weight, bias, neurons, groups, level, non_negative, columns, plain)
        if name in self.flow.layers:
            self.flow.layers[name].merge(use)
        else:
            self.flow.layers[name] = use
        self.flow.n_uses.update(id(p) for p in (weight, bias) if p is not None)
        memory.block(outputs).level = UNKNOWN
        codes = torch.from_numpy(neurons << 2).to(outputs.device, torch.int32)
        memory.write_codes(outputs, codes.reshape(along(axis, outputs.ndim)))
        return outputs

    def _columns(self, inputs: Tensor, axis: int) -> np.ndarray:
        """The code of each input feature or channel; what is not rectified is spent."""
        codes = self.memory.codes(inputs)
        n = inputs.shape[axis]
        if codes is None or not codes.numel():
            return np.full(n, self.memory.block(inputs).default, np.int32)
        lines = codes.movedim(axis, 0).flatten(1)
        same = (lines == lines[:, :1]).all(dim=1)
        single = torch.where(same, lines[:, 0], MIXED).cpu().numpy()
        rest = np.append(torch.unique(lines[~same]).cpu().numpy(), single)
        rest = rest[rest >= 0]
        self.flow.neurons.spend(rest[rest & RECTIFIED == 0])
        return np.where((single >= 0) & (single & RECTIFIED == 0), MIXED, single)

    def call(self, func: Any, args: tuple[Any, ...], kwargs: Any) -> Any:
        """Run an operation of the dispatcher, and note what follows."""
        note = self._guard(lambda: self._before(func, args, kwargs), func)
        result = func(*args, **kwargs)
        if note is not None:
            self._guard(lambda: note(result), func)
        return result

    def _guard(self, look: Callable[[], Any], func: Any) -> Any:
        """What looking gives; an operation that can't be looked at costs proofs, not the pass."""
        try:
            return look()
        except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as problem:
            self.flow.doubt(f"{func} can't be followed in {self.place('torch')}: {problem}")
            return None

    def _before(self, func: Any, args: tuple[Any, ...], kwargs: Any) -> Callable[[Any], None]:
        """Look at an operation's arguments; returns what is to look at its results."""
        memory = self.memory
        name = func._schema.name.removeprefix("aten::")
        tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        written = ops.written_by(func, args, kwargs)
        if name == "lift_fresh" and not memory.block(tensors[0]).n_writes:
            # Made of numbers of Python just now.
            memory.mark(tensors[0], CONSTANT)
        level = max((memory.level(t) for t in tensors), default=CONSTANT)
        before = {id(memory.block(t)) for t in tensors}
        if not self.in_layer:
            for tensor in tensors:
                self.flow.used_otherwise.update(id(p) for p in self.parameters_in(tensor))
        for tensor in written:
            for parameter in self.parameters_in(tensor):
                self.flow.used_otherwise.add(id(parameter))
                self.saved.setdefault(id(parameter), (parameter, parameter.detach().clone()))
        codes, rectified, sign = None, None, False
        if not self.in_layer:
            codes, rectified = self._codes_before(name, func, args, kwargs, tensors)
            sign = keeps_sign(memory, name, args, kwargs, tensors) or rectified is not None

        def note(result: Any) -> None:
            gate = None if self.in_layer else gate_of(memory, name, args, tensors)
            note_levels(memory, name, func, args, kwargs, written, result, before, level, sign)
            if self.in_layer:
                return
            given = [t for t in tree_leaves(result) if isinstance(t, Tensor)]
            new = codes
            if rectified is not None and given:
                assert isinstance(codes, Tensor)
                self._rectify(name, codes, rectified, given[0])
                new = torch.where(codes >= 0, codes | RECTIFIED, codes).expand(given[0].shape)
            self._write(new, rectified is not None, given, written, before, gate)
            if (
                not given
                and tensors
                and not written
                and name not in ops.SHAPES_ONLY
                and level >= DATA
            ):
                self.flow.doubt(self._leak(name))
            masked = name != "index" or any(t.dtype in MASKS for t in tensors[1:])
            if torch.Tag.dynamic_output_shape in func.tags and masked and level == UNKNOWN:
                self.flow.doubt(f"shapes depend on numbers in {self.place(name)}")

        return note

    def _write(
        self, codes: Any, rectified: bool, given: list[Tensor], written: list[Tensor],
        before: set[int], gate: tuple[object, bool] | None,
    ) -> None:  # fmt: skip
        """Note whose numbers an operation has given out."""
        memory = self.memory
        for index, tensor in enumerate(given):
            if id(memory.block(tensor)) in before and not any(tensor is w for w in written):
                continue
            new = None
            if callable(codes):
                new = codes(index, tensor)
            elif codes is not None and codes.shape == tensor.shape and not (rectified and index):
                new = codes
            memory.write_codes(tensor, cast(Tensor | None, new))
            if gate is not None:
                memory.block(tensor).gate = gate
        for tensor in written:
            if not any(tensor is t for t in given):
                memory.write_codes(tensor, None)

    def _codes_before(
        self, name: str, func: Any, args: tuple[Any, ...], kwargs: Any, tensors: list[Tensor],
    ) -> tuple[Any, tuple[Tensor | None, bool] | None]:  # fmt: skip
        """Codes of what the operation will give out, and what a ReLU takes; spends the rest."""
        memory = self.memory
        if not tensors or name in ops.FACTORIES or name in ops.SHAPES_ONLY:
            return None, None
        labelled = [t for t in tensors if memory.block(t).codes is not None]
        base = name.removesuffix("_")
        kind = ops.rectifies(name, func, args, kwargs)
        first = args[0] if args and isinstance(args[0], Tensor) else None
        if any(memory.level(t) > CONSTANT for t in tensors[1:]):
            kind = None
        if kind is None:
            kind, first = rectifies_by_mask(memory, base, args, first)
        if kind is not None and first is not None and first.is_floating_point():
            if self.opaque:
                self.spend(first)
            codes = memory.all_codes(first).clone()
            before = first.detach().clone() if kind == "strict" else None
            return codes, (before, memory.non_negative(first))
        if not labelled or (func.is_view and not self.opaque):
            return None, None
        if name == "copy_" and not self.opaque and ops.is_tensor(args[1]):
            source = memory.all_codes(args[1])
            return source.expand(args[0].shape), None
        if self.opaque or has_hooks(labelled):
            for tensor in labelled:
                self.spend(tensor)
            return None, None
        if name in ops.MOVING and all(
            memory.level(t) <= DATA for t in tensors if t.dtype in ops.INDICES
        ):
            return self._moved(func, args, kwargs), None
        if first is not None and memory.codes(first) is not None:
            codes = memory.all_codes(first)
            if base in ops.MAX_POOLING | ops.AVERAGING | ops.SUMS or (
                base in ops.MAXIMA and len(args) != 1
            ):
                if base in ops.MAX_POOLING | ops.MAXIMA:
                    exact = codes
                else:
                    # An average of some examples tells nothing of the average of others.
                    self.flow.neurons.spend(unrectified(codes))
                    exact = torch.where(bare(codes), codes | ALTERED, codes)
                try:
                    given = ops.pooled(base, func, exact, args, kwargs)
                except (RuntimeError, TypeError, ValueError, NotImplementedError, AttributeError):
                    given = None
                if given is None or bool((given == MIXED).any()):
                    # What is mixed goes where it can't be followed.
                    self.spend(first)
                return given, None
        for tensor in labelled:
            self.spend(tensor)
        if base in ops.ALTERING:
            parts = [
                memory.all_codes(t)
                for t in labelled
                if t.shape == broadcast(tensors) and bool(bare(memory.all_codes(t)).any())
            ]
            if parts:
                return self._altered(parts), None
        return None, None

    def _altered(self, parts: list[Tensor]) -> Tensor:
        """Codes of arithmetic on numbers with these codes, element by element."""
        codes = torch.where(bare(parts[0]), parts[0] | ALTERED, MIXED)
        for other in parts[1:]:
            both = bare(codes) & bare(other) & ((codes >> 2) != (other >> 2))
            if bool(both.any()):
                pair = torch.stack([codes[both] >> 2, other[both] >> 2])
                unique = torch.unique(pair, dim=1)
                limit = 2 * max(len(torch.unique(pair[0])), len(torch.unique(pair[1])))
                if unique.shape[1] > limit:
                    codes = torch.where(both, MIXED, codes)
                else:
                    sums = self.flow.sums(pair[0].cpu().numpy(), pair[1].cpu().numpy())
                    codes[both] = torch.from_numpy(sums << 2 | ALTERED).to(codes)
            alone = bare(other) & ~bare(codes) & ~both
            codes = torch.where(alone, other | ALTERED, codes)
        return codes.to(torch.int32)

    def _moved(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Codes by the same movement; what it fills up with 0 belongs to no neuron."""

        def shifted(tensor: Tensor) -> Tensor:
            # The numbers that move are those with a fraction; others say where they go.
            if tensor.dtype in ops.INDICES:
                return tensor
            return self.memory.all_codes(tensor).double() - NO_NEURON

        name = func._schema.name.removeprefix("aten::")
        if name == "_to_copy":
            new = args[0]
            moved = [self.memory.all_codes(new)]
            return lambda index, tensor: moved[index].to(tensor.device)
        if name == "constant_pad_nd":
            args, kwargs = args[:2], {}
        moved = func(
            *tree_map_only(Tensor, shifted, args), **tree_map_only(Tensor, shifted, kwargs)
        )
        moved = [t for t in tree_leaves(moved) if isinstance(t, Tensor)]
        return lambda index, _: (moved[index] + NO_NEURON).to(torch.int32)

    def _rectify(
        self, name: str, codes: Tensor, taken: tuple[Tensor | None, bool], after: Tensor,
    ) -> None:  # fmt: skip
        """Note a ReLU, or that it could not be attributed."""
        before, harmless = taken
        if codes.shape != after.shape:
            codes = codes.expand(after.shape)
            before = None if before is None else before.expand(after.shape)
        self.flow.rectify(codes, before, after, self.counts)
        some = bool(bare(codes).any())
        if harmless:
            return
        if bool((codes == MIXED).any()):
            part = "in part: the rest" if some else "its input"
            reason = f"{part} is not the output of layers in a way that can be followed"
        elif not bool((codes >= 0).any()):
            reason = "its input is computed from the data without any layer"
        else:
            return
        if self.counts:
            self.flow.not_looked_at.setdefault(self.place(name.removesuffix("_")), reason)
