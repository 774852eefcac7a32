"""`trainability tune`: finds, reports, mirrors, and goes on."""

import re

import pytest
from tuning_in_process import Trainer, a_tuning
from typer.testing import CliRunner

from trainability.cli import main
from trainability.cli.commands import app
from trainability.errors import StudyError
from trainability.storage import Storage
from trainability.study import load_study
from trainability.tuning.loading import load_tunings
from trainability.tuning.loop import run_search

pytestmark = pytest.mark.usefixtures("unrendered")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a tuning.json and a storage that holds all of its networks."""
    folder = tmp_path_factory.mktemp("tune")
    tuning, storage = a_tuning(), Storage(folder / "results")
    run_search(tuning, storage, Trainer(tuning, storage))
    (folder / "tuning.json").write_text(tuning.to_json())
    return folder


def invoke(folder):
    arguments = ["tune", str(folder / "tuning.json"), "--storage", str(folder / "results")]
    done = CliRunner().invoke(app, [*arguments, "--tracking-uri", f"sqlite:///{folder}/mlflow.db"])
    assert done.exit_code == 0, done.output
    return done


@pytest.mark.usefixtures("ray_session")
def test_it_trains_what_is_missing_and_ends_with_a_line_to_paste(trained):
    folder = trained / "results" / "tiny"
    lost = sorted(folder.glob("*/blocks-*.parquet"))[:3]
    before = {path: path.read_bytes() for path in lost}
    for path in lost:
        path.unlink()
    first = invoke(trained)
    assert all(path.exists() for path in before)
    assert re.search(r"\n    scheme=He\(.*\), optimizer=Adam\(learning_rate=.*\),\n", first.output)
    assert "trainability ui --storage" in first.output
    # A table as all others are, in the lines of a terminal of 80 columns.
    [table] = re.findall(r"success rate on fresh seeds\n(.*?)\nreport:", first.output, re.DOTALL)
    assert not set(table) & set("┃│┏") and max(map(len, table.splitlines())) <= 80
    assert re.search(r"\d\d\.\d \[\d\d\.\d, \d\d\.\d\]  \+", table)
    assert (folder / "report" / "index.html").exists()
    again = invoke(trained)
    assert "networks/s" not in again.output
    assert again.output.split("Which bias scale?")[1] in first.output


def test_mlflow_has_the_candidates_and_the_report(trained):
    from mlflow import MlflowClient

    invoke(trained)
    client = MlflowClient(f"sqlite:///{trained}/mlflow.db")
    [experiment] = client.search_experiments(filter_string="name = 'trainability/tiny'")
    runs = client.search_runs([experiment.experiment_id])
    [parent] = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert parent.info.status == "FINISHED"
    assert "scheme=He(" in parent.data.tags["mlflow.note.content"]
    files = {file.path for file in client.list_artifacts(parent.info.run_id, "report")}
    assert {"report/index.html", "report/candidates.csv", "report/history.png"} <= files
    folders = [path for path in (trained / "results" / "tiny").iterdir() if path.name.isalnum()]
    cells = [folder for folder in folders if list(folder.glob("blocks-*"))]
    assert len(runs) - 1 == len(cells)


@pytest.mark.usefixtures("ray_session")
def test_what_another_user_has_declared_under_the_name_is_kept(trained):
    storage, other = Storage(trained / "results"), '{"tuning": 1}'
    storage.write_record("tiny", "tuning", other)
    invoke(trained)
    texts = {path.read_text() for path in (trained / "results" / "tiny").glob("tuning-*.json")}
    assert texts == {other, a_tuning().to_json()}


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(trained, tmp_path):
    arguments = ["tune", str(trained / "tuning.json"), "--dry-run", "--storage"]
    done = CliRunner().invoke(app, [*arguments, str(tmp_path / "results")])
    assert done.exit_code == 0, done.output
    assert "bias_std over Range(low=0.01, high=10.0, log=True)" in done.output
    assert "0 rounds with 0 networks are written down" in " ".join(done.output.split())
    assert not (tmp_path / "results").exists()
    before = {path: path.stat().st_mtime_ns for path in trained.rglob("*")}
    done = CliRunner().invoke(app, [*arguments, str(trained / "results")])
    text = " ".join(done.output.split())
    assert "5,120 networks are written down, 5,120 of them trained" in text
    assert {path: path.stat().st_mtime_ns for path in trained.rglob("*")} == before


@pytest.mark.parametrize("extra", [[], ["--dry-run"]])
def test_what_is_wrong_with_a_tuning_is_one_message_before_anything_is_written(
    tmp_path, extra, monkeypatch, capsys
):
    path = tmp_path / "study.py"
    declaration = repr(a_tuning().to_json())
    path.write_text(
        "import dataclasses\nfrom trainability.tuning import Integers, Range, Tuning\n"
        f"TUNING = dataclasses.replace(Tuning.from_json({declaration}), budget=1,\n"
        '    vary={"widht": Integers(2, 4), "depth": Range(2, 4)})\n'
    )
    arguments = ["trainability", "tune", str(path), "--storage", str(tmp_path / "results"), *extra]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert "problems" in said and "did you mean width" in said and "depth must be an int" in said
    assert "Traceback" not in said
    assert not (tmp_path / "results").exists()


def test_what_is_wrong_with_the_last_tuning_is_told_before_the_first_is_run(
    tmp_path, monkeypatch, capsys
):
    path = tmp_path / "study.py"
    path.write_text(
        "import dataclasses\nfrom torch import nn\nfrom trainability import Module, Tuning\n"
        "from trainability.tuning import Choice, Range, SuccessRate\n"
        f"one = Tuning.from_json({a_tuning().to_json()!r})\n"
        "def build(): return nn.Sequential(nn.Linear(1, 4), nn.ReLU(), nn.Linear(4, 1))\n"
        'TUNING = [one, dataclasses.replace(one, name="other", network=Module(build), depth=None,\n'
        '    vary={"learning_rate": Range(0.001, 0.1, log=True)}, objective=SuccessRate())]\n'
    )
    monkeypatch.setattr("trainability.running.tuning.run_tuning", None)  # nothing is run
    where = ["--storage", str(tmp_path / "results"), "--engine", "torch"]
    monkeypatch.setattr("sys.argv", ["trainability", "tune", str(path), *where])
    with pytest.raises(SystemExit) as end:
        main()
    said = " ".join(capsys.readouterr().err.split())
    assert end.value.code == 2 and "not copies of a module" in said, said
    assert not (tmp_path / "results").exists()


def test_a_file_without_a_tuning_is_refused(tmp_path):
    path = tmp_path / "study.py"
    path.write_text("TUNING = 3\n")
    with pytest.raises(StudyError, match=r"declares no tuning; wanted TUNING = Tuning\(...\)"):
        load_tunings(str(path))


def test_two_tunings_of_one_name_are_refused(tmp_path):
    path = tmp_path / "study.py"
    path.write_text(
        "from trainability.tuning import Tuning\n"
        f"one = Tuning.from_json({a_tuning().to_json()!r})\n"
        "TUNING = [one, one]\n"
    )
    with pytest.raises(StudyError, match="two tunings of one name"):
        load_tunings(str(path))


@pytest.mark.parametrize("name", ["tune_absolute_value", "tune_diabetes"])
def test_the_tunings_of_this_repository_can_be_run(name, monkeypatch, request):
    monkeypatch.chdir(request.config.rootpath)
    assert len(load_tunings(name)) == 2


def test_a_tuning_is_no_study(monkeypatch, request):
    monkeypatch.chdir(request.config.rootpath)
    with pytest.raises(StudyError, match="declares a tuning, not a study; use: trainability tune"):
        load_study("tune_diabetes")
    with pytest.raises(StudyError, match="declares a study, not a tuning; use: trainability run"):
        load_tunings("absolute_value")
