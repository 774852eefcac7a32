"""Launching: whole, resumable, extendable, and loud about what fails."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
from launching import run
from ray.air.execution._internal.actor_manager import RayActorManager
from ray.exceptions import OutOfMemoryError

from trainability.errors import InputError, StorageError
from trainability.launch import ray_tune
from trainability.launch.forward import REPORT
from trainability.launch.reports import UnitDone
from trainability.schemes import UnitSphere
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage

pytestmark = pytest.mark.usefixtures("ray_session")


def as_text(rows):
    return rows.to_json(orient="records", double_precision=15)


@pytest.fixture(scope="module")
def finished(tiny_study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    return folder, *run(tiny_study, folder)


def test_every_block_of_every_cell_is_stored(tiny_study, finished):
    folder, outcome, mirror, text = finished
    assert not outcome.missing and not outcome.failures
    assert outcome.networks == 4 * 2 * BLOCK_SIZE
    rows = Storage(folder).read_rows("tiny")
    assert (
        rows.groupby("cell")["replicate"].apply(list).map(np.array).map(len).tolist() == [512] * 4
    )
    assert sorted(mirror.done) == sorted(cell.id for cell in tiny_study.cells())
    assert "4/4 cells  2,048/2,048 networks" in text


def test_running_again_runs_nothing(tiny_study, finished):
    folder, *_ = finished
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}
    outcome, mirror, _ = run(tiny_study, folder)
    assert outcome.networks == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")} == before
    assert len(mirror.done) == 4 and not mirror.started


def test_what_is_lost_or_damaged_is_run_again_and_equals_the_undisturbed(
    tiny_study, finished, tmp_path
):
    whole = as_text(Storage(finished[0]).read_rows("tiny"))
    storage = Storage(tmp_path)
    run(dataclasses.replace(tiny_study, replicates=256), tmp_path)
    files = storage.block_files("tiny")
    path = tmp_path / files[0].path.removeprefix(f"{tmp_path}/")
    path.write_bytes(path.read_bytes()[:-1])
    outcome, _, _ = run(tiny_study, tmp_path)
    assert [why.startswith(f"{files[0].path} (") for why in outcome.damaged] == [True]
    assert outcome.networks == (4 + 1) * BLOCK_SIZE
    assert as_text(storage.read_rows("tiny")) == whole


@dataclasses.dataclass(frozen=True)
class Broken(UnitSphere):
    """A scheme with a bug."""

    def draw(self, layer, rng):
        raise ZeroDivisionError("a bug in the user's scheme")


def test_a_cell_that_fails_does_not_stop_the_others_and_is_named(tiny_study, tmp_path):
    study = dataclasses.replace(
        tiny_study, axes={"scheme": [Broken(), UnitSphere()], "width": [2]}, replicates=256
    )
    broken, fine = study.cells()
    outcome, mirror, text = run(study, tmp_path, max_failures=1)
    assert outcome.missing == {broken.id: [0]}
    assert outcome.failures == {broken.id: "ZeroDivisionError: a bug in the user's scheme"}
    assert mirror.done == [fine.id]
    why = mirror.failed[broken.id]
    assert 'raise ZeroDivisionError("a bug in the user\'s scheme")' in why
    failures = json.loads(Storage(tmp_path).read_bytes("tiny/failures.json"))
    assert failures == {broken.id: {"why": outcome.failures[broken.id], "traceback": why}}
    assert f"failed: {broken}: ZeroDivisionError" in text


@pytest.fixture
def memory_runs_out(monkeypatch):
    """Let memory run out at the n-th units that are done, as Ray's raylet says it.

    What Ray Tune does then is its own.
    """

    def at(*numbers):
        done = itertools.count(1)
        resolved = RayActorManager._actor_task_resolved

        def killed(manager, tracked_actor_task, result):
            is_done = isinstance(result, dict) and isinstance(result.get(REPORT), UnitDone)
            if not is_done or next(done) not in numbers:
                return resolved(manager, tracked_actor_task, result)
            error = OutOfMemoryError("1 worker(s) were killed")
            return manager._actor_task_failed(tracked_actor_task, error)

        monkeypatch.setattr(RayActorManager, "_actor_task_resolved", killed)

    return at


def test_a_node_that_runs_out_of_memory_costs_time_and_nothing_else(
    tiny_study, finished, tmp_path, memory_runs_out
):
    """More often than failures are allowed, but every time something more is stored.

    The reports that say so are lost, and made up for.
    """
    memory_runs_out(1, 3)
    outcome, mirror, text = run(tiny_study, tmp_path, max_failures=0)
    assert not outcome.missing and not outcome.failures
    assert sorted(mirror.done) == sorted(cell.id for cell in tiny_study.cells())
    assert "4/4 cells  2,048/2,048 networks" in text
    assert "starting again what was lost after a node ran out of memory" in text
    assert "--max-concurrent lets fewer trials run at once" in text
    whole = as_text(Storage(finished[0]).read_rows("tiny"))
    assert as_text(Storage(tmp_path).read_rows("tiny")) == whole


def test_a_memory_that_always_runs_out_is_a_failure_that_says_so(
    tiny_study, tmp_path, memory_runs_out
):
    memory_runs_out(*range(1000))
    storage = Forgetful(tmp_path)
    study = dataclasses.replace(tiny_study, axes={"width": [2]}, scheme=UnitSphere())
    outcome, mirror, _ = run(study, storage, max_failures=1)
    assert list(outcome.missing.values()) == [[0, 1]]
    (why,) = outcome.failures.values()
    assert why.startswith("a node ran out of memory and Ray killed workers there")
    assert list(mirror.failed.values()) == [why]


class Forgetful(Storage):
    """Stores no rows."""

    def __reduce__(self):
        return (Forgetful, (self.address,))

    def write_rows(self, study, rows, provenance):
        return ""


class Full(Storage):
    """Has no room for rows."""

    def __reduce__(self):
        return (Full, (self.address,))

    def write_rows(self, study, rows, provenance):
        raise StorageError("no room")


def test_a_storage_that_stays_full_ends_the_study_at_once(tiny_study, tmp_path):
    """Without another try: every trial has waited already."""
    outcome, mirror, text = run(tiny_study, Full(tmp_path), storage_patience_s=0.0)
    assert len(outcome.missing) == 4 and not mirror.done
    assert set(outcome.failures.values()) == {"StorageError: no room"}
    assert "starting again" not in text


class Homeless(UnitSphere):
    """Can't be made anew on a worker."""

    def __reduce__(self):
        return (_nowhere, ())


def _nowhere():
    raise ModuleNotFoundError("No module named 'my_schemes'")


def test_a_trial_that_can_not_start_says_why(tiny_study, tmp_path):
    study = dataclasses.replace(tiny_study, axes={"width": [2]}, scheme=Homeless(), replicates=256)
    outcome, _, _ = run(study, tmp_path, max_failures=0)
    (why,) = outcome.failures.values()
    assert "No module named 'my_schemes'" in why


def test_a_cluster_that_has_lost_its_nodes_gets_them_back(
    tiny_study, finished, tmp_path, memory_runs_out, monkeypatch
):
    find_nodes, calls = ray_tune.find_nodes, itertools.count(1)

    def sometimes(options):
        if next(calls) in (2, 3):
            raise InputError("a trial asks for 1 CPU, but no node")
        return find_nodes(options)

    monkeypatch.setattr(ray_tune, "find_nodes", sometimes)
    monkeypatch.setattr(ray_tune, "_count_slots_now", lambda options: 2)
    monkeypatch.setattr(ray_tune, "_NODES_EVERY_S", 0.01)
    memory_runs_out(1)
    outcome, _, text = run(tiny_study, tmp_path)
    assert not outcome.missing and "waiting: a trial asks for 1 CPU, but no node" in text


def test_a_trial_that_asks_for_more_than_there_is_is_refused(tiny_study, tmp_path):
    with pytest.raises(InputError, match="asks for 99 CPU, but .* no node with more than 1"):
        run(tiny_study, tmp_path, cpus_per_trial=99)
    with pytest.raises(InputError, match="asks for 2 GPU, but .* no node with more than 1"):
        run(tiny_study, tmp_path, gpus_per_trial=2)
    with pytest.raises(InputError, match="no node .* has the labels zone=c; there are .*zone=a"):
        run(tiny_study, tmp_path, labels={"zone": "c"})
