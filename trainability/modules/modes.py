"""Show a watcher what torch does.

Layers are seen where torch's functions are called, so nn.Linear and F.linear count alike; all else
where operations reach the dispatcher, so scripted functions, in-place writes and every way to
write a ReLU count alike.
"""

from __future__ import annotations

from typing import Any

from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from trainability.modules.flow import takes_numbers
from trainability.modules.watching import Watcher
from trainability.networks.copies import AFFINE_FUNCTIONS

_OUT_OF_TORCH = {
    "numpy", "tolist", "__array__", "__dlpack__", "data_ptr", "untyped_storage", "storage",
    "__reduce_ex__", "to_dlpack", "__deepcopy__", "share_memory_",
}  # fmt: skip


class Functions(TorchFunctionMode):
    """Shows layers, and numbers that leave torch, to a watcher."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self.watcher = watcher

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in AFFINE_FUNCTIONS:
            return self.watcher.layer(name, args, kwargs, lambda: func(*args, **kwargs))
        if name in _OUT_OF_TORCH or name == "register_hook":
            self.watcher.leave(name, args, kwargs)
        if not self.watcher.counts:
            return func(*args, **kwargs)
        self.watcher.flow.loosen()
        result = func(*args, **kwargs)
        before, self.watcher.busy = self.watcher.busy, True
        if takes_numbers(name, (*args, *kwargs.values())):
            self.watcher.flow.note_call(name, result)
        self.watcher.busy = before
        return result


class Operations(TorchDispatchMode):
    """Shows every operation of the dispatcher to a watcher."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self.watcher = watcher

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if self.watcher.busy:
            return func(*args, **(kwargs or {}))
        return self.watcher.call(func, args, kwargs or {})
