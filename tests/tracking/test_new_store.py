"""A store of MLflow's is there whole or not at all, whenever its maker is killed."""

import os
import signal
import subprocess
import sys
import time

import pytest
from mlflow import MlflowClient

from trainability.tracking import new_store
from trainability.tracking.new_store import make_store

MAKE = """
import logging, sys
from trainability.tracking.new_store import make_store
print("ready", flush=True)
make_store(sys.argv[1])
"""


def test_a_maker_that_is_killed_leaves_no_store_that_can_not_be_opened(tmp_path, monkeypatch):
    """Killed when its tables are half made: the file has something in it, but no version yet."""
    monkeypatch.setenv("TRAINABILITY_CACHE", str(tmp_path / "cache"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    uri = f"sqlite:///{tmp_path}/a/mlflow.db"
    maker = subprocess.Popen(
        [sys.executable, "-c", MAKE, uri],
        env=os.environ | {"TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 120
    while time.monotonic() < end and not any(
        path.stat().st_size for path in scratch.glob("*/mlflow.db*")
    ):
        time.sleep(0.001)
    maker.send_signal(signal.SIGKILL)
    maker.communicate()
    assert maker.returncode == -signal.SIGKILL
    assert list((tmp_path / "a").iterdir()) == [] and not (tmp_path / "cache").exists()
    make_store(uri)
    client = MlflowClient(uri)
    client.create_experiment("usable")


def test_what_a_maker_that_was_killed_has_left_is_removed_after_a_while(tmp_path):
    uri, left = f"sqlite:///{tmp_path}/mlflow.db", tmp_path / ".mlflow.db-0123"
    left.write_bytes(b"half")
    make_store(uri)
    assert left.exists(), "of a maker that may live"
    (tmp_path / "mlflow.db").unlink()
    os.utime(left, (0, 0))
    make_store(uri)
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


def test_all_tables_are_made_once_and_every_store_is_one_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("TRAINABILITY_CACHE", str(tmp_path / "cache"))
    uris = [f"sqlite:///{tmp_path}/{name}.db" for name in ("one", "two")]
    make_store(uris[0])
    MlflowClient(uris[0]).create_experiment("mine")
    monkeypatch.setattr(new_store, "_empty_store", lambda: pytest.fail("made again"))
    make_store(uris[1])
    assert MlflowClient(uris[1]).search_experiments() == []
    MlflowClient(uris[1]).create_experiment("mine")


def test_what_is_there_stays_as_it_is(tmp_path):
    path = tmp_path / "mlflow.db"
    path.write_bytes(b"somebody's")
    make_store(f"sqlite:///{path}")
    make_store("http://127.0.0.1:1")
    assert path.read_bytes() == b"somebody's"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_store_shows_no_experiment_of_mlflow_s_own(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    make_store(uri)
    for _ in range(2):  # nor does opening it make one
        assert MlflowClient(uri).search_experiments() == []


def test_nothing_in_a_new_store_tells_where_the_first_one_was_made(tmp_path, monkeypatch):
    monkeypatch.setenv("TRAINABILITY_CACHE", str(tmp_path / "cache"))
    working = tmp_path / "somebodys-own"
    working.mkdir()
    monkeypatch.chdir(working)
    make_store(f"sqlite:///{tmp_path}/mlflow.db")
    assert working.name.encode() not in (tmp_path / "mlflow.db").read_bytes()
