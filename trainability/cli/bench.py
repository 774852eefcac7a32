"""`trainability bench`: how fast the engines are on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from trainability.cli.app import app, err, out
from trainability.cli.inputs import figure_problems
from trainability.errors import refuse


@app.command()
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Three shapes, under a minute.")] = False,
    figure: Annotated[
        Path | None, typer.Option(help="Draw a figure to this .png or .svg file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Throughput of the engines beside this machine's measured peak, and beside peers."""
    refuse(figure_problems(figure))
    from trainability.benchmark import PEERS, QUICK, SHAPES, VARIANTS, benchmark

    # Under a minute: the slowest peer and, if it is installed, the fastest.
    peers = [name for name in PEERS if not quick or name in ("nn-loop", "jax")]
    with err.status("measuring") as status:
        found = benchmark(
            QUICK if quick else [*SHAPES, *VARIANTS],
            peers,
            seconds=0.3 if quick else 1.0,
            tell=lambda what: status.update(f"measuring {what}"),
        )
    if figure is not None:
        from trainability import plots

        plots.save(plots.plot_throughput(found.as_dict()), figure)
        err.print(f"figure: {figure}", soft_wrap=True)
    if as_json:
        print(json.dumps(found.as_dict()))
        return
    out.print(
        f"{found.cores} cores, measured multiply-add peak {found.peak_gflops_per_core:.0f} GFLOP/s "
        "per core; operations: 6 per weight, point and step"
    )
    if found.gpu:
        out.print(f"{found.gpu}, measured multiply-add peak {found.gpu_peak_gflops:,.0f} GFLOP/s")
    table = Table()
    loops = {
        result.work(): result.network_steps_per_second
        for result in found.results
        if result.engine == "nn-loop"
    }
    for name in ("work", "cores", "network-steps/s", "GFLOP/s", "of peak", "x loop"):
        table.add_column(name, justify="left" if name == "work" else "right")
    last = None
    for result in found.results:
        work = result.work()
        if work != last:
            table.add_section()
            table.add_row(f"[bold]{work}[/]")
            last = work
        table.add_row(
            f"  {result.engine}",
            str(result.cores or "GPU"),
            f"{result.network_steps_per_second:,.0f}",
            f"{result.gflops:.2f}",
            f"{100 * result.fraction_of_peak:.2f} %",
            f"{result.network_steps_per_second / loops[work]:,.0f}" if work in loops else "",
        )
    out.print(table)
    for reason in found.left_out:
        err.print(f"left out: {reason}")
