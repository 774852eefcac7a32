"""All commands, and what becomes of their errors."""

from __future__ import annotations

import sys
import traceback

from trainability.addresses import remember, remember_environment
from trainability.cli import bench, birth, census, inspect_storage, run, theory, tune
from trainability.cli.app import app, err, styled
from trainability.errors import InputError, TrainabilityError

__all__ = ["bench", "birth", "census", "inspect_storage", "run", "run_command", "theory", "tune"]


def run_command() -> int:
    """Run the command that the process was given: what a user did wrong is one message.

    Returns:
        0, 1 for a failure, 2 for bad input.
    """
    remember_environment()
    for word in sys.argv[1:]:
        remember(word.partition("=")[2] if word.startswith("--") else word)
    try:
        app()
    except SystemExit as end:  # click's own
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except InputError as error:
        err.print(styled("error:", "bold red", f" {error}"), soft_wrap=True)
        return 2
    except TrainabilityError as error:
        err.print(styled("failed:", "bold red", f" {error}"), soft_wrap=True)
        return 1
    except Exception:  # ours to mend: where it arose is told, but not with what secrets
        err.print(traceback.format_exc(), soft_wrap=True)
        return 1
    return 0
