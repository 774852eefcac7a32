"""A driver that is interrupted loses nothing; the same command goes on.

Twenty drivers, workers and nodes that are killed are those of `test_chaos`.
"""

import os
import signal
import time

import psutil
import pytest
from commands import (
    mlflow_statuses,
    n_block_files,
    start,
    stored,
    undisturbed,
    wait_for_blocks,
    write_study,
)


def processes_of(driver) -> list[psutil.Process]:
    return psutil.Process(driver.pid).children(recursive=True)


def wait_until_gone(processes, seconds=30.0):
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return [" ".join(process.cmdline())[:80] for process in alive]


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path, n_cells=4, n_blocks=4)


def test_whatever_ends_the_driver_the_same_command_goes_on(study, tmp_path):
    """Ctrl-C in a terminal, SIGTERM of a batch system; then a run to the end."""
    storage, uri = tmp_path / "results", f"sqlite:///{tmp_path}/results/mlflow.db"
    n_stored = 0
    for what in ("Ctrl-C", "SIGTERM"):
        driver = start(study, storage, "--max-concurrent", "2", PACE_S="0.25")
        wait_for_blocks(storage, n_stored + 1, driver)
        children = processes_of(driver)
        if what == "Ctrl-C":
            os.killpg(driver.pid, signal.SIGINT)
        else:
            driver.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        text, _ = driver.communicate(timeout=60)
        n_stored = n_block_files(storage)
        assert n_stored > 0
        assert wait_until_gone(children) == [], what
        # A batch system gives it some 30 seconds.
        code = 130 if what == "Ctrl-C" else 143
        assert driver.returncode == code and time.monotonic() - begun < 25, text
        assert "(interrupted)" in text and "the same command runs what is missing" in text
        assert "Traceback" not in text
        statuses = mlflow_statuses(uri)
        assert statuses.pop("study") == "KILLED" and "RUNNING" not in statuses.values()
    driver = start(study, storage)
    text, _ = driver.communicate(timeout=200)
    assert driver.returncode == 0, text
    assert stored(storage) == undisturbed(study)
    assert set(mlflow_statuses(uri).values()) == {"FINISHED"}
    assert len(mlflow_statuses(uri)) == 5


def test_a_study_lives_on_s3(s3, tmp_path):
    storage = s3("study")
    study = write_study(tmp_path, n_cells=2, n_blocks=1)
    driver = start(study, storage)
    text, _ = driver.communicate(timeout=200)
    assert driver.returncode == 0, text
    assert stored(storage) == undisturbed(study)


def test_an_embedded_ray_is_for_its_driver_alone(study, tmp_path):
    """Loopback only, behind a token; and gone soon after a driver that is killed."""
    driver = start(
        study,
        tmp_path / "results",
        PACE_S="1",
        RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="1",
        RAY_AUTH_MODE="token",
    )
    try:
        wait_for_blocks(tmp_path / "results", 1, driver)
        children = processes_of(driver)
        listening = {
            connection.laddr.ip
            for process in [psutil.Process(driver.pid), *children]
            for connection in process.net_connections(kind="inet")
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening and all(ip.removeprefix("::ffff:") == "127.0.0.1" for ip in listening)
        raylet = next(process for process in children if process.name() == "raylet")
        assert len(raylet.environ()["RAY_AUTH_TOKEN"]) == 64
    finally:
        driver.kill()
        driver.communicate(timeout=60)
    # Ray's own agents would take half a minute to notice.
    assert wait_until_gone(children, seconds=15) == []
