"""`--on-finish`: a command of the user's, run when a run has ended, however it did."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from typing import Annotated

import typer

from trainability import interrupts
from trainability.checks import shown
from trainability.cli.app import at_end, err

OnFinishOption = Annotated[
    str | None,
    typer.Option(
        metavar="COMMAND",
        help="Run this at the end in any case, without a shell; it finds TRAINABILITY_STUDY, "
        "_STORAGE, _OUTCOME (finished, failed, interrupted, refused) and _EXIT_CODE in its "
        "environment.",
    ),
]


def finish_problems(text: str | None) -> list[str]:
    """What is wrong with --on-finish."""
    if text is None:
        return []
    try:
        words = shlex.split(text)
    except ValueError as error:
        return [f"--on-finish can't be split into words ({error}), got {shown(text)}"]
    if not words:
        return ["--on-finish must name a program, got nothing; leave it out"]
    if shutil.which(words[0]) is None:
        return [f"--on-finish: there is no program {shown(words[0])} on the path"]
    return []


def run_at_end(text: str | None, study: str, storage: str) -> None:
    """Run a user's command when this one has ended and said how; its exit code stays.

    Args:
        text: The command; None for none. It was checked.
        study: As the user names it.
        storage: As the user names it.
    """
    if text is not None:
        at_end.append(lambda code: _call(text, study, storage, code))


def _call(text: str, study: str, storage: str, code: int) -> None:
    outcome = {0: "finished", 2: "refused"}.get(code, "failed")
    if interrupts.requested():
        outcome, code = "interrupted", interrupts.exit_code()
    variables = {
        "TRAINABILITY_STUDY": study,
        "TRAINABILITY_STORAGE": storage,
        "TRAINABILITY_OUTCOME": outcome,
        "TRAINABILITY_EXIT_CODE": str(code),
    }
    try:
        # What it prints goes to stderr: stdout may be for a document.
        done = subprocess.run(
            shlex.split(text),
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            stdout=2,
            preexec_fn=interrupts.unblock,
            check=False,
        )
    except OSError as error:
        err.print(f"--on-finish: {text} could not be started: {error}", soft_wrap=True)
        return
    if done.returncode:
        how = (
            f"exit code {done.returncode}" if done.returncode > 0 else f"signal {-done.returncode}"
        )
        err.print(f"--on-finish: {text} ended with {how}", soft_wrap=True)
