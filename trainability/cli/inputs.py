"""Options that commands share: a scheme, where inputs live, a figure, JSON."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer

from trainability.checks import int_problem, shown
from trainability.domains import Ball, Box, Domain
from trainability.errors import InputError
from trainability.schemes import Scheme, scheme_from_text
from trainability.study import load_module
from trainability.study.widths import (
    Width,
    depth_contradictions,
    layer_widths,
    own_depth,
    width_from_text,
)
from trainability.tasks import Task, task_from_text

_MOST_WEIGHTS = 2**25
InputsOption = Annotated[int, typer.Option("--d", help="Input dimension.")]
BallOption = Annotated[
    float | None, typer.Option("--ball", metavar="RADIUS", help="Inputs: a ball around 0.")
]
BoxOption = Annotated[
    float | None,
    typer.Option(
        "--box", metavar="HALF_WIDTH", help="Inputs: the cube [-a, a]^d; default: a = sqrt 3."
    ),
]
FigureOption = Annotated[Path | None, typer.Option(help="Draw a figure to this .png or .svg file.")]
FromOption = Annotated[
    Path | None,
    typer.Option(
        "--from", metavar="FILE", help="Python file that defines the scheme, or the task."
    ),
]


TaskOption = Annotated[
    str | None,
    typer.Option(
        metavar="TASK",
        help="A task as in a study, e.g. 'TwoMoons(n_train=200)': where inputs live, how many "
        "active neurons it needs, and the points for a scheme that looks at data.",
    ),
]


def chosen_task(text: str | None, source: Path | None) -> Task | None:
    """A task by its text; `source` may define it."""
    if text is None:
        return None
    if source is not None:
        load_source(source)
    task = task_from_text(text)
    task.data()  # what is wrong with a table is found when it is read
    return task


def chosen_domain(
    d: int, ball: float | None, box: float | None, task: Task | None = None
) -> Domain:
    """The domain that --task, or --d, --ball and --box name."""
    if task is not None:
        if ball is not None or box is not None or d not in (1, task.d_in):
            raise InputError(
                f"--task {task} says where inputs live, {task.domain.described}; leave out --d, "
                "--ball and --box"
            )
        return task.domain
    if ball is not None and box is not None:
        raise InputError("--ball and --box are both given; inputs live in one of them")
    return Ball(d, ball) if ball is not None else Box(d, 3**0.5 if box is None else box)


def chosen_scheme(text: str, source: Path | None) -> Scheme:
    """A scheme by its text; `source` may define it."""
    if source is not None:
        load_source(source)
    return scheme_from_text(text)


def load_source(source: Path) -> None:
    """Execute the Python file of --from: what it defines has a name from then on."""
    if source.suffix != ".py" or not _is(source, Path.is_file):
        raise InputError(f"--from {source} is no Python file; wanted an existing .py file")
    load_module(source.resolve())


def chosen_widths(text: str) -> list[int]:
    """The numbers of --widths."""
    try:
        widths = [int(part) for part in text.split(",")]
    except ValueError:
        widths = []
    if not widths or min(widths) < 1 or max(widths) > 100_000:
        raise InputError(f"--widths must be ints from 1 to 100000 such as 2,4,8, got {shown(text)}")
    if len(widths) > 1000:
        raise InputError(f"--widths must list at most 1000 widths, got {len(widths):,}")
    return widths


def chosen_width(text: str) -> Width:
    """The width of --width: of all hidden layers, or with commas of each."""
    return width_from_text("--width", text, 100_000)


def shape_problems(widths: Sequence[Width], depth: int | None) -> list[str]:
    """What is wrong with --depth, networks of which are drawn where no law is known.

    Args:
        widths: Of the networks.
        depth: L, the number of affine layers; None for that of each width.
    """
    problems = [] if depth is None else int_problem("--depth", depth, 2, 10_000)
    if problems := problems or depth_contradictions(widths, [depth]):
        return problems
    for width in widths:
        layers = layer_widths(width, own_depth(width, depth))
        if (weights := sum(a * b for a, b in pairwise(layers))) > _MOST_WEIGHTS:
            return [
                f"--depth {len(layers) + 1} at width {shown(width)} makes networks of {weights:,} "
                f"weights, wanted at most {_MOST_WEIGHTS:,}"
            ]
    return []


def figure_problems(path: Path | None) -> list[str]:
    """What is wrong with --figure."""
    if path is None:
        return []
    if path.suffix not in (".png", ".svg") or not _is(path.absolute().parent, Path.is_dir):
        return [
            f"--figure must be a .png or .svg file in a folder that exists, got {shown(str(path))}"
        ]
    if _is(path, Path.is_dir) or not os.access(path.absolute().parent, os.W_OK):
        return [f"--figure {shown(str(path))} can't be written; choose another"]
    return []


def _is(path: Path, kind: Callable[[Path], bool]) -> bool:
    """Whether a path is of a kind; False for what can be none, such as too long a name."""
    try:
        return kind(path)
    except (OSError, ValueError):
        return False


def with_error(value: float, error: float, digits: int = 6) -> str:
    """A value and its standard error, if it has one, for people."""
    return f"{value:.{digits}g}" + (f" ± {error:.1g}" if error else "")
