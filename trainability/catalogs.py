"""Strategies by their names: a file dropped into a folder is found by itself."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from trainability.errors import InputError

T = TypeVar("T")
_OURS = __name__.partition(".")[0]
LONGEST_NAME = 100
"""How much of a name that nobody has is repeated in a message."""


def concrete_types(package: str, base: type[T]) -> dict[str, type[T]]:
    """Every class below `base` that is not abstract, by name, after importing a package's modules.

    A file dropped into the folder is enough to be found. Of ours, one whose name begins with `_` is
    left out: code makes it, and no declaration names it. Users name theirs as they like. A class
    that is defined twice outside the package (a study file that was loaded again) counts as its
    latest definition.
    """
    folder = importlib.import_module(package)
    for module in pkgutil.iter_modules(folder.__path__, f"{package}."):
        importlib.import_module(module.name)
    return _loaded_types(package, base)


def concrete_type(package: str, base: type[T], name: str) -> type[T] | None:
    """The one of `concrete_types` that has a name; of the package only the file that defines it is
    loaded."""
    if name.isidentifier():
        _from_its_file(package, name)
    return _loaded_types(package, base).get(name)


def _loaded_types(package: str, base: type[T]) -> dict[str, type[T]]:
    shipped = {kind.__name__: kind for kind in _below(base) if _is_of(package, kind)}
    types: dict[str, type[T]] = {}
    for kind in _below(base):
        taken = shipped.get(kind.__name__, kind)
        if taken is not kind:
            raise InputError(
                f"{kind.__module__} defines {kind.__name__}, which is the name of "
                f"{taken.__module__}.{taken.__name__}; give it another name"
            )
        types[kind.__name__] = kind
    return dict(sorted(types.items()))


def _is_of(package: str, kind: type) -> bool:
    return kind.__module__.startswith(f"{package}.")


def by_name(package: str, types: Callable[[], dict[str, type[T]]]) -> Callable[[str], Any]:
    """The `__getattr__` of a package that offers a class of any of its files by its name.

    The one file is loaded: a study names a few of all that there is.

    Args:
        package: Its name.
        types: All its strategies by name.
    """

    def get(name: str) -> Any:
        if name[:1].isupper():
            kind = _from_its_file(package, name)
            kind = types().get(name) if kind is None else kind
            if kind is not None and _is_of(package, kind):
                return kind
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get


@cache
def _from_its_file(package: str, name: str) -> Any:
    """The class that a file of a package defines at its top level; None where no text shows it."""
    definition = re.compile(rf"^class {re.escape(name)}\b", re.MULTILINE)
    for folder in importlib.import_module(package).__path__:
        for path in sorted(Path(folder).glob("*.py")):
            if definition.search(path.read_text(encoding="utf-8")):
                return getattr(importlib.import_module(f"{package}.{path.stem}"), name, None)
    return None


def did_you_mean(word: Any, choices: Iterable[Any]) -> str:
    """' (did you mean X?)' where one of the choices is close, else nothing.

    >>> did_you_mean("widht", ["width", "depth"]), did_you_mean("he", ["He"])
    (' (did you mean width?)', ' (did you mean He?)')
    """
    close = closest(word, choices)
    return "" if close is None else f" (did you mean {close}?)"


def closest(word: Any, choices: Iterable[Any]) -> str | None:
    """The one of the choices that a word was likely meant for; None if none is close."""
    if not isinstance(word, str) or len(word) > LONGEST_NAME:
        return None
    folded = {str(choice).casefold(): str(choice) for choice in choices}
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def _below(base: type[T]) -> list[type[T]]:
    """Concrete subclasses at any depth, in the order in which they were defined."""
    kinds = []
    for kind in base.__subclasses__():
        is_private = kind.__name__.startswith("_") and _is_of(_OURS, kind)
        if not inspect.isabstract(kind) and not is_private:
            kinds.append(kind)
        kinds += _below(kind)
    return kinds
