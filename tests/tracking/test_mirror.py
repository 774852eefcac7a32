"""The MLflow mirror: whole, idempotent, and truthful about what died."""

import base64
import dataclasses
import json
import os
import sys
import threading
import time
import zlib

import pytest
from mlflow import MlflowClient
from sqlalchemy import Engine, event

from trainability.errors import InputError
from trainability.schemes import He, UnitSphere
from trainability.storage import Storage
from trainability.tracking import Mirror, MlflowMirror, require_store, study_pages, tracking_uri
from trainability.tracking.naming import Names
from trainability.tracking.view import view_state
from trainability.trial import Runtime, checkpoints, run_trial


@pytest.fixture
def stored(tiny_study, tmp_path):
    """A study of two cells, the first of them on storage."""
    study = dataclasses.replace(tiny_study, axes=dict(tiny_study.axes, width=[2]), replicates=256)
    storage = Storage(tmp_path / "results")
    rows, provenance = run_trial("tiny", study.cells()[0], [0], Runtime())
    storage.write_rows("tiny", rows, provenance | {"finished_at": "1000.0"})
    storage.write_bytes("tiny/provenance.json", b'{"git_commit": "abc"}')
    return study, storage, tracking_uri(None, storage)


def runs_of(uri):
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("trainability/tiny")
    return {
        run.data.tags["trial_key"]: run for run in client.search_runs([experiment.experiment_id])
    }


def test_a_finished_cell_is_one_nested_run_with_the_contract_s_metrics(stored):
    study, storage, uri = stored
    cell = study.cells()[0]
    mirror = MlflowMirror(study, storage, uri)
    mirror.start(cell)
    mirror.finish(cell)
    mirror.close("FINISHED")
    runs = runs_of(uri)
    assert set(runs) == {"study", cell.id}
    run = runs[cell.id]
    assert run.info.status == "FINISHED" and run.info.end_time == 1_000_000
    assert run.data.tags["mlflow.parentRunId"] == runs["study"].info.run_id
    assert run.data.params["scheme"] == "UnitSphere()" and run.data.params["width"] == "2"
    assert {
        "success_rate", "success_rate_low", "success_rate_high", "trainability", "trainable_rate",
        "born_dead_rate", "replicates", "networks_per_second", "loss_median", "loss_q90",
        "active_mean", "tentatively_dead_mean", "permanently_dead_mean",
    } <= set(run.data.metrics)  # fmt: skip
    assert len(run.data.metrics) <= 20
    history = MlflowClient(uri).get_metric_history(run.info.run_id, "active_mean")
    assert [point.step for point in history] == checkpoints(study.max_steps)
    assert runs["study"].data.tags["git_commit"] == "abc"
    assert run.data.tags["cell"] == cell.id and "cell" not in run.data.params
    assert run.data.tags["device"] == "cpu" and run.data.tags["engine"]
    names = [file.path for file in MlflowClient(uri).list_artifacts(run.info.run_id)]
    assert names == ["rows.parquet"]


def test_a_cell_s_run_says_what_it_is(stored):
    study, storage, uri = stored
    mirror = MlflowMirror(study, storage, uri)
    cell = study.cells()[0]
    mirror.finish(cell)
    run = runs_of(uri)[cell.id]
    said = run.data.tags["mlflow.note.content"]
    rate = 100 * run.data.metrics["success_rate"]
    assert said.startswith(f"256 networks of {cell}: {rate:.1f} % succeeded (95 % Clopper-Pearson")


@pytest.mark.parametrize("is_replaced", [True, False])
def test_a_study_s_run_that_another_driver_deleted_is_not_ended_but_the_one_that_is_kept(
    stored, is_replaced
):
    """Two drivers create one each at the same moment, and each keeps the older."""
    study, storage, uri = stored
    client, cell = MlflowClient(uri), study.cells()[0]
    mirror = MlflowMirror(study, storage, uri)
    mirror.finish(cell)
    ours = runs_of(uri)["study"]
    if is_replaced:
        tags = {key: value for key, value in ours.data.tags.items() if "mlflow." not in key}
        begun = ours.info.start_time - 1
        client.create_run(ours.info.experiment_id, start_time=begun, tags=tags)
    else:
        client.delete_run(ours.info.run_id)
    mirror.close("FINISHED")
    assert client.get_run(ours.info.run_id).info.lifecycle_stage == "deleted"
    runs = runs_of(uri)
    assert runs["study"].info.run_id != ours.info.run_id
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert runs[cell.id].data.tags["mlflow.parentRunId"] == runs["study"].info.run_id
    assert "success_rate/UnitSphere" in runs["study"].data.metrics


def test_mirroring_again_changes_nothing(stored):
    study, storage, uri = stored
    cell = study.cells()[0]
    for _ in range(3):
        mirror = MlflowMirror(study, storage, uri)
        mirror.finish(cell)
        mirror.close("FINISHED")
    run = runs_of(uri)[cell.id]
    assert len(runs_of(uri)) == 2
    history = MlflowClient(uri).get_metric_history(run.info.run_id, "success_rate")
    assert len(history) == len(checkpoints(study.max_steps))


def test_a_cell_that_grows_replaces_its_run(stored):
    study, storage, uri = stored
    cell = study.cells()[0]
    MlflowMirror(study, storage, uri).finish(cell)
    rows, provenance = run_trial("tiny", cell, [1], Runtime())
    storage.write_rows("tiny", rows, provenance | {"finished_at": "2000.0"})
    MlflowMirror(study, storage, uri).finish(cell)
    run = runs_of(uri)[cell.id]
    assert run.data.metrics["replicates"] == 512
    history = MlflowClient(uri).get_metric_history(run.info.run_id, "loss_median")
    assert len(history) == len(checkpoints(study.max_steps))


def test_what_died_does_not_stay_running(stored):
    study, storage, uri = stored
    done, lost = study.cells()
    MlflowMirror(study, storage, uri).start(lost)
    assert runs_of(uri)[lost.id].info.status == "RUNNING"
    mirror = MlflowMirror(study, storage, uri)  # after a kill: a new driver finds it
    mirror.finish(done)
    mirror.close("KILLED")
    statuses = {key: run.info.status for key, run in runs_of(uri).items()}
    assert statuses == {"study": "KILLED", done.id: "FINISHED", lost.id: "KILLED"}


def test_what_another_driver_ends_meanwhile_stays_ended(stored, monkeypatch):
    """It finishes a cell between our look at what still runs and our end of it."""
    study, storage, uri = stored
    cell = study.cells()[0]
    other = MlflowMirror(study, storage, uri)
    other.start(cell, at=900.0)
    mirror = MlflowMirror(study, storage, uri)
    terminate = MlflowMirror._terminate

    def late(self, run, status, at):
        if status == "KILLED":
            other.finish(cell)
        return terminate(self, run, status, at)

    monkeypatch.setattr(MlflowMirror, "_terminate", late)
    mirror.close("FINISHED")
    run = runs_of(uri)[cell.id]
    assert run.info.status == "FINISHED" and run.info.end_time >= run.info.start_time
    assert len(runs_of(uri)) == 2


def test_a_failure_says_why(stored):
    study, storage, uri = stored
    lost = study.cells()[1]
    mirror = MlflowMirror(study, storage, uri)
    mirror.fail(lost, "ZeroDivisionError: bug")
    mirror.close("FAILED")
    run = runs_of(uri)[lost.id]
    assert run.info.status == "FAILED" and run.data.tags["failure"] == "ZeroDivisionError: bug"


def test_a_failure_that_is_mended_is_forgotten(stored):
    study, storage, uri = stored
    cell = study.cells()[0]
    mirror = MlflowMirror(study, storage, uri)
    mirror.fail(cell, "OSError: no disk")
    mirror.close("FAILED")
    for _ in range(2):
        mirror = MlflowMirror(study, storage, uri)
        mirror.start(cell)
        mirror.finish(cell)
        run = runs_of(uri)[cell.id]
        assert run.info.status == "FINISHED" and "failure" not in run.data.tags


def test_a_driver_that_dies_before_it_ends_a_whole_run_is_made_up_for(stored, monkeypatch):
    study, storage, uri = stored
    cell = study.cells()[0]
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "set_terminated", lambda *_: sys.exit("killed"))
        with pytest.raises(SystemExit):
            MlflowMirror(study, storage, uri).finish(cell)
    assert runs_of(uri)[cell.id].info.status == "RUNNING"
    mirror = MlflowMirror(study, storage, uri)
    mirror.finish(cell)
    mirror.close("FINISHED")
    run = runs_of(uri)[cell.id]
    assert run.info.status == "FINISHED" and run.info.end_time == 1_000_000


def test_mlflow_tells_nobody_of_its_use_unless_the_user_says_so(stored, monkeypatch):
    study, storage, uri = stored
    for given, kept in ((None, "true"), ("false", "false")):
        with monkeypatch.context() as patch:
            patch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
            if given:
                patch.setenv("MLFLOW_DISABLE_TELEMETRY", given)
            MlflowMirror(study, storage, uri)
            assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == kept


def test_an_outage_is_remembered_and_not_raised(stored):
    study, storage, _ = stored
    mirror = Mirror(study, storage, "http://127.0.0.1:9")
    mirror.cell_done(study.cells()[0])
    mirror.close("FINISHED")
    assert mirror.trouble is not None and "127.0.0.1" in mirror.trouble


def test_a_study_has_a_page_that_shows_its_cells_and_their_charts(stored):
    study, storage, uri = stored
    MlflowMirror(study, storage, uri).close("FINISHED")
    pages = study_pages(uri, "http://127.0.0.1:5000")
    assert list(pages) == ["tiny"]
    assert pages["tiny"].startswith("http://127.0.0.1:5000/#/experiments/")
    assert pages["tiny"].endswith("viewStateShareKey=trainability")
    client = MlflowClient(uri)
    tags = client.get_experiment_by_name("trainability/tiny").tags
    packed = tags["mlflow.sharedViewState.trainability"].removeprefix("deflate;")
    charts = json.loads(zlib.decompress(base64.b64decode(packed)))["compareRunCharts"]
    assert {chart["metricKey"] for chart in charts if chart["metricSectionId"] == "steps"} == {
        "success_rate", "loss_median", "loss_q90", "active_mean", "tentatively_dead_mean",
        "permanently_dead_mean",
    }  # fmt: skip
    logarithmic = {chart["metricKey"] for chart in charts if chart["scaleType"] == "log"}
    assert logarithmic == {"loss_median", "loss_q90"}
    # The main figure first, all series in one chart.
    keys = ["success_rate/UnitSphere", "success_rate/DataDependent"]
    assert charts[0]["selectedMetricKeys"] == keys


def test_runs_are_grouped_by_series_and_open_where_there_are_several(tiny_study):
    for schemes, wanted in (([UnitSphere(), He()], True), ([UnitSphere()], False)):
        study = dataclasses.replace(tiny_study, axes={"scheme": schemes, "width": [2, 4]})
        packed = view_state(Names(study)).removeprefix("deflate;")
        state = json.loads(zlib.decompress(base64.b64decode(packed)))
        assert bool(state["groupBy"]) == wanted
        opened = {"tag.series.whole study", *(f"tag.series.{str(s)[:-2]}" for s in schemes)}
        assert set(state["groupsExpanded"]) == opened
        assert state["orderByKey"] == "tags.`mlflow.runName`" and state["orderByAsc"]
        assert state["columnOrder"][:3] == [
            "metrics.`success_rate`",
            "metrics.`success_rate_low`",
            "metrics.`success_rate_high`",
        ]


def test_candidates_of_a_tuning_are_ordered_by_their_success(stored):
    study, storage, uri = stored
    storage.write_bytes("tiny/tuning.json", b"{}")
    MlflowMirror(study, storage, uri)
    tags = MlflowClient(uri).get_experiment_by_name("trainability/tiny").tags
    packed = tags["mlflow.sharedViewState.trainability"].removeprefix("deflate;")
    state = json.loads(zlib.decompress(base64.b64decode(packed)))
    assert state["orderByKey"] == "metrics.`success_rate`" and not state["orderByAsc"]


def test_how_busy_the_machine_is_is_shown_unless_the_user_does_not_want_it(stored, monkeypatch):
    study, storage, uri = stored
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.1")
    shown = []
    for wanted in ("false", "true"):
        monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", wanted)
        mirror = MlflowMirror(study, storage, uri)
        mirror.start(study.cells()[0])
        end = time.monotonic() + (60 if wanted == "true" else 1)
        while time.monotonic() < end and not shown:
            time.sleep(0.1)
            metrics = runs_of(uri)["study"].data.metrics
            shown = [name for name in metrics if name.startswith("system/")]
        mirror.close("KILLED")
        assert bool(shown) == (wanted == "true")
    assert "system/cpu_utilization_percentage" in shown


def test_who_connects_anew_goes_on_with_the_one_monitor_of_the_machine(stored):
    study, storage, uri = stored

    def monitors():
        return [thread for thread in threading.enumerate() if "SystemMetrics" in thread.name]

    before = len(monitors())
    for _ in range(2):  # the first one was lost to an outage
        mirror = MlflowMirror(study, storage, uri)
        mirror.start(study.cells()[0])
    assert len(monitors()) == before + 1
    mirror.close("KILLED")
    assert len(monitors()) == before


def test_a_store_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="no MLflow store at .*first run a study"):
        require_store(f"sqlite:///{tmp_path}/mlflow.db")


@pytest.mark.parametrize("uri", ["sqlite:///mlflow.db", "sqlite:///mlflow.db?timeout=9"])
def test_a_store_may_be_relative_and_have_a_query(tiny_study, tmp_path, monkeypatch, uri):
    monkeypatch.chdir(tmp_path)
    mirror = MlflowMirror(tiny_study, Storage(tmp_path / "results"), uri)
    require_store(uri)
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "index.html").write_text("a page")
    mirror.log_report(tmp_path / "report", "")
    assert list(tmp_path.glob("mlflow-artifacts/tiny/*/artifacts/report/index.html"))


def test_a_cell_costs_the_same_however_many_there_are(tiny_study, tmp_path, monkeypatch):
    """SQL statements and files looked at, of the 5th and of the 15th cell."""
    study = dataclasses.replace(
        tiny_study,
        axes={"width": [*range(2, 17)]},
        scheme=UnitSphere(),
        replicates=256,
        max_steps=1,
    )
    storage = Storage(tmp_path / "results")
    for cell in study.cells():
        rows, provenance = run_trial("tiny", cell, [0], Runtime(engine="torch"))
        storage.write_rows("tiny", rows, provenance | {"finished_at": "1000.0"})
    costs = []
    list_files = storage._files.listed

    def counted(folder):
        files = list_files(folder)
        costs[-1] += len(files)
        return files

    def count_statement(*_):
        costs[-1] += 1

    monkeypatch.setattr(storage._files, "listed", counted)
    costs.append(0)
    mirror = MlflowMirror(study, storage, tracking_uri(None, storage))
    event.listen(Engine, "before_cursor_execute", count_statement)
    try:
        for cell in study.cells():
            costs.append(0)
            mirror.start(cell)
            mirror.finish(cell)
    finally:
        event.remove(Engine, "before_cursor_execute", count_statement)
    assert costs[5] > 5
    assert costs[15] == costs[5]
