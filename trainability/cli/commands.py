"""Run a command, and what becomes of its errors."""

from __future__ import annotations

import errno
import sys
import traceback

from trainability.addresses import remember, remember_environment
from trainability.cli.app import app, at_end, err, styled
from trainability.errors import InputError, TrainabilityError

__all__ = ["app", "run_command"]


_FULL = (errno.ENOSPC, errno.EDQUOT)
"""What is written to, a report's folder or the terminal's file, has no room left."""


def run_command() -> int:
    """Run the command that the process was given: what a user did wrong is one message.

    Returns:
        0, 1 for a failure, 2 for bad input.
    """
    code = _run()
    while at_end:
        at_end.pop()(code)
    return code


def _run() -> int:
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
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _FULL:
            err.print(styled("failed:", "bold red", f" {error}"), soft_wrap=True)
            return 1
        # Ours to mend: where it arose is told, but not with what secrets.
        err.print(traceback.format_exc(), soft_wrap=True)
        return 1
    return 0
