"""The command line in this process, without Ray and MLflow."""

from __future__ import annotations

import contextlib
import io
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import pytest
from launch.launching import Listening

from trainability.cli import main
from trainability.findings.study import find
from trainability.launch import Outcome
from trainability.plan import missing_blocks, runs
from trainability.trial import Runtime, run_trial

MADE = {"finished_at": "1700000000.0", "host": "here"}
REPORTED: list = []
"""What the last reports said."""


def call(*arguments) -> SimpleNamespace:
    """Run the command line in this process: exit code, all that is said, stdout, a traceback."""
    out, err, trouble, code = io.StringIO(), io.StringIO(), "", 0
    before, sys.argv = sys.argv, ["trainability", *map(str, arguments)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        trouble = traceback.format_exc()
    finally:
        sys.argv = before
    text = out.getvalue() + err.getvalue()
    return SimpleNamespace(code=code, out=out.getvalue(), text=text, traceback=trouble)


def without_ray_and_mlflow(patch: pytest.MonkeyPatch) -> None:
    """Let `run` train in this process and mirror nothing; reports are read for, but not drawn."""

    def launch(name, cells, wanted, storage, executor, events):
        outcome = Outcome(damaged=storage.set_damaged_aside(name, cells))
        missing = missing_blocks(wanted, storage.block_files(name, cells))
        for cell, lacking in missing.items():
            for run in runs(lacking):
                rows, made = run_trial(name, cells[cell], run, Runtime(engine="fused-cpu"))
                storage.write_rows(name, rows, made | MADE)
                outcome.networks += len(rows)
        assert not any(missing_blocks(wanted, storage.block_files(name, cells)).values())
        return outcome

    def write_report(study, storage, helper=None):
        if sys.argv[1] == "report":
            REPORTED.append(find(study, storage))
        return SimpleNamespace(
            folder=Path(), page="none", markdown="", findings=None, show=lambda console: None
        )

    class Mirror(Listening):
        trouble = None

        def __init__(self, *where):
            super().__init__()

        def add(self, task):
            pass

        def close(self, status, hurry=False):
            pass

    patch.setattr("trainability.launch.dispatch.launch", launch)
    patch.setattr("trainability.tracking.Mirror", Mirror)
    patch.setattr("trainability.report.helper.helping", contextlib.nullcontext)
    patch.setattr("trainability.report.write_report", write_report)
