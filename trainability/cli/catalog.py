"""Which commands there are, in which file each is, and its help: read, not imported.

A file in this folder whose functions are decorated with `@app.command()` is found by itself, and so
is a kind of thing that has a catalog, such as `schemes/catalog.py`: there is a command that lists
it. To import them all takes longer than to show their names, or to run one; and of one that is to
be run the others are not even read.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_PACKAGE = _FOLDER.parent
_MARK = "@app.command"
_TYPES = "_types"
KINDS = "What there is"
"""The panel of the commands that list what there is of a kind."""
PANELS = ("Studies", "Results", "Before training", KINDS, "Tools")
"""In which commands are used; those of a command that names none of them are last."""
_ORDER = (
    "new", "run", "tune", "status", "stop",
    "list", "report", "birth", "ui", "sync",
    "theory", "census",
    "studies", "schemes", "tasks", "networks",
)  # fmt: skip
"""In which they are used within a panel; others follow."""


@dataclass(frozen=True)
class Listed:
    """A command as a list of commands shows it.

    Args:
        module: Where it is.
        help: The first paragraph of its help.
        panel: Under which heading it stands.
    """

    module: str
    help: str
    panel: str


@dataclass(frozen=True)
class Kind:
    """A kind of thing that there are several of, each a class.

    Args:
        name: Of all of them, such as `schemes`.
        module: Of their catalog.
        function: In it, which gives every class by its name.
        help: What the catalog says it holds.
    """

    name: str
    module: str
    function: str
    help: str


@cache
def commands() -> dict[str, Listed]:
    """Every command by its name, in the order in which they are used."""
    listed = {
        kind.name: Listed(_module(_FOLDER / "kinds.py"), kind.help, KINDS) for kind in kinds()
    }
    for path, text in _texts():
        listed |= _declared(path, text)
    places = {name: place for place, name in enumerate(_ORDER)}
    panels = {name: place for place, name in enumerate(PANELS)}

    def place(name: str) -> tuple[int, int]:
        panel = panels.get(listed[name].panel, len(PANELS))
        return panel, places.get(name, len(_ORDER))

    return {name: listed[name] for name in sorted(listed, key=place)}


def command_named(name: str) -> Listed | None:
    """The command of a name; None if there is none. Of all files only its own is read as Python."""
    function, given = re.escape(name.replace("-", "_")), re.escape(name)
    may_declare = re.compile(rf"^def {function}\(|{_MARK}\(\s*[\"']{given}[\"']", re.MULTILINE)
    for path, text in _texts():
        if may_declare.search(text) and name in (declared := _declared(path, text)):
            return declared[name]
    return commands().get(name)


@cache
def kinds() -> list[Kind]:
    """Every kind of thing that has a catalog, by name."""
    return sorted(_kinds(), key=lambda kind: kind.name)


def _kinds() -> Iterator[Kind]:
    for path in [*_PACKAGE.glob("*/catalog.py"), *_PACKAGE.glob("*/*/catalog.py")]:
        text = path.read_text(encoding="utf-8")
        if path == Path(__file__) or _TYPES not in text:
            continue
        tree = ast.parse(text)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.endswith(_TYPES):
                help_ = (ast.get_docstring(tree) or "").split("\n\n")[0]
                yield Kind(path.parent.name, _module(path), node.name, help_)


def _texts() -> Iterator[tuple[Path, str]]:
    """The files that declare commands, and what is in them."""
    for path in sorted(_FOLDER.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if path != Path(__file__) and _MARK in text:
            yield path, text


def _declared(path: Path, text: str) -> dict[str, Listed]:
    """The commands of a file, by name."""
    listed = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and (command := _command(node)):
            name, panel = command
            help_ = (ast.get_docstring(node) or "").split("\n\n")[0]
            listed[name] = Listed(_module(path), help_, panel)
    return listed


def _module(path: Path) -> str:
    parts = path.relative_to(_PACKAGE.parent).with_suffix("").parts
    return ".".join(parts)


def _command(node: ast.FunctionDef) -> tuple[str, str] | None:
    """The name and the panel of the command that a function is; None if it is none."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "app.command":
            given = [ast.literal_eval(argument) for argument in decorator.args]
            panel = [
                ast.literal_eval(keyword.value)
                for keyword in decorator.keywords
                if keyword.arg == "rich_help_panel"
            ]
            name = given[0] if given else node.name.replace("_", "-")
            return name, panel[0] if panel else PANELS[-1]
    return None
