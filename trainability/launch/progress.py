"""Live progress on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_LINE_EVERY_S = 5.0


class ProgressDisplay:
    """Cells, networks, networks per second and time left.

    Args:
        console: Where to draw; its `is_terminal` chooses bar or lines.
        n_cells: Cells of the study.
        n_networks: Networks of the study.
        cells_done: Cells that storage held already.
        networks_done: Networks that storage held already.
    """

    def __init__(
        self,
        console: Console,
        n_cells: int,
        n_networks: int,
        cells_done: int,
        networks_done: int,
    ) -> None:
        self._console = console
        self._n_cells, self._n_networks = n_cells, n_networks
        self._cells, self._networks = cells_done, networks_done
        self._steps = 0
        self._begun = networks_done
        self._started = time.monotonic()
        self._last_line = 0.0
        self._noted: set[str] = set()
        self._progress = Progress(
            TextColumn("[bold]{task.fields[cells]}[/]"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("networks  {task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(
            "", total=n_networks, completed=networks_done, cells="starting", rate=""
        )

    def __enter__(self) -> ProgressDisplay:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
        self._line(final=True)

    def advance(self, *, networks: int = 0, cells: int = 0, network_steps: int = 0) -> None:
        """Add what was done since the last call."""
        self._networks += networks
        self._cells += cells
        self._steps += network_steps
        self._progress.update(
            self._task,
            completed=self._networks,
            cells=f"{self._cells}/{self._n_cells} cells",
            rate=self._rate(),
        )
        self._line()

    def note(self, text: str) -> None:
        """Print a line that is not about progress, once."""
        if text not in self._noted:
            self._noted.add(text)
            self._progress.console.print(text, style="yellow", markup=False, soft_wrap=True)

    def _rate(self) -> str:
        seconds = max(time.monotonic() - self._started, 1e-9)
        networks = (self._networks - self._begun) / seconds
        steps = f"{self._steps / seconds / 1e6:.2f} M steps/s"
        # The first networks may take minutes: until then it is not known.
        return f"{networks:,.0f} networks/s  {steps}" if networks else steps

    def _line(self, final: bool = False) -> None:
        now = time.monotonic()
        if self._console.is_terminal or (not final and now - self._last_line < _LINE_EVERY_S):
            return
        self._last_line = now
        done = self._networks - self._begun
        left = (self._n_networks - self._networks) * (now - self._started) / done if done else None
        self._console.print(
            f"{self._cells}/{self._n_cells} cells  {self._networks:,}/{self._n_networks:,} "
            f"networks  {self._rate()}" + (f"  {left:.0f} s left" if left and not final else ""),
            highlight=False,
            soft_wrap=True,
        )
