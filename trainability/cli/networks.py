"""`trainability networks`: which families of networks a study may be about."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Annotated, Any

import typer

from trainability.catalogs import did_you_mean
from trainability.checks import shown
from trainability.cli.app import app, clean, examples, out
from trainability.cli.documents import JsonOption, print_document
from trainability.errors import InputError

_FOLDER = Path(__file__).parents[1] / "families"
_BASE = "Family"


@app.command(
    rich_help_panel="What there is",
    epilog=examples("networks", "networks CopiesOfModule", "networks --json"),
)
def networks(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Tell all of this one; default: list all."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Which networks there are: fully connected ones, copies of a module."""
    entries = {entry["name"]: entry for entry in _families()}
    if name is not None and name not in entries:
        raise InputError(
            f"there are no networks called {shown(name)}{did_you_mean(name, entries)}; there are "
            f"{', '.join(entries)}"
        )
    chosen = [entry for entry in entries.values() if name in (None, entry["name"])]
    if as_json:
        print_document({"networks": chosen})
        return
    for entry in chosen:
        _show(entry, whole=name is not None)


def _show(entry: dict[str, Any], whole: bool) -> None:
    from rich.padding import Padding
    from rich.text import Text

    out.print(Text.assemble((clean(entry["name"]), "bold"), clean(f"  {entry['written']}")))
    paragraphs = [entry["what"], *(entry["more"] if whole else [])]
    for number, paragraph in enumerate(paragraphs):
        out.print(Padding(Text(clean(paragraph)), (int(number > 0), 0, 0, 4)))


def _families() -> list[dict[str, Any]]:
    """What the files of families say of themselves; read, for they load PyTorch."""
    entries = []
    for path in sorted(_FOLDER.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            bases = [ast.unparse(base) for base in getattr(node, "bases", [])]
            if isinstance(node, ast.ClassDef) and any(base.startswith(_BASE) for base in bases):
                what, *more = (ast.get_docstring(node) or "").split("\n\n")
                entries.append(
                    {
                        "name": node.name,
                        "written": _assigned(node, "written"),
                        "what": what.replace("\n", " "),
                        "more": [paragraph.replace("\n", " ") for paragraph in more],
                        "module": f"trainability.families.{path.stem}",
                    }
                )
    return sorted(entries, key=lambda entry: "network=None" not in entry["written"])


def _assigned(node: ast.ClassDef, name: str) -> str:
    """The text that a class gives one of its names."""
    for part in node.body:
        if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == name:
            return ast.literal_eval(part.value)
    return ""
