"""The study's own MLflow run draws the main figure: rates over the width, with their bounds."""

import dataclasses

import pytest
from mlflow import MlflowClient
from torch import nn

from trainability import Module
from trainability.activations import Tanh
from trainability.analysis.rates import clopper_pearson
from trainability.schemes import UnitSphere
from trainability.storage import Storage
from trainability.tracking import MlflowMirror, tracking_uri
from trainability.trial import Runtime, run_trial


@pytest.fixture
def stored(tiny_study, tmp_path):
    """A study of two widths, whole."""
    axes = {"scheme": [UnitSphere()], "width": [2, 4]}
    study = dataclasses.replace(tiny_study, axes=axes, replicates=256)
    storage = Storage(tmp_path / "results")
    for cell in study.cells():
        add_block(storage, cell, 0)
    return study, storage, tracking_uri(None, storage)


def add_block(storage, cell, block):
    rows, provenance = run_trial("tiny", cell, [block], Runtime())
    storage.write_rows("tiny", rows, provenance | {"finished_at": f"{1000 + block}"})


def mirrored(study, storage, uri):
    mirror = MlflowMirror(study, storage, uri)
    for cell in study.cells():
        mirror.finish(cell)
    mirror.close("FINISHED")


def runs_of(uri):
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("trainability/tiny")
    return client.search_runs([experiment.experiment_id])


def parent_of(uri):
    runs = runs_of(uri)
    [parent] = [run for run in runs if run.data.tags["trial_key"] == "study"]
    others = {run.data.tags.get("mlflow.parentRunId") for run in runs if run is not parent}
    assert others <= {parent.info.run_id}
    return parent


def curve(uri, name):
    """(step, value) of a metric of the parent."""
    history = MlflowClient(uri).get_metric_history(parent_of(uri).info.run_id, name)
    return sorted((metric.step, metric.value) for metric in history)


def rates(study, storage, width):
    [cell] = [cell for cell in study.cells() if cell.width == width]
    rows = storage.read_rows("tiny", [cell.id])
    n, successes = len(rows), int(rows["success"].sum())
    low, high = clopper_pearson(successes, n, 0.95)
    return successes / n, float(low), float(high)


def assert_whole(study, storage, uri):
    for place, name in enumerate(("success_rate", "success_rate_low", "success_rate_high")):
        wanted = [(width, rates(study, storage, width)[place]) for width in (2, 4)]
        assert curve(uri, f"{name}/UnitSphere") == wanted
    assert [step for step, _ in curve(uri, "trainability/UnitSphere")] == [2, 4]


def test_a_step_is_a_width_and_to_mirror_again_adds_no_point(stored):
    for _ in range(2):
        mirrored(*stored)
        assert_whole(*stored)


def two_layers(width):
    return nn.Sequential(nn.Linear(1, width), nn.ReLU(), nn.Linear(width, 1))


def test_of_copies_of_a_module_no_bound_is_claimed(tiny_study, tmp_path):
    axes = {"scheme": [UnitSphere()], "width": [2]}
    study = dataclasses.replace(
        tiny_study, axes=axes, depth=None, network=Module(two_layers), replicates=256
    )
    storage = Storage(tmp_path / "results")
    [cell] = study.cells()
    add_block(storage, cell, 0)
    uri = tracking_uri(None, storage)
    mirrored(study, storage, uri)
    assert curve(uri, "success_rate/UnitSphere") == [(2, rates(study, storage, 2)[0])]
    assert curve(uri, "trainability/UnitSphere") == []
    [run] = [run for run in runs_of(uri) if run.data.tags["trial_key"] == cell.id]
    assert "success_rate" in run.data.metrics and "trainability" not in run.data.metrics


def test_of_neurons_that_can_not_be_dead_no_bound_is_claimed(tiny_study, tmp_path):
    axes = {"scheme": [UnitSphere()], "width": [2]}
    study = dataclasses.replace(tiny_study, axes=axes, activation=Tanh(), replicates=256)
    storage = Storage(tmp_path / "results")
    [cell] = study.cells()
    add_block(storage, cell, 0)
    uri = tracking_uri(None, storage)
    mirrored(study, storage, uri)
    assert curve(uri, "trainability/UnitSphere") == []
    [run] = [run for run in runs_of(uri) if run.data.tags["trial_key"] == cell.id]
    assert "success_rate" in run.data.metrics and "trainability" not in run.data.metrics


def test_a_cell_that_grows_leaves_no_second_point_at_its_width(stored):
    study, storage, uri = stored
    mirrored(*stored)
    before = parent_of(uri)
    MlflowClient(uri).set_tag(before.info.run_id, "mine", "a note")
    add_block(storage, study.cells()[0], 1)
    mirrored(*stored)
    assert_whole(*stored)
    after = parent_of(uri)
    assert after.data.tags["mine"] == "a note" and after.info.start_time == before.info.start_time
    assert [f.path for f in MlflowClient(uri).list_artifacts(after.info.run_id)] == ["study.json"]


def test_a_driver_that_dies_between_a_cell_and_its_point_is_made_up_for(stored, monkeypatch):
    study, storage, _uri = stored
    mirrored(*stored)
    add_block(storage, study.cells()[0], 1)
    with monkeypatch.context() as patch:
        patch.setattr("trainability.tracking.parent.Parent.show", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            mirrored(*stored)
    mirrored(*stored)
    assert_whole(*stored)


def test_what_an_older_version_mirrored_gets_curves_names_and_data(stored, monkeypatch):
    study, _storage, uri = stored
    with monkeypatch.context() as patch:  # as an older version did it
        patch.setattr("trainability.tracking.parent.Parent._log", lambda *_: None)
        patch.setattr("trainability.tracking.mirror.MlflowMirror._label", lambda _, cell, run: run)
        patch.setattr("trainability.tracking.naming.Names.run", lambda _, cell: f"{cell.scheme}")
        mirrored(*stored)
    assert not parent_of(uri).data.metrics
    mirrored(*stored)
    assert_whole(*stored)
    client = MlflowClient(uri)
    experiment = parent_of(uri).info.experiment_id
    runs = client.search_runs([experiment], "tags.trial_key != 'study'")
    assert {run.info.run_name for run in runs} == {"w02 UnitSphere", "w04 UnitSphere"}
    for run in runs:
        [data] = run.inputs.dataset_inputs
        assert data.dataset.digest == study.task.fingerprint()[:16]
        assert run.data.tags["series"] == "UnitSphere"


def test_the_experiment_says_what_is_asked_and_keeps_what_a_user_wrote(stored, tmp_path):
    study, storage, uri = stored
    client = MlflowClient(uri)

    def described():
        tags = client.get_experiment_by_name("trainability/tiny").tags
        return tags["mlflow.note.content"]

    mirror = MlflowMirror(study, storage, uri)
    assert described() == "Is it small?"
    (tmp_path / "report").mkdir()
    mirror.log_report(tmp_path / "report", "**Is it small?**\n\nYes.")
    assert described() == "Is it small? Yes."
    MlflowMirror(study, storage, uri)
    assert described() == "Is it small? Yes."
    id_ = client.get_experiment_by_name("trainability/tiny").experiment_id
    client.set_experiment_tag(id_, "mlflow.note.content", "mine")
    mirror.log_report(tmp_path / "report", "**Is it small?**\n\nNo.")
    assert described() == "mine"
