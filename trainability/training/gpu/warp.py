"""What 32 lanes do together, on a GPU and, for tests, on a CPU.

A warp holds `32 / lanes` networks, each on `lanes` neighboring lanes. On a GPU a lane is a thread
and the parameters lie in shared memory; on a CPU the lanes are those of one vector, and every
parameter is kept once per lane. What is written with these operations does the same on both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from trainability.training.gpu.lanes import permuted
from trainability.training.gpu.memory import WARP, Memory
from trainability.training.ops.gather import constants, gathered, scattered
from trainability.training.ops.simd import FLOAT, INT, POINTER, Code, Index, Value

GLOBAL = "ptr addrspace(1)"
SHARED = "ptr addrspace(3)"


class Warp(Protocol):
    """The operations; `code` is what they write to."""

    code: Code
    lane: Value
    """i32: the lane within its network's lanes."""
    slot: Value
    """i64: which of the networks of a launch a lane works on."""

    def function(
        self, name: str, arguments: Mapping[str, str]
    ) -> AbstractContextManager[dict[str, Value]]:
        """Write a kernel with these arguments."""
        ...

    def exchanged(self, value: Value, distance: int) -> Value:
        """The value of the lane whose index differs in the bit `distance`."""
        ...

    def any(self, mask: Value) -> Value:
        """Whether the mask is set in some lane, the same in all."""
        ...

    def gather(self, base: Value, index: Value, kind: str = FLOAT) -> Value:
        """Every lane's own element of an array of single numbers."""
        ...

    def scatter(self, value: Value, base: Value, index: Value, mask: Value) -> None:
        """Store every lane's value where its mask is set."""
        ...

    def parameters(self, first: Index, n: int) -> list[Value]:
        """n parameters in a row, in all lanes of a network; n is 1, 2 or 4 and divides `first`."""
        ...

    def set_parameters(self, first: Index, value: Value) -> None:
        """Every lane sets the parameter `first` + lane."""
        ...

    def own_parameters(self, first: Index) -> Value:
        """The parameter `first` + lane."""
        ...

    def load(self, place: Index, n: int) -> list[Value]:
        """n numbers that the lane stored for itself."""
        ...

    def store(self, place: Index, values: Sequence[Value]) -> None:
        """Store numbers for the lane itself; always as many at a place."""
        ...

    def fence(self) -> None:
        """What was stored before is seen by all lanes after."""
        ...


class Threads:
    """A lane is a thread of a GPU.

    Args:
        memory: Where what lies in a warp's shared memory.
        warps: Warps of a block.
        registers: The most registers of a thread, or None.
    """

    def __init__(self, memory: Memory, warps: int, registers: int | None = None) -> None:
        self.code = Code(1)
        self._attributes = f'"nvvm.maxnreg"="{registers}"' if registers else ""
        self._memory = memory
        self._warps = warps

    def function(
        self, name: str, arguments: Mapping[str, str]
    ) -> AbstractContextManager[dict[str, Value]]:
        kinds = {label: GLOBAL if kind == POINTER else kind for label, kind in arguments.items()}
        return _Begun(self.code.function(name, kinds, "ptx_kernel", self._attributes), self._begin)

    def _begin(self) -> None:
        code, memory = self.code, self._memory
        code.declare("@shared = external addrspace(3) global [0 x float], align 16")
        thread = self._register("tid.x")
        warp, within = thread >> 5, thread & (WARP - 1)
        self.lane = within & (memory.lanes - 1)
        group = within // memory.lanes
        networks = WARP // memory.lanes
        block = self._register("ctaid.x") * self._warps + warp
        self.slot = (block * networks + group).to(INT, "zext")
        shared = Value(code, SHARED, "@shared")
        first = warp * memory.size
        self._parameters = self._at(shared, first + group * memory.stride)
        self._own = self._at(shared, first + memory.own)
        self._own_lane = within

    def _at(self, base: Value, index: Value) -> Value:
        return self.code.emit(
            SHARED, f"getelementptr inbounds float, {base.kind} {base.text}, i32 {index.text}"
        )

    def _register(self, name: str) -> Value:
        code = self.code
        return code.emit("i32", code.calling(f"llvm.nvvm.read.ptx.sreg.{name}", "i32"))

    def exchanged(self, value: Value, distance: int) -> Value:
        name = "llvm.nvvm.shfl.sync.bfly.f32"
        self.code.declare(f"declare float @{name}(i32, float, i32, i32)")
        return self.code.emit(
            FLOAT, f"call float @{name}(i32 -1, float {value.text}, i32 {distance}, i32 31)"
        )

    def any(self, mask: Value) -> Value:
        name = "llvm.nvvm.vote.any.sync"
        self.code.declare(f"declare i1 @{name}(i32, i1)")
        return self.code.emit("i1", f"call i1 @{name}(i32 -1, i1 {mask.text})")

    def gather(self, base: Value, index: Value, kind: str = FLOAT) -> Value:
        return self.code.load(base, index, kind)

    def scatter(self, value: Value, base: Value, index: Value, mask: Value) -> None:
        with self.code.when(mask):
            self.code.store(value, base, index)

    def parameters(self, first: Index, n: int) -> list[Value]:
        return self._vector(self._parameters, first, n)

    def set_parameters(self, first: Index, value: Value) -> None:
        self.code.store(value, self._lane_of(self._parameters, first), 0)

    def own_parameters(self, first: Index) -> Value:
        return self.code.load(self._lane_of(self._parameters, first), 0, FLOAT)

    def load(self, place: Index, n: int) -> list[Value]:
        return self._vector(self._own_place(place, n), 0, n)

    def store(self, place: Index, values: Sequence[Value]) -> None:
        code, n = self.code, len(values)
        base = self._own_place(place, n)
        if n == 1:
            code.store(values[0], base, 0)
            return
        kind = f"<{n} x float>"
        text = "poison"
        for index, value in enumerate(values):
            text = code.emit(
                kind, f"insertelement {kind} {text}, float {value.text}, i64 {index}"
            ).text
        code.write(f"store {kind} {text}, {base.kind} {base.text}, align {4 * n}")

    def fence(self) -> None:
        name = "llvm.nvvm.bar.warp.sync"
        self.code.declare(f"declare void @{name}(i32)")
        self.code.write(f"call void @{name}(i32 -1)")

    def _vector(self, base: Value, first: Index, n: int) -> list[Value]:
        code = self.code
        if n == 1:
            return [code.load(base, first, FLOAT)]
        at = _as_offset(code, first)
        place = code.emit(
            base.kind, f"getelementptr inbounds float, {base.kind} {base.text}, i64 {at}"
        )
        kind = f"<{n} x float>"
        whole = code.emit(kind, f"load {kind}, {place.kind} {place.text}, align {4 * n}")
        return [
            code.emit(FLOAT, f"extractelement {kind} {whole.text}, i64 {index}")
            for index in range(n)
        ]

    def _lane_of(self, base: Value, first: Index) -> Value:
        code = self.code
        mine = self._at(base, self.lane)
        return code.emit(
            SHARED,
            f"getelementptr inbounds float, {SHARED} {mine.text}, i64 {_as_offset(code, first)}",
        )

    def _own_place(self, place: Index, n: int) -> Value:
        code = self.code
        mine = self._at(self._own, self._own_lane * n)
        offset = _as_offset(code, place * (WARP * n))
        return code.emit(
            SHARED, f"getelementptr inbounds float, {SHARED} {mine.text}, i64 {offset}"
        )


class Vectors:
    """A lane is that of a vector of a CPU; a call trains the networks of one warp.

    The kernel has two more arguments: `scratch`, for what a GPU has in shared memory, of
    `memory.places` vectors, and `first_slot`.
    """

    def __init__(self, memory: Memory) -> None:
        self.code = Code(WARP)
        self._memory = memory

    def function(
        self, name: str, arguments: Mapping[str, str]
    ) -> AbstractContextManager[dict[str, Value]]:
        return _Begun(self.code.function(name, {**arguments, **CPU_ARGUMENTS}), self._begin)

    def _begin(self) -> None:
        code, lanes = self.code, self._memory.lanes
        self.lane = constants(code, "i32", [lane % lanes for lane in range(WARP)])
        self._scratch = Value(code, POINTER, "%scratch")
        groups = constants(code, INT, [lane // lanes for lane in range(WARP)])
        self.slot = groups + Value(code, INT, "%first_slot")

    def exchanged(self, value: Value, distance: int) -> Value:
        return permuted(self.code, value, [lane ^ distance for lane in range(WARP)])

    def any(self, mask: Value) -> Value:
        return mask.any()

    def gather(self, base: Value, index: Value, kind: str = FLOAT) -> Value:
        return gathered(self.code, base, index, kind)

    def scatter(self, value: Value, base: Value, index: Value, mask: Value) -> None:
        scattered(self.code, value, base, index, mask)

    def parameters(self, first: Index, n: int) -> list[Value]:
        return [self.code.load(self._scratch, first + k) for k in range(n)]

    def set_parameters(self, first: Index, value: Value) -> None:
        lanes = self._memory.lanes
        for k in range(lanes):
            spread = [lane // lanes * lanes + k for lane in range(WARP)]
            self.code.store(permuted(self.code, value, spread), self._scratch, first + k)

    def own_parameters(self, first: Index) -> Value:
        rows = [self.code.load(self._scratch, first + k) for k in range(self._memory.lanes)]
        result = rows[0]
        for k, row in enumerate(rows[1:], 1):
            result = self.lane.equals(k).choose(row, result)
        return result

    def load(self, place: Index, n: int) -> list[Value]:
        first = place * n + self._memory.stride
        return [self.code.load(self._scratch, first + k) for k in range(n)]

    def store(self, place: Index, values: Sequence[Value]) -> None:
        first = place * len(values) + self._memory.stride
        for k, value in enumerate(values):
            self.code.store(value, self._scratch, first + k)

    def fence(self) -> None:
        pass


CPU_ARGUMENTS = {"scratch": POINTER, "first_slot": INT}


class _Begun:
    """A function whose first lines are written as it is entered."""

    def __init__(self, function: AbstractContextManager, begin) -> None:
        self._function = function
        self._begin = begin

    def __enter__(self) -> dict[str, Value]:
        given = self._function.__enter__()
        self._begin()
        return given

    def __exit__(self, *raised) -> None:
        self._function.__exit__(*raised)


def _as_offset(code: Code, index: Index) -> str:
    return index.text if isinstance(index, Value) else str(index)
