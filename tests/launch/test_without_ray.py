"""Trials without Ray, in threads or processes: as whole, resumable and loud as on Ray."""

import dataclasses
import json
import os
import signal
import sys
import threading
import time

import psutil
import pytest
import torch
from commands import (
    IN_PROCESSES,
    mlflow_statuses,
    n_block_files,
    start,
    stored,
    undisturbed,
    write_study,
)
from launching import InProcess, Processes, run

from trainability.errors import InputError, StorageError
from trainability.events import Failed, Finished, Progressed, Started
from trainability.launch import Options, choose_executor, listener, operations
from trainability.launch.choice import SMALL_OPERATIONS, TINY_OPERATIONS
from trainability.launch.worker_processes import WorkerProcesses
from trainability.results import table_of
from trainability.schemes import UnitSphere
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.trial import Runtime, run_trial


@pytest.fixture(autouse=True)
def nothing_stays():
    """Neither threads, nor workers, nor changed settings of the process."""
    before = torch.get_num_threads(), sys.getswitchinterval()
    others = psutil.Process().children()  # such as a Ray of tests that ran before
    yield
    for nursery in set(psutil.Process().children()) - set(others):
        assert not nursery.children()
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("trials-")]
    assert (torch.get_num_threads(), sys.getswitchinterval()) == before


@pytest.fixture(scope="module")
def nursery():
    """One for all tests, whose start takes seconds; `connection` starts none where there is one."""
    processes = WorkerProcesses(threads=1)
    yield processes
    processes.close()


@pytest.fixture(params=[InProcess, Processes], ids=["threads", "processes"])
def executor(request, monkeypatch):
    if request.param is Processes:
        monkeypatch.setattr(Processes, "_processes", request.getfixturevalue("nursery"))
    return request.param


def test_rows_are_those_of_trials_one_by_one_and_what_is_stored_is_not_run_again(
    tiny_study, tmp_path, executor
):
    seen = []
    once = dataclasses.replace(tiny_study, replicates=256)
    run(once, tmp_path, executor)
    outcome, mirror, text = run(tiny_study, tmp_path, executor, seen.append)
    assert not outcome.missing and outcome.networks == 4 * BLOCK_SIZE
    cells = tiny_study.cells()
    rows = Storage(tmp_path).read_rows("tiny", [cell.id for cell in cells])
    expected = [run_trial("tiny", cell, [0, 1], Runtime())[0] for cell in cells]
    assert [table_of(part) for _, part in rows.groupby("cell", sort=False)] == [
        table_of(part) for part in expected
    ]
    assert sorted(mirror.done) == sorted(cell.id for cell in cells)
    assert "4/4 cells  2,048/2,048 networks" in text
    assert [event.node for event in seen if isinstance(event, Started)] == [os.uname().nodename] * 4
    last = [event for event in seen if isinstance(event, Progressed)][-1]
    assert (last.networks_before, last.networks, last.n_networks) == (1024, 2048, 2048)
    assert last.network_steps > 0
    again, mirror, _ = run(tiny_study, tmp_path, executor)
    assert again.networks == 0 and len(mirror.done) == 4 and not mirror.started
    assert not list(tmp_path.glob("tiny/.launch-*"))


@dataclasses.dataclass(frozen=True)
class Broken(UnitSphere):
    """A scheme with a bug."""

    def draw(self, layer, rng):
        raise ZeroDivisionError("a bug in the user's scheme")


def test_a_cell_that_raises_is_tried_again_named_and_does_not_stop_the_others(
    tiny_study, tmp_path, executor
):
    study = dataclasses.replace(
        tiny_study, axes={"scheme": [Broken(), UnitSphere()], "width": [2]}, replicates=256
    )
    broken, fine = study.cells()
    seen = []
    outcome, mirror, text = run(study, tmp_path, executor, seen.append, max_failures=2)
    assert outcome.missing == {broken.id: [0]} and mirror.done == [fine.id]
    assert outcome.failures == {broken.id: "ZeroDivisionError: a bug in the user's scheme"}
    failures = [event for event in seen if isinstance(event, Failed)]
    assert [event.is_final for event in failures] == [False] * 3 + [True]
    for event in failures:
        assert (event.cell, event.error_type) == (broken, "ZeroDivisionError")
        assert event.text == "a bug in the user's scheme" and event.node == os.uname().nodename
        assert "in draw" in event.traceback
    why = mirror.failed[broken.id]
    kept = json.loads(Storage(tmp_path).read_bytes("tiny/failures.json"))
    assert kept == {broken.id: {"why": outcome.failures[broken.id], "traceback": why}}
    assert text.count(f"failed: {broken}: ZeroDivisionError") == 1


class Full(Storage):
    """Has no room for rows."""

    def __reduce__(self):
        return (Full, (self.address,))

    def write_rows(self, study, rows, provenance):
        raise StorageError("no room")


def test_a_storage_that_stays_full_ends_the_launch(tiny_study, tmp_path, executor):
    outcome, mirror, _ = run(tiny_study, Full(tmp_path), executor, storage_patience_s=0.0)
    assert len(outcome.missing) == 4 and not mirror.done
    assert set(outcome.failures.values()) == {"StorageError: no room"}


def test_who_waits_for_a_full_storage_can_be_interrupted(tiny_study, tmp_path, executor):
    def interrupt(event):
        if type(event).__name__ == "Waiting":
            raise KeyboardInterrupt

    outcome, _, _ = run(tiny_study, Full(tmp_path), executor, interrupt)
    assert outcome.interrupted and len(outcome.missing) == 4 and not outcome.failures


class Enough(Exception):
    pass


def test_what_a_subscriber_raises_ends_the_launch_in_order(tiny_study, tmp_path, executor):
    heard = []

    def stop(event):
        heard.append(event)
        if isinstance(event, Finished):
            raise Enough("one cell will do")

    with pytest.raises(Enough, match="one cell will do") as caught:
        run(dataclasses.replace(tiny_study, max_steps=100_000), tmp_path, executor, stop)
    assert caught.traceback[-1].name == "stop"
    assert sum(isinstance(event, Finished) for event in heard) == 1
    assert isinstance(heard[-1], Finished), "it hears no more"
    assert not list(tmp_path.glob("tiny/.launch-*"))
    outcome, _, _ = run(dataclasses.replace(tiny_study, max_steps=100), tmp_path, executor)
    assert not outcome.missing


@dataclasses.dataclass(frozen=True)
class Sleeper(UnitSphere):
    """Takes its time where nothing reports."""

    def draw(self, layer, rng):
        time.sleep(0.5)
        return super().draw(layer, rng)


def test_progress_moves_while_nothing_reports(tiny_study, tmp_path, executor, monkeypatch):
    monkeypatch.setattr(listener, "_TICK_S", 0.05)
    study = dataclasses.replace(tiny_study, axes={"width": [2]}, scheme=Sleeper(), replicates=256)
    seen = []
    run(study, tmp_path, executor, seen.append)
    kinds = [type(event) for event in seen]
    between = kinds[kinds.index(Started) : kinds.index(Finished)]
    assert between.count(Progressed) >= 2
    seconds = [event.seconds for event in seen if isinstance(event, Progressed)]
    assert seconds == sorted(set(seconds))


def test_more_threads_than_the_machine_has_are_refused(tiny_study, tmp_path, executor):
    with pytest.raises(InputError, match=r"asks for 9999 CPU, but this machine has \d+; choose"):
        run(tiny_study, tmp_path, executor, cpus_per_trial=9999)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "work", "environment", "chosen"),
    [
        ({}, TINY_OPERATIONS, {}, "InProcess"),
        ({}, 1.01 * TINY_OPERATIONS, {}, "Processes"),
        ({}, SMALL_OPERATIONS, {}, "Processes"),
        ({}, 1.01 * SMALL_OPERATIONS, {}, "RayTune"),
        ({"ray": False}, 0, {}, "InProcess"),
        ({"ray": False}, 1e30, {}, "Processes"),
        ({"ray": True}, 0, {}, "RayTune"),
        ({"address": "local"}, 0, {"RAY_ADDRESS": "1.2.3.4:5"}, "InProcess"),
        ({"address": "local"}, 1e30, {}, "RayTune"),
        ({"address": "auto"}, 0, {}, "RayTune"),
        ({"address": "1.2.3.4:5"}, 0, {}, "RayTune"),
        ({}, 0, {"RAY_ADDRESS": "1.2.3.4:5"}, "RayTune"),
        ({"gpus_per_trial": 0.5}, 0, {}, "RayTune"),
        ({"labels": {"zone": "a"}}, 0, {}, "RayTune"),
    ],
)
def test_ray_runs_what_takes_minutes_or_asks_for_it(
    options, work, environment, chosen, monkeypatch
):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr("trainability.launch.choice._is_ray_in_use", lambda: False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert type(choose_executor(Options(**options), work)).__name__ == chosen


def test_the_headline_study_is_small(request):
    from trainability.study import load_study

    study = load_study(str(request.config.rootpath / "studies" / "absolute_value.py"))
    cells = {cell.id: cell for cell in study.cells()}
    work = operations(cells, dict.fromkeys(cells, study.n_blocks))
    assert 2 * TINY_OPERATIONS < work < SMALL_OPERATIONS / 2


@pytest.mark.parametrize("program", ["", IN_PROCESSES], ids=["threads", "processes"])
def test_whatever_ends_the_driver_nothing_stays_and_the_same_command_goes_on(program, tmp_path):
    """Ctrl-C, SIGTERM, SIGHUP, a second Ctrl-C for a scheme that hangs, and SIGKILL."""
    study, storage = write_study(tmp_path, n_cells=4, n_blocks=4), tmp_path / "results"
    number = {"INT": 130, "TERM": 143, "HUP": 129, "INT INT": 130, "KILL": -9}
    for names, code in number.items():
        hangs = names == "INT INT"
        driver = start(study, storage, "--no-ray", PACE_S="1000" if hangs else "0.25",
                       MARKS=str(tmp_path), program=program)  # fmt: skip
        before, marks = n_block_files(storage), len(list(tmp_path.glob("1*")))
        end = time.monotonic() + 120
        while driver.poll() is None and time.monotonic() < end:
            begun = len(list(tmp_path.glob("1*"))) > marks
            if n_block_files(storage) > before or (hangs and begun):
                break
            time.sleep(0.05)
        children = psutil.Process(driver.pid).children(recursive=True)
        assert len(children) >= (2 if program else 0)
        for name in names.split():
            driver.send_signal(getattr(signal, f"SIG{name}"))
            time.sleep(0.8 if hangs else 0)
        text, _ = driver.communicate(timeout=60)
        assert driver.returncode == code, (names, text)
        assert "Traceback" not in text
        assert psutil.wait_procs(children, timeout=10)[1] == []
        if not hangs and names != "KILL":
            assert "(interrupted)" in text and "the same command runs what is missing" in text
            if "is incomplete" not in text:  # or MLflow took longer than an end may
                statuses = mlflow_statuses(f"sqlite:///{storage}/mlflow.db")
                assert statuses.pop("study") == "KILLED" and "RUNNING" not in statuses.values()
    driver = start(study, storage, "--no-ray", program=program)
    text, _ = driver.communicate(timeout=200)
    assert driver.returncode == 0, text
    assert stored(storage) == undisturbed(study)
    assert set(mlflow_statuses(f"sqlite:///{storage}/mlflow.db").values()) == {"FINISHED"}
