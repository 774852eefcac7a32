"""MLflow on a real server: several drivers at once, an outage, a mirror that does not slow down."""

import dataclasses
import threading

import pytest
from mlflow import MlflowClient

from trainability.storage import Storage
from trainability.tracking import Mirror, MlflowMirror
from trainability.trial import Runtime, checkpoints, run_trial


@pytest.fixture(scope="module")
def stored(tiny_study, tmp_path_factory):
    """Two studies with all their rows on storage."""
    storage = Storage(tmp_path_factory.mktemp("results"))
    studies = [
        dataclasses.replace(tiny_study, name=name, replicates=256) for name in ("first", "second")
    ]
    for study in studies:
        for cell in study.cells():
            rows, provenance = run_trial(study.name, cell, [0], Runtime())
            storage.write_rows(study.name, rows, provenance | {"finished_at": "1000.0"})
    return studies, storage


def runs_of(server, study):
    """The MLflow runs of a study by key; asserts that no key has two."""
    client = MlflowClient(server.uri)
    experiment = client.get_experiment_by_name(f"trainability/{study.name}")
    found = client.search_runs([experiment.experiment_id])
    runs = {run.data.tags["trial_key"]: run for run in found}
    assert len(runs) == len(found)
    return runs


def assert_whole(server, study):
    runs = runs_of(server, study)
    parent = runs.pop("study")
    assert parent.info.status == "FINISHED"
    assert set(runs) == {cell.id for cell in study.cells()}
    for run in runs.values():
        assert run.info.status == "FINISHED"
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.data.params["task"] == str(study.task)
        history = MlflowClient(server.uri).get_metric_history(run.info.run_id, "active_mean")
        assert len(history) == len(checkpoints(study.max_steps))


def test_several_drivers_at_once_leave_one_whole_run_per_cell(stored, server, capfd):
    """Two drivers of one study, started at the same moment, and one of another study."""
    (first, second), storage = stored
    together = threading.Barrier(3)
    troubles = []

    def drive(study):
        together.wait()
        mirror = Mirror(study, storage, server.uri)
        for cell in study.cells():
            mirror.cell_started(cell)
        for cell in study.cells():
            mirror.cell_done(cell)
        mirror.close("FINISHED")
        troubles.append(mirror.trouble)

    drivers = [threading.Thread(target=drive, args=[study]) for study in (first, first, second)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join()
    assert troubles == [None] * 3
    # What two drivers of one study did at the very same moment, the next one tells apart.
    MlflowMirror(first, storage, server.uri).close("FINISHED")
    assert_whole(server, first)
    assert_whole(server, second)
    assert capfd.readouterr().out == ""


def test_a_server_that_goes_and_comes_back_misses_nothing(stored, server):
    (study, _), storage = stored
    study = dataclasses.replace(study, question="Does it come back?")
    cells = study.cells()
    mirror = Mirror(study, storage, server.uri)
    for cell in cells[:2]:
        mirror.cell_started(cell)
        mirror.cell_done(cell)
    server.kill()
    for cell in cells[2:]:
        mirror.cell_started(cell)
        mirror.cell_done(cell)
    while mirror.trouble is None:
        threading.Event().wait(0.1)
    server.start()
    mirror.close("FINISHED")
    assert mirror.trouble is None
    assert_whole(server, study)
