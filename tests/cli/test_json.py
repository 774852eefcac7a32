"""`--json`: one document on stdout that any parser reads, everything else on stderr."""

import json
import os
import subprocess
import sys

import pytest
from storage.in_process import call
from synthetic_rows import store

from trainability.cli.documents import plain, records
from trainability.storage import Storage
from trainability.study import load_study

pytestmark = pytest.mark.usefixtures("unrendered")

STUDY = """
from trainability import Adam, Study
from trainability.schemes import He, UnitSphere
from trainability.tasks import AbsoluteValue

print("a study file may print")

STUDY = Study(
    name="mine",
    question="Is it one document?",
    task=AbsoluteValue(n_train=16),
    axes={"scheme": [He(), UnitSphere()], "width": [2, 4]},
    optimizer=Adam(learning_rate=0.02),
    max_steps=50,
    tolerance=1e-3,
    replicates=256,
)
"""


def document(text):
    """A document of JSON alone: no NaN, nothing before or after."""

    def refused(name):
        raise AssertionError(f"{name} is no JSON")

    assert text.count("\n") == 1 and text.endswith("\n")
    return json.loads(text, parse_constant=refused)


@pytest.fixture
def mine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(STUDY)
    return load_study("mine.py")


def test_all_of_a_run_as_documents(mine, tmp_path):
    """Run, sync and tune as a user does: libraries may print what they like."""

    def typed(*words):
        command = [sys.executable, "-m", "trainability", *words, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return document(done.stdout), done.stderr

    found, err = typed("run", "mine.py", "--no-ray")
    assert "a study file may print" in err and "networks trained in" in err
    assert found["study"] == "mine" and found["is_complete"] and found["networks"] == 1024
    assert os.path.exists(found["report"]) and len(found["cells"]) == 4 and found["answer"]
    for cell in found["cells"]:
        assert cell["success_rate_low"] <= cell["success_rate"] <= cell["success_rate_high"]
        assert cell["n"] == 256 and cell["scheme"] in ("He()", "UnitSphere()")
    found, _ = typed("sync", "mine.py")
    assert found["cells"] == found["cells_mirrored"] == 4 and "sqlite" in found["tracking_uri"]


def test_dry_runs_as_documents(mine, tmp_path):
    storage = Storage(tmp_path / "results")
    store(storage, "mine", mine.cells()[0], [0])
    found = document(call("run", "mine.py", "--dry-run", "--json", "--replicates", 512).out)
    assert found["networks_to_run"] == 256 + 3 * 512
    assert [cell["networks_stored"] for cell in found["cells"]] == [256, 0, 0, 0]
    found = document(call("tune", "tune_absolute_value", "--dry-run", "--json").out)
    assert len(found["tunings"]) == 2 and found["tunings"][0]["plan"]


def test_a_report_and_a_status_as_documents(mine, tmp_path):
    storage = Storage(tmp_path / "results")
    for cell in mine.cells()[:2]:
        store(storage, "mine", cell, [0])
    done = call("report", "mine.py", "--json")
    [found] = document(done.out)["studies"]
    assert not found["is_complete"] and (found["networks"], found["networks_wanted"]) == (512, 1024)
    assert [cell["n"] for cell in found["cells"]] == [256, 256]
    cells = document(call("status", "mine.py", "--json").out)["cells"]
    assert [cell["replicates_to_do"] for cell in cells] == [0, 0, 256, 256]
    assert cells[0]["success_rate"] == cells[0]["successes"] / 256
    assert cells[2]["success_rate"] is None and cells[0]["success_rate_low"] > 0


def test_what_lies_between_two_studies_is_printed_too(mine, tmp_path):
    (tmp_path / "other.py").write_text(STUDY.replace('"mine"', '"other"').replace("He(),", ""))
    other = load_study("other.py")
    for study in (mine, other):
        for cell in study.cells():
            store(Storage(tmp_path / "results"), study.name, cell, [0])
    said = document(call("report", "mine.py", "other.py", "--json").out)["between"]
    assert len(said) == 2 and "The 2 cells that mine and other have in common" in said[1]
    shown = call("report", "mine.py", "other.py").out
    last = shown.split("other/report/index.html\n\nBetween mine and other\n")[1]
    assert " ".join(last.split()).startswith(" ".join(said)) and "side by side:  " in last


@pytest.mark.parametrize("command", ["run", "report", "status", "sync", "tune", "birth"])
def test_what_is_refused_prints_no_document(command, mine):
    done = call(command, "nosuch", "--json")
    assert done.code == 2 and done.out == "" and "nosuch" in done.text and not done.traceback


def test_what_json_has_no_number_for_is_null():
    import numpy as np
    import pandas as pd

    odd = {"a": [float("nan"), np.float32("inf"), np.int64(3)], 1: (np.array([1.5, np.nan]),)}
    assert plain(odd) == {"a": [None, None, 3], "1": [[1.5, None]]}
    table = pd.DataFrame({"n": pd.array([1, None], "Int64"), "x": [0.5, np.nan]})
    assert records(table) == [{"n": 1, "x": 0.5}, {"n": None, "x": None}]
