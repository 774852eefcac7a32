"""`trainability bench`: how fast the engines are on this machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from trainability.cli.app import app, err, examples, out
from trainability.cli.documents import JsonOption
from trainability.cli.inputs import FigureOption, figure_problems
from trainability.errors import refuse

if TYPE_CHECKING:
    from trainability.benchmark import Benchmark, Result

_LIMIT_S = 285.0  # With what it takes to start and to draw, five minutes.
_INTERRUPTED = 130
_HEADLINE = "absolute_value"


@app.command(
    rich_help_panel="Tools",
    epilog=examples(
        "bench --quick",
        "bench --device cuda --json",
    ),
)
def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="Few shapes and peers: a minute, on a GPU two.")
    ] = False,
    device: Annotated[
        str, typer.Option(help="What to measure: cpu, or a GPU such as cuda or cuda:1.")
    ] = "cpu",
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Throughput of the engines beside this machine's measured peak, and beside peers.

    Every figure is shown as soon as it is measured; Ctrl-C ends with those that there are, in the
    JSON and the picture too. It takes five minutes at most. The rates are kept on this machine:
    `run --dry-run` tells by them how long a study takes.
    """
    refuse(figure_problems(figure))
    _refuse_device(device)
    from trainability import benchmark as room
    from trainability import interrupts
    from trainability.benchmark import PEERS, benchmark, keep

    on_gpu = device != "cpu"
    # Modules early: what comes last has the least time.
    on_cpu = room.QUICK if quick else [*room.SHAPES, *room.MODULES, *room.VARIANTS]
    shapes = room.GPU_SHAPES if on_gpu else on_cpu
    # Quick: the slowest peer and, if it is installed, the fastest; of a GPU's engines the chosen.
    peers = [name for name in PEERS if not quick or name in ("nn-loop", "jax")]
    table = _Lines(err if as_json else out)
    try:
        with interrupts.orderly(), err.status("measuring") as status:
            measured = benchmark(
                shapes,
                peers,
                seconds=0.1 if on_gpu else 0.3,
                device=device,
                engines=["auto"] if on_gpu and quick else None,
                tell=lambda what: status.update(f"measuring {what}"),
                show=table.show,
                limit_s=_LIMIT_S,
            )
    except KeyboardInterrupt as error:
        err.print("interrupted before anything was measured")
        raise typer.Exit(interrupts.exit_code() or _INTERRUPTED) from error
    keep(measured)
    if as_json:
        print(json.dumps(measured.as_dict()), flush=True)
    else:
        _show_machine(measured)
    for reason in measured.left_out:
        err.print(f"left out: {reason}", soft_wrap=True)
    if figure is not None and measured.results:
        from trainability import plots

        plots.save(plots.plot_throughput(measured.as_dict()), figure)
        err.print(f"figure: {figure}", soft_wrap=True)
    if not measured.complete:
        raise typer.Exit(interrupts.exit_code() or _INTERRUPTED)


def _show_machine(result: Benchmark) -> None:
    from trainability.benchmark import expected_seconds

    out.print(
        f"{result.cores} cores, measured multiply-add peak {result.peak_gflops_per_core:.0f} "
        "GFLOP/s per core; operations: 6 per weight, point and step"
    )
    if result.gpu:
        out.print(
            f"{result.gpu}, measured peak {result.gpu_peak_gflops:,.0f} GFLOP/s by a product of "
            f"matrices, {result.gpu_fma_gflops:,.0f} by multiply-adds in registers"
        )
    from trainability.seeds import BLOCK_SIZE
    from trainability.study import load_study
    from trainability.study.files import shipped_studies

    study = load_study(str(shipped_studies()[_HEADLINE]))
    cells = {cell.id: cell for cell in study.cells()}
    networks = dict.fromkeys(cells, study.n_blocks * BLOCK_SIZE)
    seconds = expected_seconds(cells, networks, "cpu" if result.gpu is None else "cuda")
    if seconds is not None:
        n = sum(networks.values())
        out.print(
            f"at these rates the study {study.name} trains its {n:,} networks in "
            f"{seconds:,.1f} s here, were none to succeed before its last step",
            soft_wrap=True,
        )


def _refuse_device(device: str) -> None:
    if device == "cpu":
        return
    import torch

    try:
        chosen = torch.device(device)
    except RuntimeError:
        chosen = torch.device("cpu")
    if chosen.type != "cuda":  # cpu:0 too, which would be measured as a GPU
        refuse([f"--device must be cpu, cuda or cuda:N, got {device!r}"])
    if not torch.cuda.is_available():
        refuse([f"--device {device}: torch sees no GPU here; leave it out to measure the CPU"])
    if (chosen.index or 0) >= (n := torch.cuda.device_count()):
        refuse([f"--device {device}: torch sees {n} GPU here, of which cuda:{n - 1} is the last"])


class _Lines:
    """The table, line by line as it is measured."""

    _ROW = "  {:<14} {:>5} {:>16} {:>12} {:>9} {:>9} {:>10}"

    def __init__(self, console: Console) -> None:
        self._console = console
        self._work = ""
        self._loop: float | None = None

    def show(self, result: Result) -> None:
        if not self._work:
            self._print(
                self._ROW.format(
                    "", "cores", "network-steps/s", "GFLOP/s", "of peak", "x loop", "to start"
                )
            )
        if result.work() != self._work:
            self._work, self._loop = result.work(), None
            self._print(self._work)
        rate = result.network_steps_per_second
        if result.engine == "nn-loop":
            self._loop = rate
        self._print(
            self._ROW.format(
                result.engine,
                result.cores or "GPU",
                f"{rate:,.0f}",
                f"{result.gflops:,.2f}",
                f"{100 * result.fraction_of_peak:.2f} %",
                f"{rate / self._loop:,.0f}" if self._loop else "",
                f"{result.compile_s:.2f} s",
            )
        )

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
