"""The command line: parse, call, print the next command. Exit codes: 0, 1 failure, 2 bad input."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(
    name="trainability",
    help="How wide must a ReLU network be, and how initialized, for training to succeed?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

StudyArgument = Annotated[
    str,
    typer.Argument(
        metavar="STUDY", help="A study file (.py or .json), or a name in [b]studies/[/b]."
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
