"""A run says on storage that it goes on, and ends when storage asks it to: it, and no other."""

import dataclasses
import json
import os
import subprocess
import sys
import time

import pytest

from trainability import interrupts
from trainability.events import Events, Noted
from trainability.launch.owner import owner
from trainability.running import stopping
from trainability.running.stopping import request_end, running, stoppable, withdraw
from trainability.storage import Storage

KILLED = """
import os, sys
from trainability.events import Events
from trainability.running.stopping import stoppable
from trainability.storage import Storage
with stoppable("study", Storage(sys.argv[1]), Events()):
    os.kill(os.getpid(), 9)
"""


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(stopping, "LOOK_EVERY_S", 0.05)


def files(folder):
    return sorted(path.name for path in folder.glob("study/.*"))


def asked(seconds=20.0):
    """Whether the end is asked for within some seconds."""
    end = time.monotonic() + seconds
    while not interrupts.requested() and time.monotonic() < end:
        time.sleep(0.02)
    return interrupts.requested()


def test_a_run_that_is_asked_ends_and_leaves_nothing(tmp_path):
    storage, heard = Storage(tmp_path), []
    with stoppable("study", storage, Events(heard.append)):
        [run] = running("study", storage)
        assert (run.pid, run.study) == (os.getpid(), "study") and run.since <= time.time()
        request_end(run, storage)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
    assert files(tmp_path) == [] and running("study", storage) == []
    [noted] = heard
    assert isinstance(noted, Noted) and "trainability stop" in noted.text
    interrupts.check()  # the next run of this process is not asked


def test_who_is_not_asked_goes_on(tmp_path):
    storage = Storage(tmp_path)
    with stoppable("study", storage, Events()):
        [run] = running("study", storage)
        other = stopping.Running("study", "0" * 32, "elsewhere", 1, 0.0, is_seen=False)
        request_end(other, storage)
        request_end(dataclasses.replace(run, study="other"), storage)
        assert not asked(0.5)
        withdraw(other, storage)
        assert files(tmp_path) == [f".run-{run.key}"]


def test_what_a_killed_run_left_is_no_run_and_the_next_removes_it(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    [left] = files(tmp_path)
    storage = Storage(tmp_path)
    assert running("study", storage) == []
    with stoppable("study", storage, Events()):
        assert left not in files(tmp_path) and len(files(tmp_path)) == 1


def test_a_run_elsewhere_counts_and_what_is_damaged_does_not(tmp_path):
    storage = Storage(tmp_path)
    far = {"machine": ["far", "b00t"], "pid": 7, "begun": "1", "at": 5.0}
    storage.write_bytes("study/.run-1", json.dumps(far).encode())
    reused = owner(1) | {"begun": "-1", "at": 6.0}  # another process has its number now
    storage.write_bytes("study/.run-2", json.dumps(reused).encode())
    unborn = '{"machine": ["far", "b00t"], "pid": 1, "at": 1}'
    nowhere = '{"machine": [], "pid": 1, "begun": "1", "at": 1}'
    for number, text in enumerate(("", "{", "[1]", "{}", nowhere, unborn)):
        storage.write_bytes(f"study/.run-damaged{number}", text.encode())
    assert [(run.host, run.pid) for run in running("study", storage)] == [("far", 7)]
    with stoppable("study", storage, Events()):
        assert ".run-1" in files(tmp_path) and ".run-2" not in files(tmp_path)


def test_the_end_that_a_storage_asks_for_is_that_of_a_signal(tmp_path):
    """Where signals are handled, as by the command line: in order, and with its exit code."""
    code = """
import sys
from trainability import interrupts
with interrupts.handled(), interrupts.orderly():
    interrupts.request()
    try:
        interrupts.wait(20)
    except KeyboardInterrupt:
        interrupts.forget()
        print("in order")
    sys.exit(interrupts.exit_code())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (143, "in order\n"), done.stderr
