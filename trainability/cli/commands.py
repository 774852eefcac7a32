"""All commands, and what becomes of their errors."""

from __future__ import annotations

from rich.markup import escape

from trainability.cli import bench, census, inspect_storage, run, theory, tune
from trainability.cli.app import app, err
from trainability.errors import InputError, TrainabilityError

__all__ = ["bench", "census", "inspect_storage", "run", "run_command", "theory", "tune"]


def run_command() -> int:
    """Run the command that the process was given: what a user did wrong is one message.

    Returns:
        0, 1 for a failure, 2 for bad input.
    """
    try:
        app()
    except SystemExit as end:  # click's own
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except InputError as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        return 2
    except TrainabilityError as error:
        err.print(f"[bold red]failed:[/] {escape(str(error))}", soft_wrap=True)
        return 1
    return 0
