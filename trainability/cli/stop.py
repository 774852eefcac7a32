"""`trainability stop`: end a run of a study in order, from any shell that sees the storage."""

from __future__ import annotations

import time

from trainability import interrupts
from trainability.cli.app import (
    StorageOption,
    StudyArgument,
    app,
    err,
    examples,
    out,
    show_commands,
)
from trainability.errors import StudyError, StudyFailed
from trainability.running.stopping import Running, request_end, running, withdraw
from trainability.storage import Storage
from trainability.stored import open_study

_WAIT_S = 60.0
_LOOK_EVERY_S = 0.5


@app.command(
    rich_help_panel="Studies",
    epilog=examples("stop absolute_value", "stop mine --storage s3://bucket/results"),
)
def stop(study: StudyArgument, storage: StorageOption = "results") -> None:
    """End a run of a study in order, as Ctrl-C does there; what is stored stays.

    The request goes through the storage, to runs on this machine and on others; nothing else is
    touched.
    """
    place = Storage(storage)
    names = _names(study, place)
    runs = [run for name in names for run in running(name, place)]
    if not runs:
        raise StudyFailed(f"no run of {' or '.join(names)} is going on in {place.shown}")
    for run in runs:
        request_end(run, place)
        err.print(f"asked to end: {run}", soft_wrap=True)
    left = _wait(runs, place)
    if left:
        for run in left:
            withdraw(run, place)
        raise StudyFailed(
            f"no answer within {_WAIT_S:.0f} s from {', '.join(map(str, left))}; the request is "
            "withdrawn. If that machine is gone, nothing runs there"
        )
    for run in runs:
        out.print(f"ended: {run}", soft_wrap=True)
    tunings = place.studies("tuning")
    name = "tune" if any(run.study in tunings for run in runs) else "run"
    show_commands(place.address, None, study, resume=name)


def _names(text: str, place: Storage) -> list[str]:
    """The names under which a study, or the tunings of a file, run."""
    if text in place.studies() or text in place.studies("tuning"):
        return [text]
    try:
        return [open_study(text, place)[0].name]
    except StudyError as error:
        from trainability.tuning.loading import load_tunings

        try:
            return [tuning.name for tuning in load_tunings(text)]
        except StudyError:
            raise error from None


def _wait(runs: list[Running], place: Storage) -> list[Running]:
    """Wait for runs to end; those that have not."""
    end = time.monotonic() + _WAIT_S
    try:
        with interrupts.orderly():
            while (left := _going_on(runs, place)) and time.monotonic() < end:
                interrupts.wait(_LOOK_EVERY_S)
            return left
    except KeyboardInterrupt:
        raise StudyFailed("asked, but not waited for: it ends soon") from None


def _going_on(runs: list[Running], place: Storage) -> list[Running]:
    keys = {run.key for name in {run.study for run in runs} for run in running(name, place)}
    return [run for run in runs if run.key in keys]
