"""LLVM assembly to machine code, compiled once and kept on disk."""

from __future__ import annotations

import ctypes
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numpy as np

from trainability.cache import cached
from trainability.training.ops.simd import FLOAT, INT, POINTER

_CTYPES = {POINTER: ctypes.c_void_p, INT: ctypes.c_int64, FLOAT: ctypes.c_float}
_NUMBERS = itertools.count()
# In a large process a module's code and its constants may come to lie gigabytes apart, further
# than the small code model's addresses reach; LLVM then aborts the process.
_RELOCATION, _CODE_MODEL = "static", "large"
# A function finds out too late that it must put vectors aside on the stack, and then takes the
# stack as it lies: three of four times across two cache lines. Measured, that costs next to nothing
# where few are put aside, a tenth of all time with ten outputs, a sixth at depth 4 and width 64.
_ATTRIBUTES = '"stackrealign"'


@dataclass(frozen=True)
class Function:
    """A compiled function; calling it releases the GIL.

    Args:
        pointer: The function as ctypes sees it.
        arguments: Kind of each argument, by name.
        library: What keeps the code in memory.
    """

    pointer: Any
    arguments: Mapping[str, str]
    library: object

    def __call__(self, **given: Any) -> None:
        """Call it by names; arrays are passed by address, those left out are null or 0."""
        self.bind(**given)()

    def bind(self, **fixed: Any) -> Bound:
        """The function with some arguments given already."""
        return Bound(self, fixed)


class Bound:
    """A function that wants only its other arguments; for one thread at a time."""

    def __init__(self, function: Function, fixed: dict[str, Any]) -> None:
        self._function = function  # Keeps the code in memory.
        self._fixed = fixed  # Keeps the arrays in memory.
        self._places = {name: place for place, name in enumerate(function.arguments)}
        self._values = [_raw(fixed.get(name, 0)) for name in function.arguments]

    def __call__(self, **given: Any) -> None:
        for name, value in given.items():
            self._values[self._places[name]] = _raw(value)
        self._function.pointer(*self._values)


def _raw(value: Any) -> Any:
    return value.__array_interface__["data"][0] if isinstance(value, np.ndarray) else value


def cpu_features() -> dict[str, bool]:
    """What the CPU of this machine can do, by LLVM's names; empty where LLVM can't tell."""
    try:
        return dict(llvm.get_host_cpu_features())
    except RuntimeError:
        return {}


def load(
    source: str, functions: Mapping[str, Mapping[str, str]], unroll: bool, optimize: bool = True
) -> dict[str, Function]:
    """The functions of a module.

    Args:
        source: LLVM assembly.
        functions: The kinds of the arguments by name, per function.
        unroll: Whether short loops are written out.
        optimize: Whether it is made to run fast, not to be there soon; it computes the same.
    """
    code = _object_code(source, unroll) if optimize else _as_it_stands(source)
    library = llvm.JITLibraryBuilder().add_current_process().add_object_img(code)
    for name in functions:
        library.export_symbol(name)
    linked = library.link(_linker(), f"kernel{next(_NUMBERS)}")
    loaded = {}
    for name, arguments in functions.items():
        kind = ctypes.CFUNCTYPE(None, *(_CTYPES[argument] for argument in arguments.values()))
        loaded[name] = Function(kind(linked[name]), arguments, linked)
    return loaded


def _object_code(source: str, unroll: bool) -> bytes:
    """Machine code from the cache, or compiled now."""
    machine = [llvmlite.__version__, llvm.get_host_cpu_name(), _features()]
    machine += [_RELOCATION, _CODE_MODEL, _ATTRIBUTES]
    return cached([source, str(unroll), *machine], lambda: _compile(source, unroll))


def _as_it_stands(source: str) -> bytes:
    """Machine code of a source, operation by operation, which is not worth keeping."""
    module = llvm.parse_assembly(_with_attributes(source))
    module.verify()
    return _target_machine(opt=0).emit_object(module)


def _compile(source: str, unroll: bool) -> bytes:
    return _target_machine().emit_object(optimized(source, unroll))


def optimized(source: str, unroll: bool) -> Any:
    """The module of a source, as machine code is made of it; see `load`."""
    machine = _target_machine()
    module = llvm.parse_assembly(_with_attributes(source))
    module.verify()
    # The kernels are vectors already.
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = False
    options.slp_vectorization = False
    options.loop_unrolling = unroll
    passes = llvm.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    return module


def _with_attributes(source: str) -> str:
    """With what all functions of it are to have: a parsed module takes no attributes as texts."""
    return re.sub(r"^(define .*\)) \{$", rf"\1 {_ATTRIBUTES} {{", source, flags=re.MULTILINE)


@cache
def _linker() -> Any:
    return llvm.create_lljit_compiler(_target_machine())


def _target_machine(opt: int = 2) -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=_features(),
        opt=opt,
        reloc=_RELOCATION,
        codemodel=_CODE_MODEL,
    )


def _features() -> str:
    # LLVM would rather not use the widest vectors on some CPUs; here they pay.
    features = cpu_features() | {"prefer-256-bit": False}
    return ",".join(f"{'+' if on else '-'}{name}" for name, on in sorted(features.items()))
