"""The command line: parse, call, print the next command. Exit codes: 0, 1 failure, 2 bad input."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info
from typer.models import CommandInfo

from trainability.cli import catalog
from trainability.commands import command, variables, variables_sentence
from trainability.running.terminal import Terminal, clean, styled
from trainability.version import __version__


def show_commands(
    storage: str,
    tracking_uri: str | None,
    *words: str,
    console: Console | None = None,
    **labelled: str,
) -> None:
    """Print commands on a storage, each behind its label, and what has to be set before.

    Args:
        storage: The storage's address.
        tracking_uri: MLflow's, if one was given.
        words: Their arguments.
        console: Where to print; default stdout.
        labelled: The names of the commands by label.
    """
    place = console or out
    addresses = {"storage": storage}
    for label, name in labelled.items():
        if name in _MIRRORED and tracking_uri is not None:
            addresses["tracking_uri"] = tracking_uri
        place.print(f"{label}:  {command(name, *words, **addresses)}", soft_wrap=True)
    if sentence := variables_sentence(variables(**addresses)):
        place.print(sentence, soft_wrap=True)


def examples(*lines: str) -> str:
    """The end of a command's help: what one types, an example a line."""
    return "\n".join([" Examples:", *(f"   trainability {line}" for line in lines)])


__all__ = [
    "Terminal", "app", "at_end", "clean", "err", "examples", "out", "show_commands",
    "study_names", "styled",
]  # fmt: skip


@contextlib.contextmanager
def _clean_messages() -> Iterator[None]:
    """Messages about the command line itself, which quote what was typed."""
    try:
        yield
    except Exception as error:
        if isinstance(getattr(error, "message", None), str):
            error.message = clean(error.message)  # type: ignore[attr-defined]
        raise


class _Command(TyperCommand):
    """A command whose help ends with what one types, line by line as it is written."""

    def __init__(self, *arguments: Any, epilog: str | None = None, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.examples = epilog

    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, formatter)
        if self.examples:
            out.print(self.examples, soft_wrap=True)


class _Commands(TyperGroup):
    """All commands by their names, listed when somebody asks; one is imported when it is to run."""

    def __init__(self, *, epilog: str | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self.examples = epilog

    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, formatter)
        if self.examples:
            out.print(self.examples, soft_wrap=True)

    def list_commands(self, ctx: Any) -> list[str]:
        listed: Any = {
            name: _made(
                CommandInfo(name, callback=_nothing, help=entry.help, rich_help_panel=entry.panel)
            )
            for name, entry in catalog.commands().items()
        }
        self.commands = listed | self.commands
        return super().list_commands(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        entry = catalog.command_named(name)
        if entry is None:
            self.list_commands(ctx)  # one of them may be meant
        else:
            module = importlib.import_module(entry.module)
            [info] = [
                info
                for info in app.registered_commands
                if info.callback is not None
                and info.callback.__module__ == module.__name__
                and name == (info.name or info.callback.__name__.replace("_", "-"))
            ]
            self.commands[name] = _made(info)
        return super().resolve_command(ctx, args)

    def make_context(self, *arguments: Any, **settings: Any) -> Any:
        with _clean_messages():
            return super().make_context(*arguments, **settings)

    def invoke(self, ctx: Any) -> Any:
        with _clean_messages():
            return super().invoke(ctx)


def _made(info: CommandInfo) -> Any:
    info.cls = _Command
    return get_command_from_info(info, pretty_exceptions_short=True, rich_markup_mode="rich")


def _nothing() -> None:
    """Stands for a command that is only listed."""


def _show_version(asked: bool) -> None:
    if asked:
        print(f"trainability {__version__}")
        raise typer.Exit


at_end: list[Callable[[int], None]] = []
"""What a command has left to be done when it has ended and said how, given its exit code."""
_MIRRORED = ("sync", "ui")
"""Commands that want to know where MLflow is."""

app = typer.Typer(
    name="trainability",
    cls=_Commands,
    help="How wide must a ReLU network be, and how initialized, for training to succeed?",
    epilog=examples("new study mine", "run mine", "report mine", "--install-completion"),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
out = Terminal()
err = Terminal(stderr=True)


def study_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """What a shell may complete the name of a study to: those here, shipped, and on the storage."""
    from trainability.study.files import study_names as declared_names

    stored = Path(str(ctx.params.get("storage") or "results"))  # of an address nothing is listed
    names = {path.parent.name for path in stored.glob("*/study.json")}
    return sorted(name for name in {*declared_names(), *names} if name.startswith(incomplete))


StudyArgument = Annotated[
    str,
    typer.Argument(
        metavar="STUDY",
        help="A study file (.py or .json), or a name in [b]studies/[/b].",
        autocompletion=study_names,
    ),
]
StorageOption = Annotated[
    str,
    typer.Option(
        envvar="TRAINABILITY_STORAGE",
        help="Folder or address (s3://, gs://) that holds the results.",
    ),
]
TrackingOption = Annotated[
    str | None,
    typer.Option(
        help="MLflow tracking URI; default: MLFLOW_TRACKING_URI, or an SQLite file in the storage."
    ),
]


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", is_eager=True, callback=_show_version
        ),
    ] = False,
) -> None:
    pass
