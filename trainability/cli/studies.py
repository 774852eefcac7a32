"""`trainability studies`: the studies that can be asked for by name; `new` writes one."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from trainability.catalogs import did_you_mean
from trainability.checks import name_problem, shown
from trainability.cli.app import app, clean, examples, out
from trainability.cli.documents import JsonOption, print_document
from trainability.commands import command
from trainability.errors import InputError, refuse
from trainability.study.files import STUDIES, find_study_file, shipped_studies, study_names

_DECLARED = {"STUDY": "study", "TUNING": "tuning"}
_TEMPLATES = Path(__file__).parent / "templates"
_NAME = "my_study"
"""What the templates call themselves."""


@app.command(rich_help_panel="What there is", epilog=examples("studies", "studies --json"))
def studies(as_json: JsonOption = False) -> None:
    """Which studies and tunings there are, in `studies/` and with the package."""
    entries = [_described(name) for name in study_names()]
    if as_json:
        print_document({"studies": entries})
        return
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for entry in entries:
        kind = f"{entry['kind']}{', shipped' if entry['shipped'] else ''}"
        table.add_row(*(Text(clean(text)) for text in (entry["name"], kind, entry["what"])))
    out.print(table)


@app.command(
    rich_help_panel="Studies",
    epilog=examples("new study mine", "new tuning mine_tuned", "run mine --dry-run"),
)
def new(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="What to write: [b]study[/b] or [b]tuning[/b].")
    ],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its name: lower-case letters, digits, _ and -.")
    ],
) -> None:
    """Write a commented file that runs as it is, `studies/NAME.py`, to be changed at will."""
    kinds = sorted(path.stem for path in _TEMPLATES.glob("*.py"))
    problems = []
    if kind not in kinds:
        wanted = " or ".join(kinds)
        problems.append(f"KIND must be {wanted}, got {shown(kind)}{did_you_mean(kind, kinds)}")
    path = STUDIES / f"{name}.py"
    if bad := name_problem("NAME", name):
        problems += bad
    elif path.exists() or path.is_symlink():
        problems.append(f"{path} exists and is kept; choose another name")
    elif name in shipped_studies():
        problems.append(f"{name} is the name of one that comes with the package; choose another")
    refuse(problems)
    text = (_TEMPLATES / f"{kind}.py").read_text(encoding="utf-8")
    try:
        STUDIES.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:  # never over what came in between
            file.write(text.replace(_NAME, name))
    except OSError as error:
        raise InputError(f"{path} can't be written: {error}") from error
    out.print(f"written:  {path}", soft_wrap=True)
    out.print(f"run:  {command('tune' if kind == 'tuning' else 'run', name)}", soft_wrap=True)


def _described(name: str) -> dict[str, Any]:
    """What a file says of itself; it is read, not executed."""
    path = find_study_file(name)
    entry: dict[str, Any] = {"name": name, "kind": "?", "what": "", "path": str(path)}
    entry["shipped"] = path == shipped_studies().get(name, Path()).resolve()
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return entry | {"what": f"can't be read: {error}"}
    assigned = [
        target.id
        for node in tree.body
        for target in _targets(node)
        if isinstance(target, ast.Name) and target.id in _DECLARED
    ]
    what = (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ")
    return entry | {"kind": _DECLARED[assigned[-1]] if assigned else "?", "what": what}


def _targets(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign) else []
