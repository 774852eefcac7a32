"""What a function of the user's is, as text: its source, and that of all of the user's it uses.

A function that changes under its name must not pass for the one that it was. So what tells results
apart is what the function says: without comments, docstrings and layout, and with the functions,
classes and plain values of the user's that it refers to, at any depth. Not what its file is called:
a file that is run as a program is `__main__`, and must make the cells that it makes when loaded.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import sys
import sysconfig
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from trainability.errors import StudyError

_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def source_digest(function: Callable[..., Any]) -> str:
    """16 hexadecimal digits: of the source of a function or class and of what it uses.

    Code that is installed counts by its name alone, and so does what is neither code nor a plain
    value, such as an array.

    Raises:
        StudyError: If there is no source, as for what was typed into a plain prompt.
    """
    texts: dict[str, str] = {}
    _collect(function, texts, function.__module__)
    text = "\n".join(f"{name}: {texts[name]}" for name in sorted(texts))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _collect(thing: Any, texts: dict[str, str], home: str) -> None:
    """Add the text of a function or class, and of whatever it refers to.

    Args:
        thing: The function or class.
        texts: By name; extended.
        home: The Python module whose name does not count.
    """
    is_installed = _is_installed(thing.__module__)
    at_home = thing.__module__ == home and not is_installed
    name = thing.__qualname__ if at_home else f"{thing.__module__}.{thing.__qualname__}"
    if name in texts:
        return
    if is_installed:
        texts[name] = "installed"
        return
    texts[name] = _text(thing)
    for own, value in _references(thing):
        value = inspect.unwrap(value) if isinstance(value, FunctionType) else value
        if isinstance(value, functools.partial):
            value = value.func
        if isinstance(value, FunctionType | type):
            _collect(value, texts, home)
        elif _is_plain(value):
            texts[f"{name} {own}"] = repr(value)


def _text(thing: Any) -> str:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    except (OSError, TypeError, SyntaxError) as error:
        raise StudyError(
            f"{thing.__qualname__} has no source that can be read ({error}), so that results could "
            "not be told apart when it changes; write it into a study file or a notebook's cell"
        ) from error
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _references(thing: Any) -> Iterator[tuple[str, Any]]:
    """The global names that a function or the methods and bases of a class use, with their values.

    Closures count as well: what a function was made with.
    """
    if isinstance(thing, type):
        yield from ((base.__name__, base) for base in thing.__bases__)
        for part in vars(thing).values():
            part = getattr(part, "__func__", getattr(part, "fget", part))
            if isinstance(part, FunctionType):
                yield from _references(part)
        return
    names = set(_names(thing.__code__))
    for name in names & thing.__globals__.keys():
        yield from _reached(name, thing.__globals__[name], names)
    for name, cell in zip(thing.__code__.co_freevars, thing.__closure__ or (), strict=True):
        if name != "__class__":
            yield name, cell.cell_contents


def _reached(
    name: str, value: Any, names: set[str], passed: tuple[ModuleType, ...] = ()
) -> Iterator[tuple[str, Any]]:
    """A value; of a file of the user's that was imported, what in it goes by one of the names."""
    if not isinstance(value, ModuleType):
        yield name, value
    elif value not in passed and not _is_installed(value.__name__):
        for part in names & vars(value).keys():
            yield from _reached(f"{name}.{part}", vars(value)[part], names, (*passed, value))


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(_is_plain(entry) for entry in value)
    return isinstance(value, _PLAIN)


def _is_installed(module_name: str) -> bool:
    module = sys.modules.get(module_name)
    file = getattr(module, "__file__", None)
    if module_name == "__main__" or module is None:
        return False
    if file is None:  # built in
        return True
    package = module_name.partition(".")[0]
    if package == __name__.partition(".")[0]:
        return True
    return any(Path(file).is_relative_to(folder) for folder in _installed_folders())


@functools.cache
def _installed_folders() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    return tuple(Path(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
