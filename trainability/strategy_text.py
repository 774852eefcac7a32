"""A strategy, such as a scheme or a task, read from what one writes in a study; no code is run."""

from __future__ import annotations

import ast
import dataclasses
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trainability.catalogs import LONGEST_NAME, did_you_mean
from trainability.checks import reason, shown
from trainability.errors import InputError

_LONGEST_TEXT = 1000
_DEEPEST = 30
"""Levels of a text: a scheme within a scheme takes two."""


def strategy_from_text(
    text: str, types: Callable[[], dict[str, type]], kind: str, example: str
) -> Any:
    """A strategy from what one writes in a study, without running any code.

    Args:
        text: A name, or a name and settings in brackets; a setting may be one of its kind, too.
        types: All that there are, by name.
        kind: What they are, such as `scheme`.
        example: One as one writes it, for messages.

    Raises:
        InputError: If it names none, or a setting that it does not have.
    """
    problem = InputError(
        f"can't read {shown(text)} as a {kind}; write one as in a study, such as {example}"
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
    return _Reader(text, types, kind, example).strategy(node)


@dataclass(frozen=True)
class _Reader:
    """Makes strategies of a syntax tree."""

    text: str
    types: Callable[[], dict[str, type]]
    kind: str
    example: str

    def strategy(self, node: ast.expr) -> Any:
        call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
        if not isinstance(call.func, ast.Name):
            raise InputError(
                f"{shown(self.text)} is not a {self.kind}; write its name and settings, such as "
                f"{self.example}"
            )
        types = self.types()
        name = call.func.id
        if name not in types:
            raise InputError(
                f"there is no {self.kind} {name[:LONGEST_NAME]}{did_you_mean(name, types)}; "
                f"there are {', '.join(types)}"
            )
        return self._construct(types[name], call)

    def _construct(self, kind: type, call: ast.Call) -> Any:
        name, text = kind.__name__, self.text
        fields = [field for field in dataclasses.fields(kind) if field.init]
        names = [field.name for field in fields]
        has = f"{name} has {', '.join(names)}" if names else f"{name} has no settings"
        if len(call.args) > len(names):
            raise InputError(f"{shown(text)} gives {name} {len(call.args)} settings; {has}")
        settings = dict(zip(names, call.args, strict=False))
        for keyword in call.keywords:
            if keyword.arg not in names:
                unknown = "**" if keyword.arg is None else keyword.arg
                close = did_you_mean(unknown, names)
                raise InputError(f"{name} has no setting {unknown[:LONGEST_NAME]}{close}; {has}")
            if keyword.arg in settings:
                raise InputError(f"{shown(text)} gives {name} the setting {keyword.arg} twice")
            settings[keyword.arg] = keyword.value
        for field in fields:
            required = (
                field.default is dataclasses.MISSING
                and field.default_factory is dataclasses.MISSING
            )
            if required and field.name not in settings:
                raise InputError(f"{name} wants the setting {field.name}; {has}")
        values = {name: self._value(node) for name, node in settings.items()}
        try:
            return kind(**values)
        except InputError:
            raise
        except Exception as error:  # of a class of the user's, which may check nothing
            raise InputError(f"{name} can't be made from {shown(text)}: {reason(error)}") from error

    def _value(self, node: ast.expr) -> object:
        if isinstance(node, ast.Call | ast.Name):
            return self.strategy(node)
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            raise InputError(
                f"{shown(self.text)} holds {shown(ast.unparse(node))}, which is not a plain "
                f"value; write numbers, quoted text, or a {self.kind}"
            ) from None


def _depth(node: ast.AST) -> int:
    """Levels of a syntax tree; not by recursion, for the tree may be deeper than Python's stack."""
    depth, level = 0, [node]
    while level and depth <= _DEEPEST:
        depth, level = depth + 1, [child for part in level for child in ast.iter_child_nodes(part)]
    return depth
