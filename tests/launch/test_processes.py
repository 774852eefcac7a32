"""Processes of this machine: what is lost starts again, and what ends this one ends them."""

import dataclasses
import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest
from launching import Processes, run

from trainability.errors import StudyError
from trainability.events import Failed, Finished, Retried, Started
from trainability.launch.worker_processes import WorkerProcesses
from trainability.results import table_of
from trainability.schemes import UnitSphere
from trainability.storage import Storage
from trainability.trial import Runtime, run_trial


@pytest.fixture(scope="module")
def nursery():
    """One for most tests; its start takes seconds."""
    processes = WorkerProcesses(threads=1)
    yield processes
    processes.close()


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch, nursery):
    monkeypatch.setattr(Processes, "_processes", nursery)
    yield
    assert psutil.Process().children(recursive=True) == [psutil.Process(nursery.process)]


@pytest.fixture
def study(tiny_study):
    """Two cells of one block."""
    return dataclasses.replace(
        tiny_study, axes={"width": [2, 4]}, scheme=UnitSphere(), replicates=256
    )


def is_whole(study, storage):
    rows = Storage(storage).read_rows("tiny", [cell.id for cell in study.cells()])
    expected = [run_trial("tiny", cell, [0], Runtime())[0] for cell in study.cells()]
    return [table_of(part) for _, part in rows.groupby("cell", sort=False)] == [
        table_of(part) for part in expected
    ]


@dataclasses.dataclass(frozen=True)
class Deadly(UnitSphere):
    """Ends its process in an evil way at width 2, for as long as there are fewer files of it."""

    folder: str = ""
    times: int = 1

    def draw(self, layer, rng):
        print("a line of the user's")
        files = len(list(Path(self.folder).iterdir()))
        if layer.fan_out == 2 and files < self.times:
            Path(self.folder, str(files)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().draw(layer, rng)


def deadly(study, tmp_path, times):
    folder = tmp_path / "deaths"
    folder.mkdir()
    return dataclasses.replace(study, scheme=Deadly(folder=str(folder), times=times))


def test_what_a_killed_worker_was_at_starts_again(study, tmp_path):
    seen = []
    study = deadly(study, tmp_path, times=2)
    outcome, mirror, text = run(study, tmp_path / "results", Processes, seen.append)
    assert not outcome.missing and len(mirror.done) == 2 and not mirror.failed
    assert is_whole(study, tmp_path / "results")
    why = [event.why for event in seen if isinstance(event, Retried)]
    assert why == ["the loss of its worker, killed by SIGKILL, as the system does where memory "
                   "runs out"] * 2  # fmt: skip
    assert "starting again what was lost after the loss of its worker, killed" in text


def test_a_trial_whose_worker_always_dies_is_given_up_and_the_others_are_not(study, tmp_path):
    seen = []
    study = deadly(study, tmp_path, times=10**6)
    outcome, mirror, _ = run(study, tmp_path / "results", Processes, seen.append, max_failures=1)
    broken, fine = study.cells()
    assert outcome.missing == {broken.id: [0]} and mirror.done == [fine.id]
    assert "killed by SIGKILL" in outcome.failures[broken.id]
    # Each of two tries of the launch starts the trial again once.
    assert sum(isinstance(event, Retried) for event in seen) == 2
    assert [event.is_final for event in seen if isinstance(event, Failed)] == [False, False, True]


def test_a_nursery_that_is_killed_is_replaced(study, tmp_path, capfd, monkeypatch, nursery):
    monkeypatch.setattr(Processes, "_processes", None)
    study, seen = deadly(study, tmp_path, times=0), []

    def kill_once(event):
        seen.append(event)
        if isinstance(event, Started) and not any(isinstance(e, Retried) for e in seen):
            [own] = {*psutil.Process().children()} - {psutil.Process(nursery.process)}
            own.kill()

    outcome, _, _ = run(study, tmp_path / "results", Processes, kill_once)
    assert not outcome.missing
    printed = capfd.readouterr()  # what a user's code says is no part of an answer on stdout
    assert "a line of the user's" in printed.err and not printed.out
    assert is_whole(study, tmp_path / "results")
    why = [event.why for event in seen if isinstance(event, Retried)]
    assert why and all("the process that starts workers, killed by SIGKILL" in w for w in why)


def test_signals_to_all_processes_of_a_terminal_leave_the_end_to_the_driver(
    study, tmp_path, nursery
):
    seen = []

    def signals(event):
        seen.append(event)
        if isinstance(event, Started):
            root = psutil.Process(nursery.process)
            for process in [root, *root.children()]:
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    process.send_signal(number)

    outcome, _, _ = run(study, tmp_path, Processes, signals)
    assert not outcome.missing and any(isinstance(event, Finished) for event in seen)
    assert not [event for event in seen if isinstance(event, Failed | Retried)]


@dataclasses.dataclass(frozen=True)
class Hanging(UnitSphere):
    def draw(self, layer, rng):
        time.sleep(1000)


def test_who_hangs_does_not_keep_an_interrupt_waiting(study, tmp_path):
    def interrupt(event):
        if isinstance(event, Started):
            raise KeyboardInterrupt

    outcome, _, _ = run(
        dataclasses.replace(study, scheme=Hanging()), tmp_path, Processes, interrupt
    )
    assert outcome.interrupted and len(outcome.missing) == 2


@dataclasses.dataclass(frozen=True)
class Locked(UnitSphere):
    """Holds what can't be pickled."""

    def draw(self, layer, rng):
        return LOCK


LOCK = threading.Lock()


def test_a_study_that_cannot_be_sent_is_refused(study, tmp_path):
    with pytest.raises(StudyError, match="can't be sent to workers: .*lock.*must be picklable"):
        run(dataclasses.replace(study, scheme=Locked()), tmp_path, Processes)


class NotThere(Exception):
    pass


def raise_not_there():
    raise NotThere("no such module on the worker")


@dataclasses.dataclass(frozen=True)
class Lacking(UnitSphere):
    def __reduce__(self):
        return (raise_not_there, ())


def test_a_study_that_a_worker_cannot_load_fails_with_the_reason(study, tmp_path):
    outcome, _, _ = run(
        dataclasses.replace(study, scheme=Lacking()), tmp_path, Processes, max_failures=0
    )
    assert len(outcome.missing) == 2
    for why in outcome.failures.values():
        assert why == "a worker can't load the study: NotThere: no such module on the worker"


def test_the_nursery_forks_while_it_has_no_threads(study, tmp_path, nursery):
    """Locks that another thread holds while a process is forked stay locked in the new one."""
    run(study, tmp_path, Processes)
    assert psutil.Process(nursery.process).num_threads() == 1
