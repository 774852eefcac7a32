"""Which engines there are: a file dropped into this folder, or one below, is found by itself."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.training.contract import Engine

_FOLDER = Path(__file__).parent
_SUFFIX = "_engine"


@cache
def engine_modules() -> dict[str, str]:
    """The module of every engine by the engine's name; files are listed, none is loaded.

    So the command line can name them all without torch and LLVM.
    """
    folders = [(_FOLDER, __package__ or "")]
    folders += [
        (_FOLDER / module.name, f"{__package__}.{module.name}")
        for module in pkgutil.iter_modules([str(_FOLDER)])
        if module.ispkg
    ]
    modules = {
        module.name.removesuffix(_SUFFIX).replace("_", "-"): f"{package}.{module.name}"
        for folder, package in folders
        for module in pkgutil.iter_modules([str(folder)])
        if module.name.endswith(_SUFFIX)
    }
    return dict(sorted(modules.items()))


def engine_type(name: str) -> type[Engine]:
    """The engine of that name, one of `engine_modules()`."""
    from trainability.training.contract import Engine

    module = importlib.import_module(engine_modules()[name])
    [kind] = [
        kind
        for kind in vars(module).values()
        if inspect.isclass(kind)
        and issubclass(kind, Engine)
        and kind.__module__ == module.__name__
        and not inspect.isabstract(kind)
    ]
    assert kind.name == name, f"{module.__name__} holds the engine {kind.name!r}; rename one"
    return kind
