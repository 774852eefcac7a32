"""Pages of the reference: everything that a package of the package offers by `__all__`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType
from typing import Any

from galleries import GALLERIES, heading

import trainability

_HIDDEN = ("trainability.cli",)
"""Packages that offer nothing to Python: the command line has a page of its own."""
_WHOLE = ("columns", "domains", "errors", "events", "notebook", "results", "analysis")
"""Modules without `__all__`, and packages of such modules, all of whose public names are shown."""


def public_packages() -> list[ModuleType]:
    """Every package and module with `__all__`, the whole one first."""
    names = [
        module.name
        for module in pkgutil.walk_packages(trainability.__path__, "trainability.")
        if not any(part.startswith("_") for part in module.name.split("."))
        and not module.name.startswith(_HIDDEN)
        and re.search("^__all__", _source_of(module.name), re.M)
    ]
    return [trainability, *map(importlib.import_module, sorted(names))]


def _source_of(name: str) -> str:
    # Read, not imported: engines for GPUs can't be imported everywhere.
    path = Path(trainability.__path__[0]).joinpath(*name.split(".")[1:])
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return file.read_text(encoding="utf-8")


def homes() -> dict[str, list[tuple[str, str]]]:
    """For every package, the public names and where each is documented.

    A class of a gallery is documented there; what several packages offer, in the one that is named
    first.
    """
    seen = {id(kind): path for path, kind in _in_galleries().items()}
    result: dict[str, list[tuple[str, str]]] = {}
    for package in public_packages():
        entries = result.setdefault(package.__name__, [])
        for name in package.__all__:
            value: Any = getattr(package, name)
            path = f"{package.__name__}.{name}"
            if inspect.isclass(value) or inspect.isroutine(value):
                path = seen.setdefault(id(value), path)
            elif inspect.ismodule(value):
                continue
            else:
                path = _where_assigned(package, name)
            entries.append((name, path))
    return result


def _in_galleries() -> dict[str, type]:
    return {
        f"{gallery.package}.{name}": kind
        for gallery in GALLERIES
        for name, kind in gallery.kinds().items()
    }


def _where_assigned(package: ModuleType, name: str) -> str:
    """The path of a constant in the module that describes it."""
    modules = [package.__name__]
    modules += [
        part.name
        for part in pkgutil.iter_modules(getattr(package, "__path__", []), f"{package.__name__}.")
    ]
    for module in modules:
        if re.search(rf"^{name}(?::[^=]+)? = ", _source_of(module), re.M):
            return f"{module}.{name}"
    return f"{package.__name__}.{name}"


def whole_modules() -> list[str]:
    """Names of the modules that are shown whole."""
    names = []
    for name in _WHOLE:
        module = importlib.import_module(f"trainability.{name}")
        parts = pkgutil.iter_modules(getattr(module, "__path__", []), f"{module.__name__}.")
        names += [part.name for part in parts] or [module.__name__]
    return names


def write_reference(folder: Path) -> None:
    """Write a page for every public package, and the list of them."""
    (folder / "api").mkdir(exist_ok=True)
    pages = []
    for name in whole_modules():
        text = heading(name) + f".. automodule:: {name}\n   :members:\n"
        (folder / "api" / f"{name}.rst").write_text(text, encoding="utf-8")
        pages.append(name)
    shown = set(_in_galleries())
    for package, entries in homes().items():
        if not entries:
            continue
        module = importlib.import_module(package)
        text = heading(package) + f".. automodule:: {package}\n\n"
        elsewhere = []
        for name, path in entries:
            value = getattr(module, name)
            is_code = inspect.isclass(value) or inspect.isroutine(value)
            if path in shown or (path != f"{package}.{name}" and is_code):
                elsewhere.append(f":py:obj:`{name} <{path}>`")
                continue
            shown.add(path)
            if inspect.isclass(value):
                directive = "autoexception" if issubclass(value, Exception) else "autoclass"
            else:
                directive = "autofunction" if inspect.isroutine(value) else "autodata"
            text += f".. {directive}:: {path}\n"
            text += "   :no-value:\n" if directive == "autodata" else ""
            text += "   :members:\n\n" if directive.endswith(("class", "exception")) else "\n"
        if elsewhere:
            text += "On pages of their own: " + ", ".join(elsewhere) + ".\n"
        (folder / "api" / f"{package}.rst").write_text(text, encoding="utf-8")
        pages.append(package)
    lines = [f"   {page}" for page in sorted(pages)]
    index = heading("Python") + (
        "Everything public, by the package that one imports it from. Classes of axes, schemes, "
        "tasks, activations, losses, penalties and optimizers are in their galleries.\n\n"
        ".. toctree::\n   :maxdepth: 1\n\n"
    )
    (folder / "api" / "index.rst").write_text(index + "\n".join(lines) + "\n", encoding="utf-8")
