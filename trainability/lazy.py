"""Names of a package that are loaded when they are first asked for.

Typing something wrong, or declaring a study, needs none of the large libraries: a package says here
where its names live, and imports none of them.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, which takes long enough to be interrupted
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


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
