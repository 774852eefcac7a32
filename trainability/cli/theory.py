"""`trainability theory` and `trainability census`: what is known and measured without training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer
from rich.table import Table

from trainability.cli.app import app, err, out
from trainability.domains import Ball, Box, Domain
from trainability.errors import InputError, StudyFailed, refuse
from trainability.schemes import Scheme, scheme_from_text
from trainability.study import load_module

if TYPE_CHECKING:
    from trainability.analysis.scheme_check import SchemeCheck

_SCHEMES = ("UnitSphere", "He(bias_std=1.0)", "TorchDefault", "RandomizedAsymmetric")

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


@app.command()
def theory(
    scheme: Annotated[
        list[str], typer.Option(help="A scheme as in a study, e.g. 'He(bias_std=1.0)'; repeatable.")
    ] = list(_SCHEMES),  # noqa: B006  typer copies it
    widths: Annotated[str, typer.Option(help="Widths, with commas.")] = "2,3,4,6,8,12,16,20",
    depth: Annotated[int, typer.Option(help="Affine layers; 2 is a shallow network.")] = 2,
    need: Annotated[int, typer.Option(help="Active neurons that the task needs.")] = 2,
    d: InputsOption = 1,
    ball: BallOption = None,
    box: BoxOption = None,
    source: FromOption = None,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Theoretical trainability of schemes over widths; trains nothing."""
    from trainability.theory import (
        born_dead_network_probability,
        born_dead_probability,
        trainability_probability,
    )

    domain = _domain(d, ball, box)
    schemes = [_scheme(text, source) for text in scheme]
    sizes = _widths(widths)
    problems = [f"--depth must be >= 2, got {depth}"] if depth < 2 else []
    if need < 1:
        problems.append(f"--need must be >= 1, got {need}")
    if depth > 2 and need > 1:
        problems.append("--need above 1 is proven for shallow networks only; use --need 1")
    refuse(problems + _figure_problems(figure))
    entries = []
    for one in schemes:
        for width in sizes:
            hidden = [width] * (depth - 1)
            dead = born_dead_probability(one, domain, width)
            network = born_dead_network_probability(one, domain, hidden)
            # A network narrower than the need is never trainable.
            enough = trainability_probability(one, domain, hidden, need) if width >= need else None
            entries.append(
                {
                    "scheme": str(one),
                    "width": width,
                    "depth": depth,
                    "need": need,
                    "domain": repr(domain),
                    "trainability": float(enough) if enough else 0.0,
                    "trainability_se": enough.standard_error if enough else 0.0,
                    "method": enough.method if enough else "width below need",
                    "neuron_born_dead": float(dead),
                    "neuron_born_dead_se": dead.standard_error,
                    "network_born_dead": float(network),
                    "network_born_dead_se": network.standard_error,
                }
            )
    if figure:
        _draw_theory(
            pd.DataFrame(entries), figure, f"Trainability of networks of depth {depth}, need {need}"
        )
    if as_json:
        print(json.dumps({"theory": entries}))
        return
    table = Table(title=f"depth {depth}, need {need}, inputs in {domain}", title_justify="left")
    for name in ("scheme", "width", "trainability", "neuron born dead", "network born dead"):
        table.add_column(name, justify="left" if name == "scheme" else "right")
    for entry in entries:
        table.add_row(
            entry["scheme"],
            str(entry["width"]),
            *(
                _with_error(entry[name], entry[f"{name}_se"])
                for name in ("trainability", "neuron_born_dead", "network_born_dead")
            ),
        )
    out.print(table)


@app.command()
def census(
    scheme: Annotated[
        str, typer.Argument(metavar="SCHEME", help="As in a study, e.g. 'He(bias_std=1.0)'.")
    ],
    width: Annotated[int, typer.Option(help="Neurons of every hidden layer.")] = 8,
    depth: Annotated[int, typer.Option(help="Affine layers; 2 is a shallow network.")] = 3,
    networks: Annotated[int, typer.Option(help="Networks to draw.")] = 4096,
    d: InputsOption = 1,
    ball: BallOption = None,
    box: BoxOption = None,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 0,
    source: FromOption = None,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Born-dead and layer counts of a scheme, measured against theory, without training."""
    domain = _domain(d, ball, box)
    refuse(_figure_problems(figure))
    chosen = _scheme(scheme, source)
    from trainability.analysis.scheme_check import check_scheme

    with err.status("drawing and counting"):
        check = check_scheme(chosen, domain, width, depth, networks, seed)
    if figure:
        _draw_census(chosen, check, figure)
    if as_json:
        print(
            json.dumps(
                {
                    "scheme": str(chosen),
                    "passed": check.passed,
                    "layers": json.loads(check.layers.to_json(orient="records")),
                    "rates": json.loads(check.rates.to_json(orient="records"))[0],
                    "verdicts": [vars(verdict) for verdict in check.verdicts],
                }
            )
        )
    else:
        _show_census(str(chosen), check)
    if not check.passed:
        raise StudyFailed(f"{chosen} does not do what theory says of it")


def _show_census(scheme: str, check: SchemeCheck) -> None:
    n = int(check.layers["n"].iloc[0])
    table = Table(title=f"{scheme}: {n:,} networks at birth", title_justify="left")
    for name in ("layer", "active", "tentatively dead", "permanently dead", "undecided"):
        table.add_column(name, justify="right")
    for row in check.layers.to_dict("records"):
        shares = (row[name] for name in list(row)[3:])
        table.add_row(str(row["layer"]), *(f"{100 * share:.3f} %" for share in shares))
    out.print(table)
    rates = check.rates.iloc[0]
    out.print(
        f"networks born dead: {rates['born_dead_rate']:.5f} "
        f"({rates['born_dead_rate_low']:.5f} to {rates['born_dead_rate_high']:.5f}, 95 %, "
        f"n = {n:,}); theory "
        f"{_with_error(rates['born_dead_theory'], rates['born_dead_theory_se'])} "
        f"({rates['born_dead_method']})",
        soft_wrap=True,
    )
    for verdict in check.verdicts:
        mark = "[green]pass[/]" if verdict.holds else "[bold red]FAIL[/]"
        out.print(
            f"{mark}  {verdict.law} {verdict.verdict} "
            f"False-alarm rate {verdict.false_alarm_rate:g}.",
            soft_wrap=True,
        )


def _domain(d: int, ball: float | None, box: float | None) -> Domain:
    if ball is not None and box is not None:
        raise InputError("--ball and --box are both given; inputs live in one of them")
    return Ball(d, ball) if ball is not None else Box(d, 3**0.5 if box is None else box)


def _scheme(text: str, source: Path | None) -> Scheme:
    if source is not None:
        if source.suffix != ".py" or not source.is_file():
            raise InputError(f"--from {source} is no Python file; wanted an existing .py file")
        load_module(source.resolve())
    return scheme_from_text(text)


def _widths(text: str) -> list[int]:
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1 or max(found) > 100_000:
        raise InputError(f"--widths must be ints from 1 to 100000 such as 2,4,8, got {text!r}")
    return found


def _figure_problems(path: Path | None) -> list[str]:
    if path is None or (path.suffix in (".png", ".svg") and path.absolute().parent.is_dir()):
        return []
    return [f"--figure must be a .png or .svg file in a folder that exists, got {path}"]


def _with_error(value: float, error: float) -> str:
    return f"{value:.6g}" + (f" ± {error:.1g}" if error else "")


def _draw_theory(table: pd.DataFrame, path: Path, title: str) -> None:
    from trainability import plots

    plots.save(plots.plot_trainability(table, title=title), path)
    err.print(f"figure: {path}", soft_wrap=True)


def _draw_census(scheme: Scheme, check: SchemeCheck, path: Path) -> None:
    from trainability import plots

    states = {"active": "active", "tentatively_dead": "tentatively dead"}
    states["permanently_dead"] = "permanently dead"
    table = check.layers.rename(columns=states).melt(
        ["layer", "n"], list(states.values()), var_name="state", value_name="share"
    )
    title = f"{scheme} at birth: " + ("as theory says" if check.passed else "not as theory says")
    plots.save(plots.plot_census(table.assign(moment="before"), title=title), path)
    err.print(f"figure: {path}", soft_wrap=True)
