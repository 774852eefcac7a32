"""When MLflow says that work began and ended: as it was, and never the end before the start."""

import dataclasses
import time

import pytest
from mlflow import MlflowClient

from trainability.storage import Storage
from trainability.tracking import MlflowMirror, tracking_uri
from trainability.trial import Runtime, run_trial


@pytest.fixture
def stored(tiny_study, tmp_path):
    """A cell whose blocks took 3 and 5 seconds, ended at 1000 and 1001 s, and one without."""
    study = dataclasses.replace(tiny_study, axes=dict(tiny_study.axes, width=[2]), replicates=512)
    storage = Storage(tmp_path / "results")
    for block, seconds, ended in ((0, 3.0, 1000.0), (1, 5.0, 1001.0)):
        rows, provenance = run_trial("tiny", study.cells()[0], [block], Runtime())
        provenance |= {"seconds": f"{seconds}", "finished_at": f"{ended}"}
        storage.write_rows("tiny", rows, provenance)
    return study, storage, tracking_uri(None, storage)


def times_of(uri):
    """Start and end of every MLflow run by key, in seconds since 1970."""
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("trainability/tiny")
    runs = client.search_runs([experiment.experiment_id])
    assert len({run.data.tags["trial_key"] for run in runs}) == len(runs)
    return {
        run.data.tags["trial_key"]: (run.info.start_time / 1000, run.info.end_time / 1000)
        for run in runs
    }


def test_a_cell_spans_the_work_on_its_blocks(stored):
    study, storage, uri = stored
    mirror = MlflowMirror(study, storage, uri, begun=990.0)
    mirror.finish(study.cells()[0])
    mirror.close("FINISHED")
    times = times_of(uri)
    assert times[study.cells()[0].id] == (996.0, 1001.0)
    # Not when MLflow was told of it: that may be later, and again.
    assert times["study"] == (990.0, 1001.0)


def test_a_cell_that_was_heard_of_in_time_began_then(stored):
    study, storage, uri = stored
    mirror = MlflowMirror(study, storage, uri)
    mirror.start(study.cells()[0], 995.0)
    mirror.finish(study.cells()[0])
    mirror.close("FINISHED")
    assert times_of(uri)[study.cells()[0].id] == (995.0, 1001.0)


def test_a_cell_that_was_heard_of_too_late_is_put_right(stored):
    """MLflow is told of the start when the work has long ended; also where a study is resumed."""
    study, storage, uri = stored
    for _ in range(2):
        mirror = MlflowMirror(study, storage, uri)
        mirror.start(study.cells()[0])
        mirror.finish(study.cells()[0])
        mirror.close("FINISHED")
        assert times_of(uri)[study.cells()[0].id] == (996.0, 1001.0)


def test_what_an_older_version_left_with_its_end_before_its_start_is_mended(stored):
    study, storage, uri = stored
    cell = study.cells()[0]
    mirror = MlflowMirror(study, storage, uri)
    mirror.finish(cell)
    (run,) = [r for key, r in mirror._runs.items() if key == cell.id]
    MlflowClient(uri).set_terminated(run.id, "FINISHED", 1000)
    mirror = MlflowMirror(study, storage, uri)
    mirror.finish(cell)
    mirror.close("FINISHED")
    assert times_of(uri)[cell.id] == (996.0, 1001.0)


def test_a_worker_whose_clock_is_ahead_does_not_turn_the_times_round(stored):
    study, storage, uri = stored
    lost = study.cells()[1]
    ahead = time.time() + 3600
    mirror = MlflowMirror(study, storage, uri)
    mirror.start(lost, ahead)
    mirror.close("KILLED")
    start, end = times_of(uri)[lost.id]
    assert start == pytest.approx(ahead, abs=0.01) and end >= start


def test_what_ends_early_ends_when_it_did_and_not_when_mlflow_hears_of_it(stored):
    study, storage, uri = stored
    running, failed = study.cells()
    begun = time.time() - 1000
    mirror = MlflowMirror(study, storage, uri, begun)
    mirror.start(running, begun + 1)
    mirror.start(failed, begun + 1)
    mirror.fail(failed, "OSError: no disk", begun + 2)
    mirror.close("KILLED", begun + 3)
    seconds = {key: (a - begun, b - begun) for key, (a, b) in times_of(uri).items()}
    near = pytest.approx
    assert seconds[failed.id] == (near(1, abs=0.01), near(2, abs=0.01))
    assert seconds[running.id] == (near(1, abs=0.01), near(3, abs=0.01))
    assert seconds["study"] == (near(0, abs=0.01), near(3, abs=0.01))
