"""`status --watch`: looks again until all is done and nothing runs, or Ctrl-C; changes nothing."""

import json

import pytest
from storage.in_process import call
from synthetic_rows import store

from trainability import interrupts
from trainability.running.terminal import Terminal
from trainability.storage import Storage


@pytest.fixture
def watched(tmp_path, monkeypatch, tiny_study):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.json").write_text(tiny_study.to_json())
    todo = list(tiny_study.cells())

    def wait(seconds):
        if not todo:
            raise KeyboardInterrupt
        store(Storage("results"), "tiny", todo.pop(0), [0, 1])

    monkeypatch.setattr(interrupts, "wait", wait)
    return todo


def test_a_study_is_watched_until_it_is_complete(watched):
    done = call("status", "tiny.json", "--watch")
    assert done.code == 0 and not watched and not done.traceback
    for n in range(5):
        assert f"{n}/4 cells  {512 * n:,}/2,048 networks" in done.text
    assert "all 4 cells" in done.out and "complete:  trainability report" in done.out


def test_watching_ends_with_one_document(watched):
    done = call("status", "tiny.json", "--watch", "--json")
    assert len(json.loads(done.out)["cells"]) == 4 and "4/4 cells" in done.text


def test_ctrl_c_ends_watching_and_shows_what_is_there(watched):
    del watched[1:]
    done = call("status", "tiny.json", "--watch")
    assert done.code == 0 and "no longer watched" in done.text and "1/4 cells" in done.out
    assert not done.traceback


def test_who_still_runs_is_watched_on(watched, monkeypatch):
    """A run may add networks beyond what the study's file asks for."""
    mark = {"machine": ["far", "b00t"], "pid": 7, "begun": "1", "at": 5.0}
    Storage("results").write_bytes("tiny/.run-1", json.dumps(mark).encode())
    done = call("status", "tiny.json", "--watch")
    assert "4/4 cells" in done.text and "no longer watched" in done.text


def test_a_table_that_goes_into_a_file_is_there_when_the_terminal_has_shown_it(
    watched, monkeypatch
):
    import trainability.cli.status as module

    terminal = Terminal(stderr=True)
    terminal._force_terminal = True
    monkeypatch.setattr(module, "err", terminal)
    done = call("status", "tiny.json", "--watch")
    assert done.code == 0 and "all 4 cells" in done.out
