"""Events on a console: a bar on a terminal, plain lines elsewhere, and what a user should read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from trainability.events import Event, Failed, Noted, Progressed, Retried, Waiting, Working
from trainability.running.terminal import styled

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

_LINE_EVERY_S = 2.0
_FIRST_SHARE = 0.1
"""Of the networks that are to be trained, how many are awaited before the time left is told: the
first cells may be the slowest, and the start is in their time."""


class Display:
    """Shows what happens; a context, within which its bar lives.

    Args:
        console: Where; its `is_terminal` chooses bar or lines.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = time.monotonic()
        self._printed = 0.0
        self._stored_at = 0.0
        self._last: Progressed | None = None
        self._on_line: Progressed | None = None
        self._noted: set[str] = set()
        self._bar: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *_: object) -> None:
        self._end_bar()

    def on_event(self, event: Event) -> None:
        """Show an event."""
        match event:
            case Progressed():
                self._progress(event)
            case Working(what=what):
                self._end_bar()
                seconds = time.monotonic() - self._begun
                self._print(f"{seconds:5.1f} s  {what}", style="dim")
            case Failed(is_final=False):
                self._note("failed: ", f"{event.cell}: {event.why}")
            case Waiting(why=why):
                self._note("waiting: ", why)
            case Retried(why=why):
                self._note("starting again what was lost after ", why)
            case Noted(text=text, heading=heading):
                self._note(f"{heading} " if heading else "", text)

    def _progress(self, event: Progressed) -> None:
        first = self._last is None or self._last.n_networks != event.n_networks
        if first or self._last is None or self._last.networks != event.networks:
            self._stored_at = event.seconds
        self._last = event
        if self._console.is_terminal:
            bar, task = self._bar or self._new_bar()
            bar.update(
                task,
                total=event.n_networks,
                completed=event.networks,
                cells=f"{event.cells}/{event.n_cells} cells",
                rate=_rate(event).partition("  ")[0],
                left=_left(event, self._stored_at),
            )
        elif event.cells == event.n_cells:
            self._end_bar()
        elif first or time.monotonic() - self._printed >= _LINE_EVERY_S:
            self._line(event)

    def _new_bar(self) -> tuple[Progress, TaskID]:
        from rich.progress import BarColumn, Progress, TextColumn

        # On 80 columns half of the line is the bar: counts and rates are short.
        bar = Progress(
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("[bold]{task.fields[cells]}[/]"),
            TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[left]}"),
            console=self._console,
            expand=True,
        )
        self._bar = bar, bar.add_task("", cells="", rate="", left="")
        bar.start()
        return self._bar

    def _end_bar(self) -> None:
        """Leave the last state of what was shown."""
        if self._bar is not None:
            self._bar[0].stop()
            self._bar = None
        elif self._last is not None and self._last is not self._on_line:
            self._line(self._last, final=True)
        self._last = self._on_line = None

    def _line(self, event: Progressed, final: bool = False) -> None:
        self._printed, self._on_line = time.monotonic(), event
        left = "" if final else _left(event, self._stored_at)
        self._print(
            f"{event.cells}/{event.n_cells} cells  {event.networks:,}/{event.n_networks:,} "
            f"networks  {_rate(event)}" + (f"  {left}" if left else "")
        )

    def _note(self, heading: str, text: str) -> None:
        """Print something that is not about progress, once."""
        if heading + text not in self._noted:
            self._noted.add(heading + text)
            self._print(styled(heading or text, "yellow", text if heading else ""))

    def _print(self, text: object, style: str | None = None) -> None:
        console = self._bar[0].console if self._bar is not None else self._console
        console.print(text, style=style, soft_wrap=True, highlight=False, markup=False)


def _rate(event: Progressed) -> str:
    seconds = max(event.seconds, 1e-9)
    networks = (event.networks - event.networks_before) / seconds
    steps = f"{_steps(event.network_steps / seconds)} steps/s"
    # The first networks may take minutes: until then it is not known.
    return f"{networks:,.0f} networks/s  {steps}" if networks else steps


def _steps(rate: float) -> str:
    """Updates per second, with three digits or so.

    >>> _steps(0.0), _steps(431.0), _steps(98_765.0), _steps(2.5e6)
    ('0', '431', '98.8 k', '2.50 M')
    """
    if rate < 1e3:
        return f"{rate:.0f}"
    return f"{rate / 1e3:.3g} k" if rate < 999_500 else f"{rate / 1e6:.2f} M"


def _left(event: Progressed, stored_at: float) -> str:
    """How long the rest takes if it goes on like this; nothing until enough networks are stored.

    Args:
        event: How far it is.
        stored_at: When the last ones were stored, in seconds since the round began: while the next
            ones train, the time left falls.
    """
    done = event.networks - event.networks_before
    if done <= _FIRST_SHARE * (event.n_networks - event.networks_before):
        return ""
    left = (event.n_networks - event.networks) * stored_at / done - (event.seconds - stored_at)
    return f"{left:.0f} s left" if left >= 1 else ""
