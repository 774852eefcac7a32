"""Which schemes there are, and how one is read from text."""

from __future__ import annotations

import ast
import dataclasses
import warnings

from trainability.catalogs import LONGEST_NAME, concrete_types, suggestion
from trainability.checks import reason, shown
from trainability.errors import InputError
from trainability.schemes.base import Scheme

_LONGEST_TEXT = 1000
_DEEPEST = 30
"""Levels of a scheme's text: a scheme within a scheme takes two."""


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
    problem = InputError(
        f"can't read {shown(text)} as a scheme; write one as in a study, such as He(bias_std=1.0)"
    )
    if not isinstance(text, str) or len(text) > _LONGEST_TEXT:
        raise problem
    try:
        with warnings.catch_warnings():
            # Python's advice on the text as a program: that "\\d" is no escape, say.
            warnings.simplefilter("ignore")
            node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise problem from None
    if _depth(node) > _DEEPEST:
        raise problem
    return _scheme(node, text)


def _depth(node: ast.AST) -> int:
    """Levels of a syntax tree; not by recursion, for the tree may be deeper than Python's stack."""
    depth, level = 0, [node]
    while level and depth <= _DEEPEST:
        depth, level = depth + 1, [child for part in level for child in ast.iter_child_nodes(part)]
    return depth


def _scheme(node: ast.expr, text: str) -> Scheme:
    call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
    if not isinstance(call.func, ast.Name):
        raise InputError(
            f"{shown(text)} is not a scheme; write its name and settings, such as He(bias_std=1.0)"
        )
    types = scheme_types()
    name = call.func.id
    if name not in types:
        raise InputError(
            f"there is no scheme {name[:LONGEST_NAME]}{suggestion(name, list(types))}; "
            f"there are {', '.join(types)}"
        )
    return _construct(types[name], call, text)


def _construct(kind: type[Scheme], call: ast.Call, text: str) -> Scheme:
    name = kind.__name__
    fields = [field for field in dataclasses.fields(kind) if field.init]  # type: ignore[arg-type]
    names = [field.name for field in fields]
    has = f"{name} has {', '.join(names)}" if names else f"{name} has no settings"
    if len(call.args) > len(names):
        raise InputError(f"{shown(text)} gives {name} {len(call.args)} settings; {has}")
    settings = dict(zip(names, call.args, strict=False))
    for keyword in call.keywords:
        if keyword.arg not in names:
            unknown = "**" if keyword.arg is None else keyword.arg
            close = suggestion(unknown, names)
            raise InputError(f"{name} has no setting {unknown[:LONGEST_NAME]}{close}; {has}")
        if keyword.arg in settings:
            raise InputError(f"{shown(text)} gives {name} the setting {keyword.arg} twice")
        settings[keyword.arg] = keyword.value
    for field in fields:
        required = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        if required and field.name not in settings:
            raise InputError(f"{name} wants the setting {field.name}; {has}")
    values = {name: _value(node, text) for name, node in settings.items()}
    try:
        return kind(**values)
    except InputError:
        raise
    except Exception as error:  # of a scheme of the user's, which may check nothing
        raise InputError(f"{name} can't be made from {shown(text)}: {reason(error)}") from error


def _value(node: ast.expr, text: str) -> object:
    if isinstance(node, ast.Call | ast.Name):
        return _scheme(node, text)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise InputError(
            f"{shown(text)} holds {shown(ast.unparse(node))}, which is not a plain value; "
            "write numbers, quoted text, or a scheme"
        ) from None
