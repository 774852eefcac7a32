"""What a value holds, as text: two values with one text can't make a difference to a function.

Numbers, texts and containers are written out, arrays and tensors by a digest of their bytes, other
objects by the parts that pickling would take them apart into. What can't be taken apart, such as an
open file or a lock, has no text.
"""

from __future__ import annotations

import copyreg
import functools
import hashlib
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from trainability.lazy import numpy as np

PLAIN = (bool, int, float, complex, str, bytes, type(None))
_LONGEST = 200
"""Characters of a text that is kept as it is; of a longer one a digest is."""


class Contents:
    """Writes values.

    Args:
        code: Gives a name to a function or a class, or to what is behind a decorated one.
        module: Gives a name to a Python module.
    """

    def __init__(self, code: Callable[[Any], str], module: Callable[[ModuleType], str]) -> None:
        self._code, self._module = code, module
        self._texts: dict[int, str] = {}
        self._open: list[int] = []
        self._alive: list[Any] = []  # whose ids must not be given to others

    def text(self, value: Any) -> str:
        """A value as text.

        Raises:
            TypeError: If it can't be taken apart.
        """
        if type(value) in PLAIN:
            return repr(value)
        if isinstance(value, ModuleType):
            return self._module(value)
        if isinstance(value, FunctionType | type) or hasattr(value, "__wrapped__"):
            return self._code(value)
        if isinstance(value, BuiltinFunctionType) and isinstance(
            value.__self__, ModuleType | type | None
        ):
            return f"{value.__module__}.{value.__qualname__}"
        if id(value) in self._texts:
            return self._texts[id(value)]
        if id(value) in self._open:
            return f"again {self._open.index(id(value))}"
        self._alive.append(value)
        self._open.append(id(value))
        try:
            text = self._composed(value)
        finally:
            self._open.pop()
        if len(text) > _LONGEST:
            text = f"{type(value).__name__} {hashlib.sha256(text.encode()).hexdigest()}"
        self._texts[id(value)] = text
        return text

    def _composed(self, value: Any) -> str:
        kind = type(value)
        if kind in (tuple, list):
            return f"{kind.__name__}[{', '.join(map(self.text, value))}]"
        if kind in (set, frozenset):
            return f"{kind.__name__}[{', '.join(sorted(map(self.text, value)))}]"
        if kind is dict:
            # In order, which may be that of layers.
            entries = (f"{self.text(key)}: {self.text(entry)}" for key, entry in value.items())
            return f"dict[{', '.join(entries)}]"
        if isinstance(value, MethodType):
            return f"{self.text(value.__self__)}.{self._code(value.__func__)}"
        if isinstance(value, functools.partial):
            return f"partial{self.text([value.func, value.args, value.keywords])}"
        if (numbers := _numbers(value)) is not None:
            dtype, shape, data = numbers
            return f"{kind.__name__} {dtype} {shape} {hashlib.sha256(data).hexdigest()}"
        return self._parts(value)

    def _parts(self, value: Any) -> str:
        kind = type(value)
        take_apart = copyreg.dispatch_table.get(kind)
        try:
            parts: Any = take_apart(value) if take_apart else value.__reduce_ex__(4)
        except Exception as error:
            raise TypeError(str(error)) from error
        if isinstance(parts, str):
            return f"{kind.__module__}.{kind.__qualname__} {parts}"
        self._alive.append(parts)
        written = [list(part) if hasattr(part, "__next__") else part for part in parts]
        self._alive.append(written)
        return f"{self._code(kind)}({', '.join(map(self.text, written))})"


def _numbers(value: Any) -> tuple[str, tuple[int, ...], bytes] | None:
    """Kind, shape and bytes of an array or a tensor; None for what is neither."""
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            return None
        return str(value.dtype), value.shape, np.ascontiguousarray(value).tobytes()
    if type(value).__module__.partition(".")[0] != "torch":
        return None
    import torch

    if not isinstance(value, torch.Tensor) or value.layout != torch.strided or value.is_quantized:
        return None
    plain = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
    # By bytes: NumPy has no bfloat16.
    data = plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b""
    return f"{value.dtype} {value.requires_grad}", tuple(value.shape), data
