"""What a function of the user's is, as text: its source, and all of the user's that it uses.

A function that changes under its name must not pass for the one that it was. So what tells results
apart is what the function says, without comments, docstrings and layout, and whatever of the user's
it refers to, at any depth: code by what it says, values by what they hold. Not what its file is
called: a file that is run as a program is `__main__`, and must make the cells that it makes when
loaded. What it looks up by a text as it runs nobody can follow, and so it is refused.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import hashlib
import importlib
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any

from trainability.errors import StudyError
from trainability.installed import is_installed
from trainability.study.contents import PLAIN, Contents
from trainability.study.files import MODULE_PREFIX

_USUAL = {
    "nn": "torch.nn", "F": "torch.nn.functional", "functional": "torch.nn.functional",
    "init": "torch.nn.init", "np": "numpy",
}  # fmt: skip
"""Names under which installed modules are commonly imported, which say nothing new."""
_LOOK_UPS = (globals, eval, exec, __import__, importlib.import_module, sys.modules)
"""What finds code by a text."""
_BY_TEXT = {"getattr", "vars", "__dict__"}
"""Names by which what a Python module holds may be found by a text."""
_DEEPEST = 24
"""Levels of lists within lists; one that refers to itself has more."""
_SLOTS = (MemberDescriptorType, GetSetDescriptorType)
_NOT_HELD = ("_abc_",)
"""How names begin under which Python keeps notes of its own in a class."""


def source_digest(function: Callable[..., Any]) -> str:
    """16 hexadecimal digits: of the source of a function or class and of what it uses.

    Code that is installed counts by its name alone.

    Raises:
        StudyError: If there is no source, as for what was typed into a plain prompt, or if nobody
            can tell what the function uses.
    """
    reader = _Reader(function)
    text = "\n".join(f"{name}: {reader.texts[name]}" for name in sorted(reader.texts))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Reader:
    """Collects texts, by name, of a function or class and of whatever it refers to."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.texts: dict[str, str] = {}
        self._home = function.__module__  # whose name does not count
        self._names: dict[int, str] = {}
        self._alive: list[Any] = []  # whose ids must not be given to others
        self._contents = Contents(self._code, self._module)
        self._code(function)

    def _code(self, thing: Any) -> str:
        """The name of a function or class, whose text and references are added.

        Of what decorators have put around a function, their code counts as well.
        """
        inner = inspect.unwrap(thing)
        if not isinstance(inner, FunctionType | type):
            return f"{type(thing).__module__}.{type(thing).__qualname__}"
        if id(inner) not in self._names:
            self._alive.append(inner)
            self._names[id(inner)] = self._named(inner)
            self._add(inner, self._names[id(inner)])
        name = self._names[id(inner)]
        while thing is not inner:
            if isinstance(thing, FunctionType) and id(thing) not in self._names:
                self._alive.append(thing)
                self._names[id(thing)] = name
                if not _is_installed(thing.__globals__.get("__name__", "")):
                    # Not of the function itself, which is what would be unwrapped.
                    self._note(f"{name} wrapped by", _text(thing.__code__, name))
                    self._follow(thing, name)
            thing = thing.__wrapped__
        return name

    def _named(self, thing: Any) -> str:
        at_home = thing.__module__ == self._home and not _is_installed(thing.__module__)
        name = thing.__qualname__ if at_home else f"{thing.__module__}.{thing.__qualname__}"
        return self._new(name)

    def _new(self, name: str) -> str:
        """The name, or, if another thing has it, such as a second lambda, one with a number."""
        number, first = 2, name
        while name in self.texts:
            name, number = f"{first} #{number}", number + 1
        return name

    def _note(self, name: str, text: str) -> None:
        self.texts[self._new(name)] = text

    def _add(self, thing: Any, name: str) -> None:
        if _is_installed(thing.__module__):
            self.texts[name] = "installed"
            return
        self.texts[name] = _text(thing, name)
        self._follow(thing, name)

    def _follow(self, thing: Any, name: str) -> None:
        """Add what a function, or the methods, bases and values of a class, refer to."""
        if isinstance(thing, FunctionType):
            self._follow_function(thing, name)
            return
        for base in thing.__bases__:
            self._value(f"{name} {base.__name__}", base)
        written = _literals(self.texts[name])
        for own, part in vars(thing).items():
            functions = list(_functions_of(part))
            for function in functions:
                inner = inspect.unwrap(function)
                if inner is not function and _tree(inner.__code__) is not None:
                    self._code(function)
                elif not _is_installed(function.__globals__.get("__name__", "")):
                    self._follow_function(function, name, written)
            is_own = (own.startswith("__") and own.endswith("__")) or own.startswith(_NOT_HELD)
            if functions or is_own or isinstance(part, _SLOTS) or _is_written(own, part, written):
                continue
            self._value(f"{name} {own}", part)

    def _follow_function(
        self, function: FunctionType, name: str, written: dict[str, Any] | None = None
    ) -> None:
        tree = _tree(function.__code__)
        if tree is not None:
            self._refuse_look_ups(function, name, tree)
        names = set(_names(function.__code__))
        for own in sorted(names & function.__globals__.keys()):
            for place, value in _reached(own, function.__globals__[own], names):
                self._value(f"{name} {place}", value)
        for own, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        ):
            if own != "__class__":
                with contextlib.suppress(ValueError):  # not yet filled
                    self._value(f"{name} {own}", cell.cell_contents)
        for place, value in _imported(tree, function.__globals__, names):
            self._value(f"{name} imports {place}", value)
        literals = _literals(self.texts.get(name, "")) if written is None else written
        for own, value in _defaults(function):
            place = f"{function.__name__}({own})"
            if not _is_written(place, value, literals):
                self._value(f"{name} {place}", value)

    def _value(self, place: str, value: Any) -> None:
        """Add a value that something refers to."""
        own = place.rpartition(" ")[2].rpartition(".")[2]
        if isinstance(value, FunctionType | type) or hasattr(value, "__wrapped__"):
            name = self._code(value)
            if own not in (getattr(value, "__name__", own), "__class__"):  # such as import ... as
                self._note(place, name)
        elif isinstance(value, ModuleType):
            name = self._module(value)
            if value.__name__ not in (own, _USUAL.get(own)):
                self._note(place, name)
        elif _is_plain(value):
            if self.texts.get(place, "") != repr(value):
                self._note(place, repr(value))
        else:
            try:
                self._note(place, self._contents.text(value))
            except (TypeError, RecursionError) as error:
                raise StudyError(
                    f"{self._home_name} uses {place.rpartition(' ')[2]}, a {type(value).__name__}, "
                    f"whose content can't be told apart from another ({error}); give the function "
                    "an argument, or let it use numbers, texts, arrays or tensors"
                ) from error

    @property
    def _home_name(self) -> str:
        return next(iter(self._names.values()))

    def _module(self, module: ModuleType) -> str:
        """The name of a Python module; of a file of the user's all that it holds is added."""
        name = f"module {module.__name__}"
        if not _is_installed(module.__name__) and id(module) not in self._names:
            self._names[id(module)] = name
            for own in sorted(vars(module)):
                value = vars(module)[own]
                if not own.startswith("__") and not isinstance(value, ModuleType):
                    self._value(f"{module.__name__} {own}", value)
        return name

    def _refuse_look_ups(self, function: FunctionType, name: str, tree: ast.AST) -> None:
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call | ast.Attribute):
                continue
            called = node.func if isinstance(node, ast.Call) else node
            value: Any = None
            with contextlib.suppress(Exception):
                value = _resolved(called, function.__globals__)
            if any(value is one for one in _LOOK_UPS):
                raise StudyError(
                    f"{name} uses {ast.unparse(called)}, by which nobody can tell what it looks "
                    "up, nor when that changes; write what it chooses from into a dictionary"
                )


def _resolved(node: ast.AST, names: dict[str, Any]) -> Any:
    """What a name, or an attribute of a Python module, stands for."""
    if isinstance(node, ast.Name):
        return names[node.id] if node.id in names else getattr(builtins, node.id)
    if isinstance(node, ast.Attribute):
        owner = _resolved(node.value, names)
        return getattr(owner, node.attr) if isinstance(owner, ModuleType) else None
    return None


def _text(thing: Any, name: str) -> str:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    except (OSError, TypeError, SyntaxError) as error:
        raise StudyError(
            f"{name} has no source that can be read ({error}), so that results could "
            "not be told apart when it changes; write it into a study file or a notebook's cell"
        ) from error
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _tree(code: CodeType) -> ast.AST | None:
    """What a function says, or None for one that a program wrote, such as a dataclass's."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, TypeError, SyntaxError):
        return None


def _functions_of(part: Any) -> Iterator[FunctionType]:
    """The functions behind what a class holds: methods, properties and the like."""
    for name in ("__func__", "fget", "fset", "fdel", "func"):
        function = getattr(part, name, None)
        if isinstance(function, FunctionType):
            yield function
    if isinstance(part, FunctionType):
        yield part


def _defaults(function: FunctionType) -> Iterator[tuple[str, Any]]:
    code, defaults = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    yield from zip(names[len(names) - len(defaults) :], defaults, strict=True)
    yield from (function.__kwdefaults__ or {}).items()


def _literals(text: str) -> dict[str, Any]:
    """Values that a text spells out: of a class's names, and of arguments as `function(name)`."""
    literals: dict[str, Any] = {}

    def note(name: str, node: ast.AST | None) -> None:
        if node is not None:
            with contextlib.suppress(ValueError):
                literals[name] = ast.literal_eval(node)  # type: ignore[arg-type]

    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            for part in node.body:
                targets = part.targets if isinstance(part, ast.Assign) else []
                if isinstance(part, ast.AnnAssign):
                    targets = [part.target]
                for target in targets:
                    if isinstance(target, ast.Name):
                        note(target.id, part.value)  # type: ignore[attr-defined]
        elif isinstance(node, ast.FunctionDef):
            given = node.args
            names = [argument.arg for argument in (*given.posonlyargs, *given.args)]
            last = names[len(names) - len(given.defaults) :]
            for name, value in zip(last, given.defaults, strict=True):
                note(f"{node.name}({name})", value)
            for argument, value in zip(given.kwonlyargs, given.kw_defaults, strict=True):
                note(f"{node.name}({argument.arg})", value)
    return literals


def _is_written(name: str, value: Any, literals: dict[str, Any]) -> bool:
    """Whether a text spells out the value of a name."""
    return name in literals and _is_plain(value) and repr(literals[name]) == repr(value)


def _imported(
    tree: ast.AST | None, names: dict[str, Any], used: set[str]
) -> Iterator[tuple[str, Any]]:
    """What a function of the user's imports as it runs."""
    package = names.get("__package__") or ""
    for node in ast.walk(tree) if tree is not None else ():
        with contextlib.suppress(Exception):  # the function will say so
            if isinstance(node, ast.Import):
                for part in node.names:
                    module = importlib.import_module(part.name)
                    top = module if part.asname else sys.modules[part.name.partition(".")[0]]
                    yield from _reached(top.__name__, top, used)
            elif isinstance(node, ast.ImportFrom):
                dots = "." * node.level
                module = importlib.import_module(f"{dots}{node.module or ''}", package)
                for part in node.names:
                    value = getattr(module, part.name, None)
                    if value is None:
                        value = importlib.import_module(f"{module.__name__}.{part.name}")
                    yield from _reached(f"{module.__name__}.{part.name}", value, used)


def _reached(
    name: str, value: Any, names: set[str], passed: tuple[ModuleType, ...] = ()
) -> Iterator[tuple[str, Any]]:
    """A value; of a file of the user's that was imported, what in it goes by one of the names.

    All of it, where what is taken from it may be named by a text.
    """
    if not isinstance(value, ModuleType) or _is_installed(value.__name__) or names & _BY_TEXT:
        yield name, value
    elif value not in passed:
        for part in sorted(names & vars(value).keys()):
            yield from _reached(f"{name}.{part}", vars(value)[part], names, (*passed, value))


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _is_plain(value: Any, level: int = 0) -> bool:
    if isinstance(value, tuple | list):
        return level < _DEEPEST and all(_is_plain(entry, level + 1) for entry in value)
    return isinstance(value, PLAIN)


def _is_installed(module_name: str) -> bool:
    module = sys.modules.get(module_name)
    # A study is the user's wherever it lies: those that are shipped lie in an installed package.
    if module_name == "__main__" or module_name.startswith(MODULE_PREFIX) or module is None:
        return False
    file = getattr(module, "__file__", None)
    return file is None or is_installed(file)  # without a file it is built in
