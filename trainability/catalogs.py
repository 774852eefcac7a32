"""Strategies by their names: a file dropped into a folder is found by itself."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any, TypeVar

from trainability.errors import InputError

T = TypeVar("T")
LONGEST_NAME = 100
"""How much of a name that nobody has is repeated in a message."""


def concrete_types(package: str, base: type[T]) -> dict[str, type[T]]:
    """Every class below `base` that is not abstract, by name, after importing a package's modules.

    A file dropped into the folder is enough to be found. A class that is defined twice outside
    the package (a study file that was loaded again) counts as its latest definition.
    """
    folder = importlib.import_module(package)
    for module in pkgutil.iter_modules(folder.__path__, f"{package}."):
        importlib.import_module(module.name)
    found: dict[str, type[T]] = {}
    for kind in _below(base):
        taken = found.get(kind.__name__)
        if taken not in (None, kind) and taken.__module__.startswith(f"{package}."):
            raise InputError(
                f"{kind.__module__} defines {kind.__name__}, which is the name of "
                f"{taken.__module__}.{taken.__name__}; give it another name"
            )
        found[kind.__name__] = kind
    return dict(sorted(found.items()))


def by_name(package: str, types: Callable[[], dict[str, type[T]]]) -> Callable[[str], Any]:
    """The `__getattr__` of a package that offers a class of any of its files by its name.

    Args:
        package: Its name.
        types: All its strategies by name.
    """

    def get(name: str) -> Any:
        if name[:1].isupper():
            kind = types().get(name)
            if kind is not None and kind.__module__.startswith(f"{package}."):
                return kind
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get


def suggestion(name: str, known: list[str]) -> str:
    """' (did you mean X?)' where a known name is close, else nothing."""
    if len(name) > LONGEST_NAME:
        return ""
    folded = {entry.casefold(): entry for entry in known}
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return f" (did you mean {folded[close[0]]}?)" if close else ""


def _below(base: type[T]) -> list[type[T]]:
    """Concrete subclasses at any depth, in the order in which they were defined."""
    found = []
    for kind in base.__subclasses__():
        if not inspect.isabstract(kind):
            found.append(kind)
        found += _below(kind)
    return found
