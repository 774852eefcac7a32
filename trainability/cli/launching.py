"""Options that `run` and `tune` share: where trials run, and with what."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from trainability.checks import LARGEST_INT, int_problem
from trainability.errors import refuse
from trainability.study.records import did_you_mean
from trainability.training import ENGINES

AddressOption = Annotated[
    str | None, typer.Option(help="Ray cluster; default: RAY_ADDRESS, or an embedded Ray.")
]
CpusOption = Annotated[float, typer.Option(help="CPUs, and threads, of a trial.")]
GpusOption = Annotated[
    float, typer.Option(help="GPUs of a trial, at most 1; 0.5 puts two trials on a GPU.")
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


def launch_settings(
    address: str | None,
    cpus_per_trial: float,
    gpus_per_trial: float,
    label: list[str] | None,
    max_concurrent: int | None,
    engine: str,
    max_failures: int,
    *problems: str,
) -> dict[str, Any]:
    """What `launch.Options` wants.

    Args:
        address: As the option of that name says; so the others.
        cpus_per_trial: CPUs of a trial.
        gpus_per_trial: GPUs of a trial.
        label: Labels, as KEY=VALUE.
        max_concurrent: Trials at once.
        engine: Name of an engine.
        max_failures: Tries after the first.
        problems: What else is wrong with the command.

    Raises:
        InputError: Names all that is wrong.
    """
    found = list(problems)
    if not 0 < cpus_per_trial < float("inf"):
        found.append(f"--cpus-per-trial must be > 0, got {cpus_per_trial:g}")
    if not 0 <= gpus_per_trial <= 1:
        found.append(
            f"--gpus-per-trial must be from 0 to 1, got {gpus_per_trial:g}: a trial trains on at "
            "most one GPU"
        )
    if max_concurrent is not None and max_concurrent < 1:
        found.append(f"--max-concurrent must be >= 1, got {max_concurrent}")
    for text in label or []:
        if not all(text.partition("=")):
            found.append(f"--label must be KEY=VALUE, got {text!r}")
    if max_failures < 0:
        found.append(f"--max-failures must be >= 0, got {max_failures}")
    for name, value in (("concurrent", max_concurrent), ("failures", max_failures)):
        found += int_problem(f"--max-{name}", value, -LARGEST_INT, 10**6, optional=True)
    if engine not in ENGINES:
        found.append(
            f"unknown --engine {engine!r}; wanted one of {', '.join(ENGINES)}"
            f"{did_you_mean(engine, ENGINES)}"
        )
    refuse(found)
    return {
        "address": address,
        "cpus_per_trial": cpus_per_trial,
        "gpus_per_trial": gpus_per_trial,
        "labels": dict(text.split("=", 1) for text in label or []),
        "max_concurrent": max_concurrent,
        "engine": engine,
        "max_failures": max_failures,
    }
