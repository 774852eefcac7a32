"""`trainability schemes`, `tasks`, `activations` and so on: what there is of each kind.

Each kind that has a catalog has its command; whatever the catalog finds is listed, also what a
user's file defines.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.padding import Padding
from rich.text import Text

from trainability.catalogs import did_you_mean
from trainability.checks import shown
from trainability.cli.app import app, clean, examples, out
from trainability.cli.catalog import KINDS, Kind, kinds
from trainability.cli.documents import JsonOption, print_document
from trainability.errors import InputError

NameArgument = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="Tell all of this one; default: list all.")
]
SourceOption = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="List those that this Python file defines, too."),
]


def _command(kind: Kind) -> Callable[..., None]:
    """The command that lists a kind."""

    def listing(
        name: NameArgument = None, source: SourceOption = None, as_json: JsonOption = False
    ) -> None:
        types = _types(kind, source)
        if name is not None and name not in types:
            raise InputError(
                f"there are no {kind.name} called {shown(name)}{did_you_mean(name, types)}; there "
                f"are {', '.join(types)}"
                + ("" if source else f"; those of a file of yours: {kind.name} {name} --from FILE")
            )
        chosen = types if name is None else {name: types[name]}
        if as_json:
            print_document({kind.name: [_entry(entry) for entry in chosen.values()]})
        elif name is not None:
            _tell(types[name])
        else:
            for entry in chosen.values():
                _show(_entry(entry), entry)

    listing.__name__ = kind.name
    return listing


def _own(kind: Kind) -> str:
    """Where one of a user's own stands."""
    folder = kind.module.rpartition(".")[0].replace(".", "/")
    in_place = f"a file in {folder}/ of a package that is installed in its place (pip install -e .)"
    if kind.name == "axes":
        return f"One of your own is {in_place}; it is listed by itself."
    return (
        "One of your own stands in the file of your study, which --from lists with the others, or "
        f"is {in_place}; that is listed by itself."
    )


for _kind in kinds():
    app.command(
        _kind.name,
        help=f"{_kind.help}\n\nName, settings with their defaults, and what it is. {_own(_kind)}",
        rich_help_panel=KINDS,
        epilog=examples(_kind.name, f"{_kind.name} --json"),
    )(_command(_kind))


def _types(kind: Kind, source: Path | None) -> dict[str, type]:
    types = getattr(import_module(kind.module), kind.function)
    if source is not None:
        from trainability.cli.inputs import load_source

        load_source(source)
    return {_name(kind): kind for kind in types().values()}


def _name(kind: type) -> str:
    """As studies write it: axes are given by their own names, all else is made by its class."""
    from trainability.study.axes import Axis

    return kind.name if issubclass(kind, Axis) else kind.__name__


def _entry(kind: type) -> dict[str, Any]:
    return {
        "name": _name(kind),
        "settings": [
            {
                "name": field.name,
                "type": str(field.type),
                "required": _default(field) is dataclasses.MISSING,
                "default": None if _default(field) is dataclasses.MISSING else _written(field),
            }
            for field in _settings(kind)
        ],
        "what": (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " "),
        "module": kind.__module__,
    }


def _show(entry: dict[str, Any], kind: type) -> None:
    name = _name(kind)
    settings = ", ".join(
        setting["name"] + ("" if setting["required"] else f"={setting['default']}")
        for setting in entry["settings"]
    )
    if name == kind.__name__:
        made = f"({settings})"
    else:
        values = ", ".join(kind().written_examples)
        made = values and f", such as {values}"
    out.print(Text.assemble((clean(name), "bold"), clean(made)))
    out.print(Padding(Text(clean(entry["what"])), (0, 0, 0, 4)))


def _tell(kind: type) -> None:
    """All that a class says of itself."""
    _show(_entry(kind), kind)
    rest = (inspect.getdoc(kind) or "").partition("\n\n")[2]
    for paragraph in filter(None, rest.split("\n\n")):
        is_prose = not any(line.startswith(" ") for line in paragraph.splitlines())
        out.print("\n" + (paragraph.replace("\n", " ") if is_prose else paragraph))
    if settings := _settings(kind):
        out.print("\nSettings:")
        for field in settings:
            default = _default(field)
            value = "" if default is dataclasses.MISSING else f" = {_written(field)}"
            out.print(f"    {field.name}: {field.type}{value}", soft_wrap=True)


def _settings(kind: type) -> list[dataclasses.Field]:
    if not dataclasses.is_dataclass(kind):
        return []
    return [field for field in dataclasses.fields(kind) if field.init]


def _default(field: dataclasses.Field) -> Any:
    made = field.default_factory
    return field.default if made is dataclasses.MISSING else made()


def _written(field: dataclasses.Field) -> str:
    """A default as one writes it."""
    value = _default(field)
    return str(value) if dataclasses.is_dataclass(value) else repr(value)
