"""`trainability census`: what a scheme draws, held against theory, without training."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trainability.checks import counted, int_problem
from trainability.cli.app import app, err, examples, out
from trainability.cli.documents import JsonOption
from trainability.cli.inputs import (
    BallOption,
    BoxOption,
    FigureOption,
    FromOption,
    InputsOption,
    TaskOption,
    chosen_domain,
    chosen_scheme,
    chosen_task,
    chosen_width,
    figure_problems,
    shape_problems,
)
from trainability.cli.tables import Column, hanging, new_table, titled
from trainability.cli.working import working
from trainability.errors import StudyFailed, refuse
from trainability.findings.percent import percent
from trainability.schemes import Scheme
from trainability.study.widths import grouped, layer_widths, own_depth

_MOST_NUMBERS = 2**32
_DEPTH = 3

if TYPE_CHECKING:
    from trainability.analysis.scheme_check import SchemeCheck


@app.command(
    rich_help_panel="Before training",
    epilog=examples(
        "census 'He(bias_std=1.0)'",
        "census DataDependent --width 16,4 --d 2",
        "census Laplace --from studies/laplace.py --json",
    ),
)
def census(
    scheme: Annotated[
        str, typer.Argument(metavar="SCHEME", help="As in a study, e.g. 'He(bias_std=1.0)'.")
    ],
    width: Annotated[
        str, typer.Option(help="Neurons of every hidden layer, or with commas of each: 16,4.")
    ] = "8",
    depth: Annotated[
        int | None,
        typer.Option(
            help="Affine layers; 2 is a shallow network.", show_default="3, or of --width"
        ),
    ] = None,
    networks: Annotated[int, typer.Option(help="Networks to draw.")] = 4096,
    task: TaskOption = None,
    d: InputsOption = 1,
    ball: BallOption = None,
    box: BoxOption = None,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 0,
    thorough: Annotated[
        bool,
        typer.Option(
            "--thorough",
            help="Leave fewer neurons undecided: more boxes, and mixed-integer programs, which "
            "take up to seconds a network with many inputs.",
        ),
    ] = False,
    source: FromOption = None,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Born-dead and layer counts of a scheme, measured against theory, without training."""
    learned = chosen_task(task, source)
    domain = chosen_domain(d, ball, box, learned)
    wide = chosen_width(width)
    deep = _DEPTH if depth is None and isinstance(wide, int) else own_depth(wide, depth)
    sizes = int_problem("--networks", networks, 1) + int_problem("--seed", seed, 0)
    sizes += shape_problems([wide], deep)
    if not sizes:
        layers = (domain.d, *layer_widths(wide, deep), learned.d_out if learned else 1)
        numbers = networks * sum(a * b for a, b in pairwise(layers))
        if numbers > _MOST_NUMBERS:
            sizes.append(
                f"--networks {networks:,} of width {grouped(wide)} and depth {deep:,} have "
                f"{numbers:,} weights, which are held at once; wanted at most {_MOST_NUMBERS:,}"
            )
    refuse(sizes + figure_problems(figure))
    chosen = chosen_scheme(scheme, source)
    from trainability.analysis.scheme_check import check_scheme
    from trainability.death import STANDARD_EFFORT, THOROUGH_EFFORT

    effort = THOROUGH_EFFORT if thorough else STANDARD_EFFORT
    place = f"depth {deep}, width {grouped(wide)}, inputs in {domain.described}"
    with working(f"drawing {counted(networks, 'network')} of {chosen}: {place}") as tell:
        data = None if learned is None else learned.data()
        check = check_scheme(chosen, domain, wide, deep, networks, seed, effort, data, tell)
    if figure:
        _draw_census(chosen, check, figure)
    if as_json:
        print(
            json.dumps(
                {
                    "scheme": str(chosen),
                    "task": None if learned is None else str(learned),
                    "passed": check.passed,
                    "layers": json.loads(check.layers.to_json(orient="records")),
                    "rates": json.loads(check.rates.to_json(orient="records"))[0],
                    "verdicts": [vars(verdict) for verdict in check.verdicts],
                }
            )
        )
    else:
        _show_census(f"{chosen}{f' on {learned}' if learned else ''}", place, check)
    if not check.passed:
        raise StudyFailed(f"{chosen} does not do what theory says of it")


def _show_census(scheme: str, place: str, check: SchemeCheck) -> None:
    n = int(check.layers["n"].iloc[0])
    names = "layer", "neurons", "active", "tentatively\ndead", "permanently\ndead", "undecided"
    table = new_table([Column(name) for name in names])
    for row in check.layers.to_dict("records"):
        shares = (row[name] for name in list(row)[4:])
        table.add_row(
            str(row["layer"]), str(row["width"]), *(f"{100 * share:.3f} %" for share in shares)
        )
    out.print(titled(f"{scheme}: {n:,} networks at birth\n{place}", table))
    rates = check.rates.iloc[0]
    rate, low, high = (percent(rates[f"born_dead_rate{end}"]) for end in ("", "_low", "_high"))
    out.print(f"networks born dead: {rate} % (95 % interval {low} to {high} %, n = {n:,})")
    theory, error = rates["born_dead_theory"], rates["born_dead_theory_se"]
    most = "at most " * bool(rates["born_dead_is_upper_bound"])
    sampled = "one standard error; " * bool(error)
    text = _percent_with_error(theory, error)
    out.print(f"by theory: {most}{text} % ({sampled}{rates['born_dead_method']})")
    for verdict in check.verdicts:
        mark, style = ("pass", "green") if verdict.holds else ("FAIL", "bold red")
        out.print(hanging(mark, style, f"{verdict.law} {verdict.verdict}"))
    rate = max(verdict.false_alarm_rate for verdict in check.verdicts)
    out.print(f"A test fails a scheme that keeps its law with probability {rate:g} at most.")


def _percent(share: float) -> str:
    """A share in percent, to three digits; 0 and 100 only where it is 0 or 1."""
    text = f"{100 * share:.3g}"
    return text if float(text) != 100 or share == 1 else percent(share)


def _percent_with_error(share: float, error: float) -> str:
    """A share in percent, to the digit of its standard error where it has one."""
    if not error:
        return _percent(share)
    place = math.floor(math.log10(100 * error))
    digits = max(0, -place)
    return f"{100 * share:.{digits}f} ± {100 * error:.{digits}f}"


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
