"""A store of MLflow's is there whole or not at all, whenever its maker is killed."""

import os
import signal
import subprocess
import sys
import time

from mlflow import MlflowClient

from trainability.tracking.new_store import make_store

MAKE = """
import logging, sys
from trainability.tracking.new_store import make_store
print("ready", flush=True)
make_store(sys.argv[1])
"""


def test_a_maker_that_is_killed_leaves_no_store_that_can_not_be_opened(tmp_path):
    """Killed when its tables are half made: the file has something in it, but no version yet."""
    uri = f"sqlite:///{tmp_path}/a/mlflow.db"
    maker = subprocess.Popen(
        [sys.executable, "-c", MAKE, uri], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + 120
    while time.monotonic() < end and not any(
        path.stat().st_size for path in (tmp_path / "a").glob("*mlflow.db*")
    ):
        time.sleep(0.001)
    maker.send_signal(signal.SIGKILL)
    maker.communicate()
    assert maker.returncode == -signal.SIGKILL
    assert not (tmp_path / "a" / "mlflow.db").exists()
    [left] = list((tmp_path / "a").glob(".mlflow.db-*[0-9a-f]"))
    make_store(uri)
    client = MlflowClient(uri)
    client.create_experiment("usable")
    assert left.exists(), "of a maker that may live"
    (tmp_path / "a" / "mlflow.db").rename(tmp_path / "before.db")
    for path in (tmp_path / "a").glob(".mlflow.db-*"):
        os.utime(path, (0, 0))
    make_store(uri)
    assert [path.name for path in (tmp_path / "a").glob("*mlflow.db*")] == ["mlflow.db"]


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
