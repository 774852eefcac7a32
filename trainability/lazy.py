"""What is loaded when it is first asked for: names of a package, and NumPy.

Typing something wrong, or declaring a study, needs none of the large libraries: a package says here
where its names live, and imports none of them. Schemes, tasks and the other things that a study is
declared with compute with NumPy, which takes as long to load as all else that a command needs to
read a study: they take it from here, and one that is refused for a wrong width never loads it.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, which takes long enough to be interrupted
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import numpy


def attributes(package: str, **names: str) -> Callable[[str], Any]:
    """A package's `__getattr__`.

    Args:
        package: Its full name.
        names: The names that each of its modules has, between spaces, by the module's name; `__`
            in that stands for a dot.
    """
    places = {name: module for module, text in names.items() for name in text.split()}

    def find(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        import importlib

        module = importlib.import_module(f"{package}.{places[name].replace('__', '.')}")
        return getattr(module, name)

    return find


class _Module:
    """Stands for a module of a library, and loads it when something in it is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return type(self), (self._name,)  # with a class of a user's file that computes with it

    def __getattr__(self, name: str) -> Any:
        import importlib

        value = getattr(importlib.import_module(self._name), name)
        setattr(self, name, value)  # the next time it is at hand
        return value


if not TYPE_CHECKING:
    numpy = _Module("numpy")
