"""Which schemes there are, and how one is read from text."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import importlib
import inspect
import pkgutil
from typing import TypeVar

from trainability.errors import InputError
from trainability.schemes.base import Scheme

T = TypeVar("T")


def scheme_types() -> dict[str, type[Scheme]]:
    """Every scheme by its name: those of this folder, and those that a study file defined."""
    return concrete_types("trainability.schemes", Scheme)


def scheme_from_text(text: str) -> Scheme:
    """A scheme from what one writes in a study, without running any code.

    Args:
        text: Such as "He", "He(bias_std=1.0)" or "SignFlipped(He())".

    Raises:
        InputError: If it names no scheme, or a setting that the scheme does not have.

    >>> scheme_from_text("He('uniform', bias_std=1)")
    He(distribution='uniform', bias_std=1.0)
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise InputError(
            f"can't read {text!r} as a scheme; write one as in a study, such as He(bias_std=1.0)"
        ) from None
    return _scheme(node, text)


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


def suggestion(name: str, known: list[str]) -> str:
    """' (did you mean X?)' where a known name is close, else nothing."""
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


def _scheme(node: ast.expr, text: str) -> Scheme:
    call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
    if not isinstance(call.func, ast.Name):
        raise InputError(
            f"{text!r} is not a scheme; write its name and settings, such as He(bias_std=1.0)"
        )
    types = scheme_types()
    name = call.func.id
    if name not in types:
        raise InputError(
            f"there is no scheme {name}{suggestion(name, list(types))}; "
            f"there are {', '.join(types)}"
        )
    return _construct(types[name], call, text)


def _construct(kind: type[Scheme], call: ast.Call, text: str) -> Scheme:
    name = kind.__name__
    fields = [field for field in dataclasses.fields(kind) if field.init]  # type: ignore[arg-type]
    names = [field.name for field in fields]
    has = f"{name} has {', '.join(names)}" if names else f"{name} has no settings"
    if len(call.args) > len(names):
        raise InputError(f"{text!r} gives {name} {len(call.args)} settings; {has}")
    settings = dict(zip(names, call.args, strict=False))
    for keyword in call.keywords:
        if keyword.arg not in names:
            unknown = "**" if keyword.arg is None else keyword.arg
            raise InputError(f"{name} has no setting {unknown}{suggestion(unknown, names)}; {has}")
        if keyword.arg in settings:
            raise InputError(f"{text!r} gives {name} the setting {keyword.arg} twice")
        settings[keyword.arg] = keyword.value
    for field in fields:
        required = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        if required and field.name not in settings:
            raise InputError(f"{name} wants the setting {field.name}; {has}")
    return kind(**{name: _value(node, text) for name, node in settings.items()})


def _value(node: ast.expr, text: str) -> object:
    if isinstance(node, ast.Call | ast.Name):
        return _scheme(node, text)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        raise InputError(
            f"{text!r} holds {ast.unparse(node)!r}, which is not a plain value; "
            f"write numbers, quoted text, or a scheme"
        ) from None
