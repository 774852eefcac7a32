"""The command line, one file per group of commands."""

from __future__ import annotations

import os
import sys

from trainability import interrupts


def main() -> None:
    """Entry point. Signals are handled before anything large is imported."""
    with interrupts.handled():
        code = _run()
        if interrupts.requested():
            _leave(code)
    sys.exit(code)


def _run() -> int:
    from trainability.cli.commands import run_command

    return run_command()


def _leave(code: int) -> None:
    """End without waiting for threads that libraries have started: theirs has no limit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # a terminal or a pipe that is gone
            continue
    os._exit(interrupts.exit_code() or code)
