"""What the threads of a block do together, on a GPU and, for tests, on a CPU.

Work is written in phases: all threads do a phase before any does the next. On a GPU that is a
barrier; on a CPU a loop over vectors of 32 threads. What lies in shared memory is addressed by
number; what a thread keeps from phase to phase lies in its registers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from trainability.training.gpu.lanes import permuted
from trainability.training.gpu.warp import GLOBAL, SHARED, WARP
from trainability.training.ops.gather import gathered, scattered
from trainability.training.ops.simd import FLOAT, INT, POINTER, Code, Index, Value


class Block(Protocol):
    """The operations; `code` is what they write to. Indices are i32, numbers are float32."""

    code: Code
    slot: Value
    """i64, the same in all threads: which network of a launch the block trains."""

    def function(
        self, name: str, arguments: Mapping[str, str]
    ) -> AbstractContextManager[dict[str, Value]]:
        """Write a kernel with these arguments."""
        ...

    def phase(self) -> AbstractContextManager[Value]:
        """Write what all threads do before any goes on; gives the index of a thread."""
        ...

    def integers(self, value: int) -> Value:
        """The same index for all threads."""
        ...

    def load(self, index: Value) -> Value:
        """A number from shared memory."""
        ...

    def load_four(self, index: Value) -> list[Value]:
        """Four in a row; the index is a multiple of four."""
        ...

    def load_for_all(self, index: int) -> Value:
        """A number, the same for all threads, outside of a phase."""
        ...

    def store(self, value: Value, index: Value, mask: Value | None) -> None:
        """Store a number where the mask is set, or always."""
        ...

    def store_four(self, values: Sequence[Value], index: Value, mask: Value | None) -> None:
        """Store four in a row."""
        ...

    def own(self, number: int) -> Value:
        """A number that the thread keeps."""
        ...

    def set_own(self, number: int, value: Value) -> None:
        """Replace it."""
        ...

    def exchanged(self, value: Value, distance: int) -> Value:
        """The value of the thread whose index differs in the bit `distance`, below 32."""
        ...

    def gather(self, base: Value, index: Value, kind: str = FLOAT) -> Value:
        """A number from an array in global memory."""
        ...

    def scatter(self, value: Value, base: Value, index: Value, mask: Value | None) -> None:
        """Store a number there where the mask is set, or always."""
        ...


class BlockThreads:
    """A thread is one of a GPU.

    Args:
        n_threads: Threads of the block.
        n_own: Numbers that a thread keeps from phase to phase.
    """

    def __init__(self, n_threads: int, n_own: int) -> None:
        self.code = Code(1)
        self._n_own = n_own

    @contextmanager
    def function(self, name: str, arguments: Mapping[str, str]) -> Iterator[dict[str, Value]]:
        code = self.code
        code.declare("@shared = external addrspace(3) global [0 x float], align 16")
        kinds = {label: GLOBAL if kind == POINTER else kind for label, kind in arguments.items()}
        with code.function(name, kinds, "ptx_kernel") as given:
            self._thread = self._register("tid.x")
            self.slot = self._register("ctaid.x").to(INT, "zext")
            self._shared = Value(code, SHARED, "@shared")
            self._own = [code.variable(code.constant(0.0)) for _ in range(self._n_own)]
            yield given

    def _register(self, name: str) -> Value:
        code = self.code
        return code.emit("i32", code.calling(f"llvm.nvvm.read.ptx.sreg.{name}", "i32"))

    @contextmanager
    def phase(self) -> Iterator[Value]:
        yield self._thread
        self.code.declare("declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)")
        self.code.write("call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)")

    def integers(self, value: int) -> Value:
        return self.code.constant(value, "i32")

    def load(self, index: Value) -> Value:
        return self.code.load(self._shared, index, FLOAT)

    def load_four(self, index: Value) -> list[Value]:
        code = self.code
        place = self._place(index)
        four = code.emit("<4 x float>", f"load <4 x float>, {SHARED} {place.text}, align 16")
        return [
            code.emit(FLOAT, f"extractelement <4 x float> {four.text}, i64 {k}") for k in range(4)
        ]

    def load_for_all(self, index: int) -> Value:
        return self.code.load(self._shared, index, FLOAT)

    def store(self, value: Value, index: Value, mask: Value | None) -> None:
        if mask is None:
            self.code.store(value, self._shared, index)
            return
        with self.code.when(mask):
            self.code.store(value, self._shared, index)

    def store_four(self, values: Sequence[Value], index: Value, mask: Value | None) -> None:
        code, text = self.code, "poison"
        for k, value in enumerate(values):
            text = code.emit(
                "<4 x float>", f"insertelement <4 x float> {text}, float {value.text}, i64 {k}"
            ).text
        place = self._place(index)
        line = f"store <4 x float> {text}, {SHARED} {place.text}, align 16"
        if mask is None:
            code.write(line)
            return
        with code.when(mask):
            code.write(line)

    def _place(self, index: Value) -> Value:
        return self.code.emit(
            SHARED,
            f"getelementptr inbounds float, {SHARED} {self._shared.text}, i32 {index.text}",
        )

    def own(self, number: int) -> Value:
        return self._own[number].get()

    def set_own(self, number: int, value: Value) -> None:
        self._own[number].set(value)

    def exchanged(self, value: Value, distance: int) -> Value:
        name = "llvm.nvvm.shfl.sync.bfly.f32"
        self.code.declare(f"declare float @{name}(i32, float, i32, i32)")
        return self.code.emit(
            FLOAT, f"call float @{name}(i32 -1, float {value.text}, i32 {distance}, i32 31)"
        )

    def gather(self, base: Value, index: Value, kind: str = FLOAT) -> Value:
        return self.code.load(base, index, kind)

    def scatter(self, value: Value, base: Value, index: Value, mask: Value | None) -> None:
        if mask is None:
            self.code.store(value, base, index)
            return
        with self.code.when(mask):
            self.code.store(value, base, index)


class BlockVectors:
    """32 threads are a vector of a CPU; a phase is a loop over vectors.

    The kernel has two more arguments: `scratch`, `n_shared` floats and then what threads keep,
    and `first_slot`.

    Args:
        n_threads: Threads of the block.
        n_own: Numbers that a thread keeps from phase to phase.
        n_shared: Floats of shared memory.
    """

    def __init__(self, n_threads: int, n_own: int, n_shared: int) -> None:
        self.code = Code(WARP)
        self._vectors = n_threads // WARP
        self._n_own = n_own
        self._n_shared = n_shared
        self._vector: Index = 0

    @property
    def places(self) -> int:
        """Floats of `scratch`."""
        return self._n_shared + self._vectors * self._n_own * WARP

    @contextmanager
    def function(self, name: str, arguments: Mapping[str, str]) -> Iterator[dict[str, Value]]:
        extra = {"scratch": POINTER, "first_slot": INT}
        with self.code.function(name, {**arguments, **extra}) as given:
            self._scratch = given["scratch"]
            self.slot = given["first_slot"]
            yield given

    @contextmanager
    def phase(self) -> Iterator[Value]:
        code = self.code
        text = ", ".join(f"i32 {lane}" for lane in range(WARP))
        lanes = Value(code, code.vector("i32"), f"<{text}>")
        with code.loop(self._vectors) as self._vector:
            first = self._vector * WARP
            first = first.to("i32", "trunc")
            yield lanes + first

    def integers(self, value: int) -> Value:
        return self.code.constant(value, self.code.vector("i32"))

    def load(self, index: Value) -> Value:
        return gathered(self.code, self._scratch, index)

    def load_four(self, index: Value) -> list[Value]:
        return [self.load(index + k) for k in range(4)]

    def load_for_all(self, index: int) -> Value:
        return self.code.load(self._scratch, index, FLOAT)

    def store(self, value: Value, index: Value, mask: Value | None) -> None:
        scattered(self.code, value, self._scratch, index, mask)

    def store_four(self, values: Sequence[Value], index: Value, mask: Value | None) -> None:
        for k, value in enumerate(values):
            self.store(value, index + k, mask)

    def _own_place(self, number: int) -> Index:
        first = self._n_shared // WARP + number * self._vectors
        return self._vector + first

    def own(self, number: int) -> Value:
        return self.code.load(self._scratch, self._own_place(number))

    def set_own(self, number: int, value: Value) -> None:
        self.code.store(value, self._scratch, self._own_place(number))

    def exchanged(self, value: Value, distance: int) -> Value:
        return permuted(self.code, value, [lane ^ distance for lane in range(WARP)])

    def gather(self, base: Value, index: Value, kind: str = FLOAT) -> Value:
        return gathered(self.code, base, index, kind)

    def scatter(self, value: Value, base: Value, index: Value, mask: Value | None) -> None:
        scattered(self.code, value, base, index, mask)
