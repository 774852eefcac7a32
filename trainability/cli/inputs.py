"""Options that `theory` and `census` share: a scheme, and where inputs live."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainability.domains import Ball, Box, Domain
from trainability.errors import InputError
from trainability.schemes import Scheme, scheme_from_text
from trainability.study import load_module

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
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
    Path | None, typer.Option("--from", metavar="FILE", help="Python file that defines the scheme.")
]


def chosen_domain(d: int, ball: float | None, box: float | None) -> Domain:
    """The domain that --d, --ball and --box name."""
    if ball is not None and box is not None:
        raise InputError("--ball and --box are both given; inputs live in one of them")
    return Ball(d, ball) if ball is not None else Box(d, 3**0.5 if box is None else box)


def chosen_scheme(text: str, source: Path | None) -> Scheme:
    """A scheme by its text; `source` may define it."""
    if source is not None:
        if source.suffix != ".py" or not source.is_file():
            raise InputError(f"--from {source} is no Python file; wanted an existing .py file")
        load_module(source.resolve())
    return scheme_from_text(text)


def chosen_widths(text: str) -> list[int]:
    """The numbers of --widths."""
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1 or max(found) > 100_000:
        raise InputError(f"--widths must be ints from 1 to 100000 such as 2,4,8, got {text!r}")
    return found


def figure_problems(path: Path | None) -> list[str]:
    """What is wrong with --figure."""
    if path is None or (path.suffix in (".png", ".svg") and path.absolute().parent.is_dir()):
        return []
    return [f"--figure must be a .png or .svg file in a folder that exists, got {path}"]


def with_error(value: float, error: float, digits: int = 6) -> str:
    """A value and its standard error, if it has one, for people."""
    return f"{value:.{digits}g}" + (f" ± {error:.1g}" if error else "")
