"""The token of a launch that was killed is removed by the next, that of a living one is not."""

import json
import subprocess
import sys

import pytest

from trainability.launch.owner import owner
from trainability.launch.token import launch_token
from trainability.storage import Storage

LEFT = """
import os, sys
from trainability.launch.token import launch_token
from trainability.storage import Storage
with launch_token("study", Storage(sys.argv[1])):
    print("written", flush=True)
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), 9)
    sys.stdin.read()
"""


def tokens(folder):
    return sorted(path.name for path in folder.glob("study/.launch-*"))


@pytest.fixture
def launch_in(tmp_path):
    started = []

    def starting(fate):
        process = subprocess.Popen(
            [sys.executable, "-c", LEFT, str(tmp_path), fate],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout.readline() == b"written\n"
        return process

    yield starting
    for process in started:
        process.communicate()


def test_the_next_launch_removes_what_a_killed_one_left_and_nothing_else(tmp_path, launch_in):
    launch_in("killed").wait()
    (abandoned,) = tokens(tmp_path)
    living = launch_in("living")
    assert abandoned not in tokens(tmp_path) and len(tokens(tmp_path)) == 1
    (kept,) = tokens(tmp_path)
    with launch_token("study", Storage(tmp_path)):
        assert kept in tokens(tmp_path) and len(tokens(tmp_path)) == 2
    assert tokens(tmp_path) == [kept] and living.poll() is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", json.dumps({"machine": ["elsewhere"], "pid": 1, "begun": "1"}).encode()],
)
def test_whose_launch_can_not_be_seen_keeps_its_token(tmp_path, content):
    """That of an older version, one that is damaged, one of another machine."""
    storage = Storage(tmp_path)
    storage.write_bytes("study/.launch-1", content)
    with launch_token("study", storage):
        pass
    assert tokens(tmp_path) == [".launch-1"]


def test_a_process_that_got_the_number_of_another_is_not_taken_for_it(tmp_path):
    storage = Storage(tmp_path)
    first = owner(1)
    storage.write_bytes("study/.launch-1", json.dumps(first).encode())
    storage.write_bytes("study/.launch-2", json.dumps({**first, "begun": "-1"}).encode())
    with launch_token("study", storage):
        pass
    assert tokens(tmp_path) == [".launch-1"]


def test_a_launch_that_wrote_nothing_leaves_no_folder(tmp_path):
    with launch_token("study", Storage(tmp_path / "results")):
        assert tokens(tmp_path / "results")
    assert list(tmp_path.iterdir()) == []
