"""The page of the command line: every command, with what `--help` says of its options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.text import Text
from typer.main import get_command

from trainability.cli.catalog import commands
from trainability.cli.commands import app


def _plain(text: str | None) -> str:
    return " ".join(Text.from_markup(text or "").plain.split()).replace("|", "\\|")


def _default(option: Any) -> str:
    default = option.show_default if isinstance(option.show_default, str) else option.default
    if default in (None, False, (), []) or callable(default) or "Sentinel" in repr(type(default)):
        return ""
    return f" Default: {default}."


def _options(command: Any) -> str:
    rows = []
    for option in command.params:
        if getattr(option, "hidden", False) or option.name in ("help", "version"):
            continue
        if isinstance(option, click.Argument) or option.param_type_name == "argument":
            name = option.metavar or option.name.upper()
        else:
            name = ", ".join([*option.opts, *option.secondary_opts])
        rows.append(f"| `{name}` | {_plain(getattr(option, 'help', ''))}{_default(option)} |")
    return (
        "\n".join(["| argument, option | meaning |", "|---|---|", *rows]) + "\n\n" if rows else ""
    )


def write_commands(folder: Path) -> None:
    """Write the page."""
    group: Any = get_command(app)
    context = click.Context(group, info_name="trainability")
    text = (
        "# Commands\n\nExit codes: 0 on success, 1 on failure, 2 on bad input, which is refused "
        "with one message before anything is started or written. Options change how something is "
        "computed, never what: what changes the numbers stands in the study.\n\n"
    )
    for name in commands():
        command = group.resolve_command(context, [name])[1]
        pieces = command.collect_usage_pieces(click.Context(command))
        usage = " ".join(piece.strip("{}") for piece in pieces)
        paragraphs = Text.from_markup(command.help or "").plain.split("\n\n")
        help_ = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
        text += f"## {name}\n\n```sh\ntrainability {name} {usage}\n```\n\n{help_}\n\n"
        text += _options(command)
    (folder / "commands.md").write_text(text, encoding="utf-8")
