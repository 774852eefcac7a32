"""The page of a study that runs: there before the end, anew for new rows, and nobody's delay."""

import threading
import time

import pytest
from synthetic_rows import store

from trainability import interrupts, run
from trainability.errors import InputError
from trainability.events import Events, Noted, Progressed
from trainability.running import live
from trainability.storage import Storage

pytestmark = pytest.mark.usefixtures("unrendered")


@pytest.fixture(autouse=True)
def without_delay(monkeypatch):
    monkeypatch.setattr(live, "FIRST_S", 0.01)
    monkeypatch.setattr(live, "EVERY_S", 0.01)
    monkeypatch.setattr(live, "PAUSE", 0.0)


def until(condition):
    """Wait for something that another thread does; a minute is for ever."""
    end = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return value


def writers():
    return [thread for thread in threading.enumerate() if thread.name == "live page"]


def test_the_page_is_written_anew_for_new_rows_until_the_run_ends(tmp_path, tiny_study):
    storage, cells, events = Storage(tmp_path), tiny_study.cells(), []
    page = tmp_path / tiny_study.name / "report" / "index.html"

    def text():
        try:
            return page.read_text()
        except FileNotFoundError:  # or just now replaced
            return ""

    with live.live_page(tiny_study, storage, Events(events.append)):
        store(storage, tiny_study.name, cells[0], [0, 1])
        first = until(text)
        assert 'http-equiv="refresh"' in first and "512" in first
        store(storage, tiny_study.name, cells[1], [0, 1])
        until(lambda: "1,024" in text())
        assert len(writers()) == 1
    assert not writers()
    [told] = events
    assert isinstance(told, Noted) and told.heading == "so far:" and told.text == str(page)


def test_a_run_has_its_page_before_it_ends(tmp_path, tiny_study):
    page = tmp_path / tiny_study.name / "report" / "index.html"
    seen = []

    def hear(event):
        if isinstance(event, Progressed) and event.cells and not seen:
            until(page.is_file)
            seen.append(page.read_text())

    run(tiny_study, tmp_path, ray=False, progress=False, on_event=hear)
    assert 'http-equiv="refresh"' in seen[0] and not writers()
    assert 'http-equiv="refresh"' not in page.read_text()


def test_what_goes_wrong_with_the_page_stops_no_run(tmp_path, tiny_study, monkeypatch):
    def fails(*_):
        raise InputError("no page")

    for owner in ("trainability.report", "trainability.report.watch"):
        monkeypatch.setattr(f"{owner}.write_report", fails)
    store(Storage(tmp_path), tiny_study.name, tiny_study.cells()[0], [0])
    with live.live_page(tiny_study, Storage(tmp_path), Events()):
        until(lambda: not writers())


def test_who_ends_a_run_waits_for_no_page(tmp_path, tiny_study, monkeypatch):
    may_end, is_at_it = threading.Event(), threading.Event()

    def hangs(*_):
        is_at_it.set()
        may_end.wait(60)

    monkeypatch.setattr("trainability.report.watch.write_report", hangs)
    store(Storage(tmp_path), tiny_study.name, tiny_study.cells()[0], [0])
    try:
        with live.live_page(tiny_study, Storage(tmp_path), Events()):
            assert is_at_it.wait(60)
            # The end is asked for when the run is over and the page is waited for.
            threading.Timer(0.3, interrupts.request).start()
        assert interrupts.requested() and writers()
    finally:
        interrupts.forget()
        may_end.set()
    until(lambda: not writers())
