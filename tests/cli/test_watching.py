"""`status`: who runs, what else is stored; `--watch` looks until nothing runs, or Ctrl-C."""

import dataclasses
import json
import os

import pytest
from storage.in_process import call
from synthetic_rows import store

from trainability import interrupts, load
from trainability.errors import InputError
from trainability.launch.owner import owner
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


def test_a_study_that_runs_is_not_told_to_be_run(watched):
    mark = owner(os.getpid()) | {"at": 5.0}
    Storage("results").write_bytes("tiny/.run-1", json.dumps(mark).encode())
    done = call("status", "tiny.json")
    assert f"runs now: tiny (process {os.getpid()} on" in done.out
    assert "trainability run" not in done.out and "end:  trainability stop" in done.out
    document = json.loads(call("status", "tiny.json", "--json").out)
    assert document["running"][0].startswith(f"process {os.getpid()} on")
    Storage("results").delete("tiny/.run-1")
    assert "run:  trainability run" in call("status", "tiny.json").out


def test_of_a_run_that_can_not_be_seen_no_more_is_said_than_is_known(watched):
    """On another machine, or on this one before it was started anew."""
    for machine in (["far", "b00t"], [owner(os.getpid())["machine"][0], "an older start"]):
        mark = {"machine": machine, "pid": 7, "begun": "1", "at": 5.0}
        Storage("results").write_bytes("tiny/.run-1", json.dumps(mark).encode())
        done = call("status", "tiny.json")
        assert "runs now" not in done.out
        assert (
            f"may run, if that machine is still there: tiny (process 7 on {machine[0]}" in done.out
        )
        assert "end:  trainability stop" in done.out and "run:  trainability run" in done.out


def test_what_is_stored_under_other_values_is_told(watched, tiny_study):
    first, second = watched[:2]
    store(Storage("results"), "tiny", first, [0])
    assert "other values" not in call("status", "tiny.json").out
    other = dataclasses.replace(second, max_steps=second.max_steps + 1)
    store(Storage("results"), "tiny", other, [0, 1])
    done = call("status", "tiny.json")
    assert "Beside these, 512 networks of other values are stored" in " ".join(done.out.split())
    document = json.loads(call("status", "tiny.json", "--json").out)
    assert document["networks_of_other_values"] == 512


def test_a_storage_that_is_not_there_is_not_an_empty_one(watched, tmp_path):
    (tmp_path / "afile").write_text("")
    done = call("list", "--storage", "nowhere")
    assert done.code == 0 and "there is no such folder" in done.text
    done = call("list", "--storage", "afile")
    assert done.code != 0 and "afile is a file; wanted a folder" in " ".join(done.text.split())
    (tmp_path / "empty").mkdir()
    assert "no such folder" not in call("list", "--storage", "empty").text
    with pytest.raises(InputError, match="no results of tiny: there is no folder"):
        load("tiny.json", "nowhere")


def test_a_folder_is_no_study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    assert "mine is a folder; wanted a study file: a .py" in " ".join(
        call("run", "mine").text.split()
    )
    (tmp_path / "mine" / "a.py").write_text("")
    done = call("run", "mine")
    assert done.code == 2 and "such as one of it: mine/a.py" in " ".join(done.text.split())
