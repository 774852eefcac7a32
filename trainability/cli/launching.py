"""Options that `run` and `tune` share: where trials run, and with what."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated

import typer

from trainability import interrupts
from trainability.errors import StudyFailed
from trainability.launch.options import Options
from trainability.training import ENGINES

AddressOption = Annotated[
    str | None,
    typer.Option(help="Ray cluster; default: RAY_ADDRESS, or this machine, which is also: local."),
]
RayOption = Annotated[
    bool | None,
    typer.Option(
        "--ray/--no-ray",
        help="Let Ray run the trials, or this machine alone: the command's own threads for a few "
        "seconds of work, else its processes. Default: Ray on a cluster, for GPUs, and from "
        "minutes of work on.",
        show_default=False,
    ),
]
CpusOption = Annotated[float, typer.Option(help="CPUs, and threads, of a trial.")]
GpusOption = Annotated[
    str,
    typer.Option(
        metavar="auto|NUMBER",
        help="GPUs of a trial, at most 1; 0.5 puts two trials on a GPU. auto: a share of one where "
        "nodes of Ray have GPUs and the work is done sooner there.",
    ),
]
LabelOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE", help="Use only nodes with this label; may be given repeatedly."
    ),
]
MaxConcurrentOption = Annotated[
    int | None, typer.Option(help="Trials that run at once, at most; default: all that fit.")
]
EngineOption = Annotated[str, typer.Option(help=f"{', '.join(ENGINES)}.")]
MaxFailuresOption = Annotated[
    int, typer.Option(help="How often what fails is tried again before it is given up.")
]


def spelled(name: str) -> str:
    """The option of a name.

    >>> spelled("max_failures")
    '--max-failures'
    """
    return f"--{name.replace('_', '-')}"


def launch_options(
    address: str | None,
    ray: bool | None,
    cpus_per_trial: float,
    gpus_per_trial: str,
    label: list[str] | None,
    max_concurrent: int | None,
    engine: str,
    max_failures: int,
) -> tuple[Options, list[str]]:
    """What the options of these names say, and what is wrong with their form."""
    texts = label or []
    problems = [
        f"--label must be KEY=VALUE, got {text!r}" for text in texts if not all(text.partition("="))
    ]
    gpus = None
    if gpus_per_trial.strip().lower() != "auto":
        try:
            gpus = float(gpus_per_trial)
        except ValueError:
            problems.append(
                f"--gpus-per-trial must be auto or a number from 0 to 1, got {gpus_per_trial!r}"
            )
    keys = [text.partition("=")[0] for text in texts]
    problems += [f"--label has {key!r} twice; keep one" for key in dict.fromkeys(keys)
                 if keys.count(key) > 1]  # fmt: skip
    options = Options(
        address=address,
        ray=ray,
        cpus_per_trial=cpus_per_trial,
        gpus_per_trial=gpus,
        labels=dict(text.split("=", 1) for text in texts if all(text.partition("="))),
        max_concurrent=max_concurrent,
        engine=engine,
        max_failures=max_failures,
    )
    return options, problems


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """A command that has something to put in order when Ctrl-C, SIGTERM or SIGHUP ends it.

    Raises:
        StudyFailed: If an interrupt was not dealt with inside.
    """
    try:
        with interrupts.orderly():
            yield
    except KeyboardInterrupt as error:
        raise StudyFailed(
            str(error) or "interrupted; what is stored stays, and the same command goes on"
        ) from error
