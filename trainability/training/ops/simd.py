"""A small language for functions over vectors, one lane per number, that writes LLVM assembly.

Vectors, fused multiply-adds and masks are what the kernel says, not what a compiler guesses.
With one lane there are no vectors: the function is that of one thread of a GPU.
There is no fast-math: every operation rounds as IEEE 754 says, so a lane's numbers depend
neither on the other lanes nor on the CPU.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

INT = "i64"
FLOAT = "float"
POINTER = "ptr"
_BYTES = {"i1": 1, "i32": 4, "float": 4, "i64": 8}


class Value:
    """A number, a mask or a vector of them, in the function that is being written.

    Operators take another value of the same kind, or a number that stands for it in every lane.
    """

    text: str

    def __init__(self, code: Code, kind: str, text: str) -> None:
        self.code = code
        self.kind = kind
        self.text = text

    @property
    def is_float(self) -> bool:
        return _element(self.kind) == FLOAT

    def __add__(self, other: Value | float) -> Value:
        return self._apply("fadd" if self.is_float else "add", other)

    def __radd__(self, other: float) -> Value:
        return self + other

    def __sub__(self, other: Value | float) -> Value:
        return self._apply("fsub" if self.is_float else "sub", other)

    def __mul__(self, other: Value | float) -> Value:
        return self._apply("fmul" if self.is_float else "mul", other)

    def __rmul__(self, other: float) -> Value:
        return self * other

    def __truediv__(self, other: Value | float) -> Value:
        return self._apply("fdiv", other)

    def __neg__(self) -> Value:
        return self.code.emit(self.kind, f"fneg {self.kind} {self.text}")

    def __floordiv__(self, other: Value | int) -> Value:
        return self._apply("udiv", other)

    def __mod__(self, other: Value | int) -> Value:
        return self._apply("urem", other)

    def __rshift__(self, other: Value | int) -> Value:
        return self._apply("lshr", other)

    def __lshift__(self, other: Value | int) -> Value:
        return self._apply("shl", other)

    def __xor__(self, other: Value | int) -> Value:
        return self._apply("xor", other)

    def __and__(self, other: Value | int) -> Value:
        return self._apply("and", other)

    def __or__(self, other: Value | int) -> Value:
        return self._apply("or", other)

    def __lt__(self, other: Value | float) -> Value:
        return self._apply("fcmp olt" if self.is_float else "icmp ult", other, mask=True)

    def __gt__(self, other: Value | float) -> Value:
        return self._apply("fcmp ogt" if self.is_float else "icmp ugt", other, mask=True)

    def equals(self, other: Value | int) -> Value:
        return self._apply("icmp eq", other, mask=True)

    def fma(self, factor: Value, addend: Value) -> Value:
        """self * factor + addend, rounded once."""
        return self.code.call("llvm.fma", self.kind, self, factor, addend)

    def sqrt(self) -> Value:
        return self.code.call("llvm.sqrt", self.kind, self)

    def __abs__(self) -> Value:
        return self.code.call("llvm.fabs", self.kind, self)

    def written(self) -> Value:
        """The value itself, if it was lazy: written by now."""
        return Value(self.code, self.kind, self.text)

    def choose(self, yes: Value, no: Value) -> Value:
        """`yes` where this mask is set, else `no`."""
        return self.code.emit(
            yes.kind, f"select {self.kind} {self.text}, {yes.kind} {yes.text}, {no.kind} {no.text}"
        )

    def any(self) -> Value:
        """Whether this mask is set in some lane."""
        lanes = self.code.lanes
        bits = self.code.emit(f"i{lanes}", f"bitcast {self.kind} {self.text} to i{lanes}")
        return self.code.emit("i1", f"icmp ne i{lanes} {bits.text}, 0")

    def to(self, kind: str, how: str) -> Value:
        """Converted to another kind by an LLVM conversion such as `zext`."""
        return self.code.emit(kind, f"{how} {self.kind} {self.text} to {kind}")

    def lane(self, index: int) -> Value:
        kind = _element(self.kind)
        return self.code.emit(kind, f"extractelement {self.kind} {self.text}, i64 {index}")

    def like(self, other: Value | float) -> Value:
        """`other` as a value of our kind."""
        if not isinstance(other, Value):
            text = _float_text(other) if self.is_float else str(int(other))
            if self.kind.startswith("<"):
                single = _element(self.kind)
                text = "<" + ", ".join([f"{single} {text}"] * self.code.lanes) + ">"
            return Value(self.code, self.kind, text)
        if self.kind.startswith("<") and not other.kind.startswith("<"):
            return self.code.fill(other)
        return other

    def _apply(self, operation: str, other: Value | float, mask: bool = False) -> Value:
        kind = self.kind.replace(_element(self.kind), "i1") if mask else self.kind
        right = self.like(other)
        return self.code.emit(kind, f"{operation} {self.kind} {self.text}, {right.text}")


class Lazy(Value):
    """A value that is written where it is first used, so that a rule decides on the order."""

    def __init__(self, code: Code, kind: str, write: Callable[[], Value]) -> None:
        self.code = code
        self.kind = kind
        self._write = write

    @cached_property
    def text(self) -> str:  # type: ignore[override]
        return self._write().text


Index = Value | int


class Variable:
    """A place for a value that changes, also inside of loops."""

    def __init__(self, code: Code, value: Value) -> None:
        self._code = code
        self._kind = value.kind
        self._place = code.allocate(value.kind)
        self.set(value)

    @property
    def value(self) -> Value:
        """The value at its first use."""
        return Lazy(self._code, self._kind, self.get)

    def get(self) -> Value:
        return self._code.emit(self._kind, f"load {self._kind}, ptr {self._place}")

    def set(self, value: Value) -> None:
        self._code.write(f"store {value.kind} {value.text}, ptr {self._place}")


class Code:
    """A module of functions that return nothing.

    Args:
        lanes: Numbers per vector.
    """

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self._functions: list[str] = []
        self._intrinsics: set[str] = set()
        self._lines: list[str] = []
        self._places: list[str] = []
        self._names = itertools.count()
        self._label = ""
        self._exits: list[str] = []

    def __str__(self) -> str:
        return "\n".join([*self._functions, *sorted(self._intrinsics)])

    def vector(self, single: str = FLOAT) -> str:
        """The kind of a vector of numbers of kind `single`; with one lane that kind itself."""
        return single if self.lanes == 1 else f"<{self.lanes} x {single}>"

    @contextmanager
    def function(
        self, name: str, arguments: Mapping[str, str], convention: str = "", attributes: str = ""
    ) -> Iterator[dict[str, Value]]:
        """Write a function of named arguments; what its pointers point to must not overlap."""
        self._lines, self._places = [], []
        values = {label: Value(self, kind, f"%{label}") for label, kind in arguments.items()}
        header = ", ".join(
            f"{v.kind} {'noalias ' if v.kind.startswith(POINTER) else ''}{v.text}"
            for v in values.values()
        )
        self._begin("start")
        yield values
        self.write("ret void")
        body = "\n".join(self._lines[1:])
        places = "\n".join(self._places)
        entry = f"entry:\n{places}\nbr label %start\nstart:"
        define = f"define {convention} void" if convention else "define void"
        header = f"{header}) {attributes}" if attributes else f"{header})"
        self._functions.append(f"{define} @{name}({header} {{\n{entry}\n{body}\n}}")

    @contextmanager
    def loop(self, count: Index) -> Iterator[Value]:
        """Repeat what is written inside for an index from 0 to `count` - 1."""
        if isinstance(count, int) and count == 1:
            yield self.constant(0, INT)
            return
        head, body, end = (self._name(part) for part in ("head", "body", "end"))
        before = self._label
        index = Value(self, INT, f"%{self._name('i')}")
        following = Value(self, INT, f"{index.text}.next")
        self.write(f"br label %{head}")
        self._begin(head)
        place = len(self._lines)
        more = index < count
        self.write(f"br i1 {more.text}, label %{body}, label %{end}")
        self._begin(body)
        self._exits.append(end)
        yield index
        self._exits.pop()
        self.write(f"{following.text} = add i64 {index.text}, 1")
        self._lines.insert(
            place,
            f"{index.text} = phi i64 [0, %{before}], [{following.text}, %{self._label}]",
        )
        self.write(f"br label %{head}")
        self._begin(end)

    def blocks(self, count: int, size: int) -> Iterator[tuple[Value, int]]:
        """Cover 0..count-1 in blocks: the first index and the size of each."""
        whole, rest = divmod(count, size)
        if whole:
            with self.loop(whole) as index:
                yield index * size, size
        if rest:
            yield self.constant(whole * size, INT), rest

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        inside, after = self._name("then"), self._name("after")
        self.write(f"br i1 {condition.text}, label %{inside}, label %{after}")
        self._begin(inside)
        yield
        self.write(f"br label %{after}")
        self._begin(after)

    def leave_loop_when(self, condition: Value) -> None:
        onward = self._name("onward")
        self.write(f"br i1 {condition.text}, label %{self._exits[-1]}, label %{onward}")
        self._begin(onward)

    def load(self, base: Value, index: Index, kind: str | None = None) -> Value:
        """The number or, by default, the vector of floats at `index`, counted in its size."""
        kind = kind or self.vector()
        address = self._address(base, index, kind)
        return self.emit(kind, f"load {kind}, {address}, align {_alignment(kind)}")

    def store(self, value: Value, base: Value, index: Index) -> None:
        address = self._address(base, index, value.kind)
        self.write(f"store {value.kind} {value.text}, {address}, align {_alignment(value.kind)}")

    def splat(self, base: Value, index: Index) -> Value:
        """A vector with the float at `index` in every lane."""
        return self.fill(self.load(base, index, FLOAT))

    def fill(self, value: Value) -> Value:
        """A vector with `value` in every lane."""
        if self.lanes == 1:
            return value
        kind = self.vector(value.kind)
        first = self.emit(kind, f"insertelement {kind} poison, {value.kind} {value.text}, i64 0")
        mask = f"<{self.lanes} x i32> zeroinitializer"
        return self.emit(kind, f"shufflevector {kind} {first.text}, {kind} poison, {mask}")

    def constant(self, value: float, kind: str | None = None) -> Value:
        """The same number in every lane; a vector of floats by default."""
        kind = kind or self.vector()
        return Value(self, kind, "").like(value)

    def variable(self, value: Value) -> Variable:
        return Variable(self, value)

    def call(self, function: str, result: str, *arguments: Value) -> Value:
        """Call an intrinsic that is overloaded by its result."""
        suffix = "f32" if result == FLOAT else f"v{result.strip('<>').replace(' x float', 'f32')}"
        return self.emit(result, self.calling(f"{function}.{suffix}", result, *arguments))

    def calling(self, function: str, result: str, *arguments: Value) -> str:
        """The instruction that calls an external function, which is declared."""
        kinds = ", ".join(argument.kind for argument in arguments)
        self.declare(f"declare {result} @{function}({kinds})")
        given = ", ".join(f"{argument.kind} {argument.text}" for argument in arguments)
        return f"call {result} @{function}({given})"

    def declare(self, line: str) -> None:
        """A line of the module outside of its functions, once."""
        self._intrinsics.add(line)

    def emit(self, kind: str, instruction: str) -> Value:
        value = Value(self, kind, f"%{self._name('v')}")
        self.write(f"{value.text} = {instruction}")
        return value

    def write(self, line: str) -> None:
        self._lines.append(line)

    def allocate(self, kind: str) -> str:
        place = f"%{self._name('place')}"
        self._places.append(f"{place} = alloca {kind}")
        return place

    def pointer(self, base: Value, index: Index, kind: str) -> Value:
        """Where the number or vector at `index` lies, counted in its size."""
        text = index.text if isinstance(index, Value) else str(index)
        at = index.kind if isinstance(index, Value) else INT
        return self.emit(
            base.kind, f"getelementptr inbounds {kind}, {base.kind} {base.text}, {at} {text}"
        )

    def _address(self, base: Value, index: Index, kind: str) -> str:
        place = self.pointer(base, index, kind)
        return f"{place.kind} {place.text}"

    def _begin(self, label: str) -> None:
        self._lines.append(f"{label}:")
        self._label = label

    def _name(self, stem: str) -> str:
        return f"{stem}{next(self._names)}"


def _element(kind: str) -> str:
    """The kind of one number of a vector; other kinds are their own."""
    return kind.strip("<>").split(" x ")[-1]


def _float_text(number: float) -> str:
    """LLVM writes a float as the bits of the double of the same value: the nearest float's."""
    number = struct.unpack("f", struct.pack("f", number))[0]
    return f"0x{struct.pack('>d', number).hex().upper()}"


def _alignment(kind: str) -> int:
    return _BYTES[_element(kind)]
