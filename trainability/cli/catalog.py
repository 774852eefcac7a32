"""Which commands there are, in which file each is, and its help: read, not imported.

A file in this folder whose functions are decorated with `@app.command()` is found by itself. To
import them all takes longer than to show their names, or to run one.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

_MARK = "@app.command"
_ORDER = ("run", "report", "status", "theory", "census", "tune", "sync", "ui", "bench")
"""In which they are used; others follow."""


@cache
def commands() -> dict[str, tuple[str, str]]:
    """The module, and the first paragraph of the help, of every command by name."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if path != Path(__file__) and _MARK in text:
            for node in ast.parse(text).body:
                if isinstance(node, ast.FunctionDef) and (name := _command(node)):
                    help_ = (ast.get_docstring(node) or "").split("\n\n")[0]
                    found[name] = (f"trainability.cli.{path.stem}", help_)
    first = {name: found[name] for name in _ORDER if name in found}
    return first | found


def _command(node: ast.FunctionDef) -> str | None:
    """The name of the command that a function is; None if it is none."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "app.command":
            given = decorator.args[0] if decorator.args else None
            if isinstance(given, ast.Constant) and isinstance(given.value, str):
                return given.value
            return node.name.replace("_", "-")
    return None
