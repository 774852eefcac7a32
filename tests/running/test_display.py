"""What a terminal and a file get to see of events."""

import io
import re

import pytest
from rich.console import Console

from trainability.events import Failed, Noted, Progressed, Retried, Waiting, Working
from trainability.running import display
from trainability.running.display import Display
from trainability.running.terminal import Terminal


def progressed(networks, seconds, steps=0):
    return Progressed(
        cells=networks // 1000, n_cells=2, networks=networks, n_networks=2000,
        networks_before=0, network_steps=steps, seconds=seconds,
    )  # fmt: skip


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(display, "time", clock)
    return clock


def shown(events, clock, **settings):
    """What is shown of events, each some seconds after the last."""
    text = io.StringIO()
    with Display(Console(file=text, width=100, **settings)) as view:
        for seconds, event in events:
            clock.now += seconds
            view.on_event(event)
    return text.getvalue()


def test_a_file_gets_a_line_every_two_seconds_and_one_at_the_end(clock):
    events = [
        (0.0, Working(what="starting Ray")),
        (1.5, progressed(0, 1.5)),
        (0.5, progressed(500, 2.0, 4_000_000)),
        (1.6, progressed(500, 3.6, 9_000_000)),
        (0.1, progressed(2000, 4.0, 9_000_000)),
        (1.0, Working(what="writing the report")),
    ]
    assert shown(events, clock).splitlines() == [
        "  0.0 s  starting Ray",
        "0/2 cells  0/2,000 networks  0 steps/s",
        "0/2 cells  500/2,000 networks  139 networks/s  2.50 M steps/s  4 s left",
        "2/2 cells  2,000/2,000 networks  500 networks/s  2.25 M steps/s",
        "  4.7 s  writing the report",
    ]


def test_the_time_left_falls_while_the_next_networks_train(clock):
    """And is told of more than the first few, which may be the slowest."""
    events = [
        (0.0, progressed(0, 0.0)),
        (9.0, progressed(200, 9.0, 9_000)),
        (2.0, progressed(1000, 11.0, 500_000)),
        (5.0, progressed(1000, 16.0, 500_000)),
        (6.0, progressed(1000, 22.0, 500_000)),
    ]
    assert shown(events, clock).splitlines() == [
        "0/2 cells  0/2,000 networks  0 steps/s",
        "0/2 cells  200/2,000 networks  22 networks/s  1 k steps/s",
        "1/2 cells  1,000/2,000 networks  91 networks/s  45.5 k steps/s  11 s left",
        "1/2 cells  1,000/2,000 networks  62 networks/s  31.2 k steps/s  6 s left",
        "1/2 cells  1,000/2,000 networks  45 networks/s  22.7 k steps/s",
    ]


def test_a_line_that_stands_there_already_is_not_written_again(clock):
    events = [(1.0, progressed(0, 1.0)), (0.5, Working(what="training")), (0.1, Noted(text="odd"))]
    assert shown(events, clock).splitlines() == [
        "0/2 cells  0/2,000 networks  0 steps/s",
        "  1.5 s  training",
        "odd",
    ]


def test_what_a_user_should_read_is_shown_once(clock, tiny_study):
    cell = tiny_study.cells()[0]
    failed = Failed(cell=cell, error_type="KeyError", text="'x'")
    events = [failed, failed, Waiting(why="no room"), Waiting(why="no room"), Noted(text="odd")]
    final = Failed(cell=cell, error_type=None, text="lost", is_final=True)
    lines = shown([(0.1, e) for e in [*events, Retried(why="a loss"), final]], clock).splitlines()
    assert lines == [
        f"failed: {cell}: KeyError: 'x'",
        "waiting: no room",
        "odd",
        "starting again what was lost after a loss",
    ]


def test_a_terminal_gets_a_bar_that_ends_full(clock):
    events = [(0.1, progressed(0, 0.1)), (1.0, progressed(2000, 1.1)), (0, Working(what="next"))]
    text = shown(events, clock, force_terminal=True)
    assert "100 %" in text and "2/2 cells" in text and text.rstrip().endswith("next\x1b[0m")


@pytest.mark.parametrize("width", [80, 120])
def test_the_bar_is_a_bar(clock, width):
    """Whatever stands beside it: a third of the line at least, and half full where half is done."""
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=True, color_system=None)
    event = Progressed(
        cells=123, n_cells=400, networks=51_200, n_networks=102_400, networks_before=0,
        network_steps=9_000_000, seconds=10.0,
    )  # fmt: skip
    with Display(console) as view:
        view.on_event(event)
    line = next(line for line in re.split(r"[\r\n]", text.getvalue()) if "123/400 cells" in line)
    line = line.removeprefix("\x1b[2K")
    bar = line[: line.index("50 %")]
    assert "5,120 networks/s 10 s left" in line and len(line.rstrip()) <= width
    assert len(bar) >= width / 3 and abs(bar.count("━") - len(bar) / 2) <= 2


def test_no_secret_of_an_address_is_shown(capsys):
    from trainability import addresses

    addresses.remember("s3://KEY:VERYSECRET@bucket/a")
    with Display(Terminal(stderr=True)) as view:
        view.on_event(Waiting(why="s3://KEY:VERYSECRET@bucket/a is full"))
        view.on_event(Working(what="s3://KEY:VERYSECRET@bucket/a [b]\x1b"))
    text = capsys.readouterr().err
    assert "VERYSECRET" not in text and "\x1b" not in text and "[b]" in text
