"""The few calls of NVIDIA's driver that it takes to compile, load and start a kernel.

By ctypes: the driver is on every machine that has such a GPU, its interface is stable, and torch
has made the context and holds the memory, so that a package for this would be one to install.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from trainability.errors import InputError
from trainability.training.ops.simd import FLOAT, INT, POINTER

_KINDS = {POINTER: ctypes.c_uint64, INT: ctypes.c_int64, FLOAT: ctypes.c_float}
_PTX = 1  # CU_JIT_INPUT_PTX
_LOG, _LOG_SIZE = 5, 6  # CU_JIT_ERROR_LOG_BUFFER, .._SIZE_BYTES
_LOG_BYTES = 8192
_LOCAL_BYTES, _REGISTERS, _SHARED = 3, 4, 8  # CU_FUNC_ATTRIBUTE_..


class DriverError(RuntimeError):
    """The driver refused a call."""


@cache
def _driver() -> Any:
    for name in ("libcuda.so.1", ctypes.util.find_library("cuda"), "nvcuda.dll"):
        if name:
            try:
                return ctypes.CDLL(name)
            except OSError:
                continue
    raise InputError("NVIDIA's driver (libcuda.so.1) is not on this machine")


def _call(name: str, *arguments: Any) -> None:
    code = getattr(_driver(), name)(*arguments)
    if code:
        text = ctypes.c_char_p()
        _driver().cuGetErrorString(code, ctypes.byref(text))
        message = (text.value or b"").decode()
        raise DriverError(f"the GPU's driver: {name} failed with {code}: {message}")


def version() -> str:
    """Version of the driver, which assembles."""
    number = ctypes.c_int()
    _call("cuDriverGetVersion", ctypes.byref(number))
    return str(number.value)


def assembled(ptx: str) -> bytes:
    """Machine code for the GPU whose context is current."""
    log = ctypes.create_string_buffer(_LOG_BYTES)
    options = (ctypes.c_int * 2)(_LOG, _LOG_SIZE)
    values = (ctypes.c_void_p * 2)(ctypes.addressof(log), _LOG_BYTES)
    state = ctypes.c_void_p()
    _call("cuLinkCreate_v2", 2, options, values, ctypes.byref(state))
    try:
        text = ptx.encode() + b"\0"
        _call(
            "cuLinkAddData_v2", state, _PTX, text, ctypes.c_size_t(len(text)), b"kernel", 0, None,
            None,
        )  # fmt: skip
        code, size = ctypes.c_void_p(), ctypes.c_size_t()
        _call("cuLinkComplete", state, ctypes.byref(code), ctypes.byref(size))
        return ctypes.string_at(code, size.value)
    except DriverError as error:
        raise DriverError(f"{error}\n{log.value.decode(errors='replace')}") from None
    finally:
        _driver().cuLinkDestroy(state)


class Kernel:
    """A function on the GPU whose context is current.

    Args:
        code: Machine code.
        name: Of the function.
        arguments: Kinds by name, in order.
        shared_bytes: Shared memory of a block.
    """

    def __init__(
        self, code: bytes, name: str, arguments: Mapping[str, str], shared_bytes: int
    ) -> None:
        module = ctypes.c_void_p()
        _call("cuModuleLoadData", ctypes.byref(module), code)
        self._function = ctypes.c_void_p()
        _call("cuModuleGetFunction", ctypes.byref(self._function), module, name.encode())
        if shared_bytes:
            _call("cuFuncSetAttribute", self._function, _SHARED, shared_bytes)
        self._arguments = arguments
        self._shared_bytes = shared_bytes

    @property
    def registers(self) -> int:
        """Registers of a thread."""
        return self._attribute(_REGISTERS)

    @property
    def local_bytes(self) -> int:
        """Memory of a thread for what its registers don't hold."""
        return self._attribute(_LOCAL_BYTES)

    def _attribute(self, number: int) -> int:
        value = ctypes.c_int()
        _call("cuFuncGetAttribute", ctypes.byref(value), number, self._function)
        return value.value

    def blocks_at_once(self, threads: int) -> int:
        """Blocks that one multiprocessor runs at a time."""
        value = ctypes.c_int()
        _call(
            "cuOccupancyMaxActiveBlocksPerMultiprocessor", ctypes.byref(value), self._function,
            threads, ctypes.c_size_t(self._shared_bytes),
        )  # fmt: skip
        return value.value

    def start(
        self, blocks: int, threads: int, stream: int, given: Mapping[str, int | float]
    ) -> None:
        """Start it; addresses and numbers by name, those left out are 0."""
        values: Sequence[Any] = [
            _KINDS[kind](given.get(name, 0)) for name, kind in self._arguments.items()
        ]
        places = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        _call(
            "cuLaunchKernel", self._function, blocks, 1, 1, threads, 1, 1, self._shared_bytes,
            ctypes.c_void_p(stream), places, None,
        )  # fmt: skip
