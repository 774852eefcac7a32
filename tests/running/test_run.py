"""Studies run from Python: the command's results, events, errors, and nothing left behind."""

import dataclasses
import json
import logging
import signal
import subprocess
import sys
import textwrap
import threading

import pytest
from launch.commands import mlflow_statuses

import trainability
from trainability import events
from trainability.activations import Hermite
from trainability.errors import InputError, StudyError, StudyFailed
from trainability.schemes import UnitSphere
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage


@dataclasses.dataclass(frozen=True)
class Broken(UnitSphere):
    """A scheme with a bug."""

    def draw(self, layer, rng):
        if layer.n_networks < BLOCK_SIZE:  # a look at the study, before it is trained
            return super().draw(layer, rng)
        raise ZeroDivisionError("a bug in the user's scheme")


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(autouse=True)
def nothing_stays():
    yield
    names = {thread.name for thread in threading.enumerate()}
    assert not {name for name in names if name.startswith(("trials-", "mlflow-mirror"))}


@pytest.fixture(scope="module")
def done(tiny_study, tmp_path_factory):
    """A run, its storage, and what was heard of it."""
    folder, heard = tmp_path_factory.mktemp("run"), []
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    loaded = trainability.run(tiny_study, folder / "results", on_event=heard.append)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    return loaded, folder / "results", heard


def test_it_returns_what_was_found_and_where_the_report_is(tiny_study, done):
    loaded, storage, _ = done
    assert len(loaded.rows) == 4 * 512 and len(loaded.rates()) == 4
    assert loaded.report == storage / "tiny" / "report" / "index.html" and loaded.report.is_file()
    page = loaded._repr_html_()
    assert "Is it small?" in page and "success_rate_low" in page and str(loaded.report) in page
    statuses = mlflow_statuses(f"sqlite:///{storage}/mlflow.db", "tiny")
    assert len(statuses) == 5 and set(statuses.values()) == {"FINISHED"}


def test_everything_that_happened_was_heard_in_this_order(tiny_study, done):
    heard = done[2]
    kinds = [type(event) for event in heard]
    assert kinds[0] is events.Working and "4 cells x 512 networks" in heard[0].what
    for cell in tiny_study.cells():
        mine = [type(event) for event in heard if getattr(event, "cell", None) == cell]
        assert mine[0] is events.Started and mine[-1] is events.Finished
    last = next(event for event in reversed(heard) if isinstance(event, events.Progressed))
    assert (last.cells, last.networks) == (4, 2048)
    assert kinds.index(events.Finished) < len(kinds) - 1
    assert heard[-1] == dataclasses.replace(heard[-1], what="writing the report")


def test_again_in_the_same_process_runs_what_is_missing_only(tiny_study, done, capfd):
    _, storage, _ = done
    heard = []
    more = trainability.run(
        tiny_study, str(storage), replicates=768, on_event=heard.append, progress=False
    )
    assert len(more.rows) == 4 * 768 and capfd.readouterr() == ("", "")
    [first, *_] = [event for event in heard if isinstance(event, events.Progressed)]
    assert (first.networks, first.n_networks) == (2048, 3072)
    again = trainability.run("tiny", storage, report=False)  # by its name, from storage
    assert "nothing was missing" in capfd.readouterr().err and len(again.rows) == 4 * 768


def test_it_runs_in_a_thread_that_is_not_the_first(tiny_study, tmp_path):
    returned = []
    study = dataclasses.replace(tiny_study, replicates=256)

    def work():
        returned.append(trainability.run(study, tmp_path, progress=False, report=False))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(returned[0].rows) == 4 * 256 and returned[0].report is None


class Enough(Exception):
    pass


@pytest.mark.parametrize(("error", "status"), [(Enough, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_what_a_callback_raises_ends_the_run_in_order(tiny_study, tmp_path, error, status):
    def stop(event):
        if isinstance(event, events.Finished):
            raise error("mine")

    with pytest.raises(error) as caught:
        trainability.run(tiny_study, tmp_path, on_event=stop, progress=False)
    if error is Enough:
        assert caught.traceback[-1].name == "stop" and str(caught.value) == "mine"
    else:
        assert "the same command runs what is missing" in str(caught.value)
    statuses = mlflow_statuses(f"sqlite:///{tmp_path}/mlflow.db", "tiny")
    assert statuses.pop("study") == status and "RUNNING" not in statuses.values()
    assert not list(tmp_path.glob("tiny/.launch-*"))


def test_a_cell_that_fails_is_named_in_the_error_and_the_others_are_whole(tiny_study, tmp_path):
    study = dataclasses.replace(
        tiny_study, axes={"scheme": [Broken(), UnitSphere()], "width": [2]}, replicates=256
    )
    with pytest.raises(StudyFailed, match="1 of 2 cells is incomplete\n.*missing; Zero"):
        trainability.run(study, tmp_path, max_failures=0, progress=False)
    assert len(Storage(tmp_path).read_rows("tiny")) == 256
    assert (
        "ZeroDivisionError"
        in json.loads((tmp_path / "tiny/failures.json").read_text())[study.cells()[0].id]["why"]
    )


def test_what_can_not_be_used_is_told_all_at_once_before_anything_is_written(tiny_study, tmp_path):
    wrong = dict(
        replicates=0, precision=0.7, refine="x", address=5, ray=3, cpus_per_trial="two",
        gpus_per_trial=-1, labels={"zone": 1}, max_concurrent=0, engine="fast", max_failures=-1,
        tracking_uri=7,
    )  # fmt: skip
    with pytest.raises(InputError) as caught:
        trainability.run(tiny_study, tmp_path / "results", **wrong)
    for name in wrong:
        assert name in str(caught.value)
    assert "--" not in str(caught.value)
    for one in (
        {"study": 7}, {"study": tiny_study, "on_event": 3}, {"study": tiny_study, "storage": 5},
        {"study": tiny_study, "ray": False, "gpus_per_trial": 1.0}, {"study": "no-such-study"},
        {"study": tiny_study, "cpus_per_trial": 9999},
        {"study": tiny_study, "cpus_per_trial": 9999, "precision": 0.01},
    ):  # fmt: skip
        with pytest.raises(InputError):
            trainability.run(**({"storage": tmp_path / "results", "progress": False} | one))
    with pytest.raises(StudyError, match="must be an int"):
        trainability.run(tiny_study, tmp_path / "results", replicates=1.5)
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.usefixtures("ray_session")
def test_it_uses_a_ray_that_the_caller_has_connected_to_and_leaves_it(tiny_study, tmp_path):
    import ray

    heard = []
    study = dataclasses.replace(tiny_study, axes={"width": [2]}, scheme=UnitSphere())
    trainability.run(study, tmp_path, report=False, progress=False, on_event=heard.append)
    what = [event.what for event in heard if isinstance(event, events.Working)]
    assert "connecting to Ray" in what and any(text.startswith("training on Ray") for text in what)
    assert ray.is_initialized()

    def stop(event):
        if isinstance(event, events.Progressed) and event.seconds:
            raise Enough("mine")

    with pytest.raises(Enough, match="mine"):
        trainability.run(
            study, tmp_path, replicates=1024, report=False, progress=False, on_event=stop
        )
    assert ray.is_initialized()
    logging.getLogger("ray").debug("still there")


LINES = """
from trainability import Adam, Study, run
from trainability.schemes import He
from trainability.tasks import AbsoluteValue
study = Study(
    name="typed", question="Does it run?", task=AbsoluteValue(n_train=16), axes={"width": [2, 4]},
    scheme=He(), optimizer=Adam(learning_rate=0.02), max_steps=100, tolerance=1e-2, replicates=256,
)

found = run(study, "results")
print(len(run(study, "results", progress=False).rows))
"""


@pytest.mark.parametrize("how", ["script", "typed"])
def test_it_runs_twice_in_a_script_without_a_guard_and_where_lines_are_typed(how, tmp_path):
    (tmp_path / "mine.py").write_text(LINES)
    command, typed = [sys.executable, "-W", "error", "mine.py"], None
    if how == "typed":
        command, typed = [sys.executable, "-i", "-W", "error"], LINES
    done = subprocess.run(
        command, input=typed, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert done.stdout.split() == ["512"]
    assert "2/2 cells  512/512 networks" in done.stderr


def test_it_runs_in_a_notebook(tmp_path):
    import nbclient
    import nbformat

    cells = [*textwrap.dedent(LINES).strip().split("\n\n"), "found"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    [shown] = notebook.cells[-1].outputs
    assert "Does it run?" in shown["data"]["text/html"]
    texts = [output.get("text", "") for output in notebook.cells[1].outputs]
    assert any("2/2 cells" in text for text in texts)
    assert not any("\x1b" in text for text in texts)


def test_an_engine_that_can_not_train_the_study_is_refused_before_anything_is_written(
    tiny_study, tmp_path
):
    study = dataclasses.replace(tiny_study, activation=Hermite(trainable=True))
    with pytest.raises(InputError, match=r"engine 'fused-cpu' can't train this: Hermite"):
        trainability.run(study, storage=tmp_path / "results", engine="fused-cpu", ray=False)
    assert list(tmp_path.iterdir()) == []
