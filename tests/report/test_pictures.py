"""Pictures drawn by two processes: the same files, whatever becomes of the other one."""

import dataclasses
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from synthetic_rows import store

from trainability import Adam, Study
from trainability.findings import gather
from trainability.findings.study import find
from trainability.report import helper as report_helper
from trainability.report import library, pictures
from trainability.report.figures import drawings
from trainability.report.helper import Helper
from trainability.schemes import He, UnitSphere
from trainability.storage import Storage
from trainability.tasks import AbsoluteValue


@dataclasses.dataclass(frozen=True)
class Own(UnitSphere):
    """A scheme that no other process can import."""


@dataclasses.dataclass
class Waiting:
    """Calls a function where files need not be waited for, for a minute at most."""

    function: object

    def __call__(self, entry):
        name, files = entry
        end = time.monotonic() + 60
        while not all(file.exists() for file in files) and time.monotonic() < end:
            time.sleep(0.05)
        return None if name is None else self.function(name)


@dataclasses.dataclass
class Deadly:
    """Ends every process but one, which waits for that."""

    survivor: int
    last_word: Path

    def __call__(self, entry):
        if os.getpid() != self.survivor:
            self.last_word.touch()
            os._exit(1)
        return Waiting(int)((entry, [self.last_word]))


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    study = Study(
        name="drawn",
        question="Is it drawn?",
        task=AbsoluteValue(n_train=16),
        axes={"scheme": [Own(), He(bias_std=1.0)], "width": [2, 4]},
        optimizer=Adam(learning_rate=0.02),
        max_steps=50,
        tolerance=1e-3,
        replicates=256,
    )
    storage = Storage(tmp_path_factory.mktemp("results"))
    for cell in study.cells():
        store(storage, study.name, cell, [0], 0.6)
    return find(study, storage)


@pytest.fixture(scope="module")
def alone(findings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    return pictures.draw_pictures(findings, folder), contents(folder)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_the_helper_draws_is_the_same(findings, alone, tmp_path):
    """It draws all but one, for which this process waits until all others are drawn."""
    names = list(drawings(findings))
    others = [tmp_path / f"{name}.png" for name in names[1:]]
    with Helper() as helper:
        entries = [(None, others), *((name, []) for name in names[1:])]
        drawn = helper.map(Waiting(pictures._Drawing(findings, tmp_path)), entries)
    assert drawn == [None, *(alone[0][name] for name in names[1:])]
    assert contents(tmp_path) == {
        name: data for name, data in alone[1].items() if not name.startswith(names[0])
    }


def test_both_together_draw_each_picture_once_and_nothing_stays(findings, alone, tmp_path):
    with Helper() as helper:
        together = pictures.draw_pictures(findings, tmp_path, helper)
    assert helper._process.returncode is not None and not helper._thread.is_alive()
    assert list(together.items()) == list(alone[0].items()) and contents(tmp_path) == alone[1]


@pytest.mark.parametrize("cores", [1, 2])
def test_a_helper_is_there_where_it_has_a_core(cores, monkeypatch):
    monkeypatch.setattr(report_helper, "available_cores", lambda: cores)
    with report_helper.helping() as helper:
        assert isinstance(helper, Helper) == (cores > 1)
    assert helper is None or helper._process.returncode is not None


@pytest.mark.parametrize(
    "program",
    [
        "raise SystemExit",
        "print('no answer', flush=True)",
        "print('what a site file says before all else', flush=True)",
    ],
)
def test_without_a_helper_that_lives_this_process_does_all(
    program, findings, alone, tmp_path, monkeypatch
):
    monkeypatch.setattr(report_helper, "_CODE", program)
    with Helper() as helper:
        helper._process.wait(60)
        together = pictures.draw_pictures(findings, tmp_path, helper)
        assert helper.map(str, [1, 2]) == ["1", "2"]
    assert together == alone[0] and contents(tmp_path) == alone[1]


def test_what_a_helper_dies_of_is_done_by_this_process(tmp_path):
    with Helper() as helper:
        deadly = Deadly(os.getpid(), tmp_path / "word")
        assert helper.map(deadly, [1, 2, 3]) == [1, 2, 3]
        assert helper._process.wait(120) == 1
        assert helper.map(deadly, [4, 5]) == [4, 5]


def test_an_error_is_raised_by_this_process_whoever_meets_it():
    with pytest.raises(ZeroDivisionError), Helper() as helper:
        helper.map(Waiting(lambda entry: 1 // entry), [(1, []), (0, []), (1, [])])


def test_a_report_that_is_shared_has_the_same_tables(findings, tmp_path):
    storage = Storage(tmp_path)
    for cell in findings.study.cells():
        store(storage, findings.study.name, cell, [0], 0.6)
    calls = []

    def shared(function, entries):
        calls.extend(entries)
        function = pickle.loads(pickle.dumps(function))
        return [pickle.loads(pickle.dumps(function(entry))) for entry in entries]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gather, "_LEAST_SHARE", 1)
        together = find(findings.study, storage, shared)
    assert [cell for cells in calls for cell in cells] == list(findings.cells) and len(calls) == 4
    assert together.tables.keys() == findings.tables.keys()
    for name, table in together.tables.items():
        if name != "blocks":  # when each file was written
            pd.testing.assert_frame_equal(table, findings.tables[name])


def test_the_library_is_bundled_once(tmp_path, monkeypatch):
    monkeypatch.setenv("TRAINABILITY_CACHE", str(tmp_path))
    ran = []

    def bundle(command, **options):
        ran.append(command)
        return subprocess.CompletedProcess(command, 0, stdout=b"code <!-- </script>")

    monkeypatch.setattr(subprocess, "run", bundle)
    for _ in range(2):
        assert library.vega.__wrapped__() == r"code \x3c!-- \x3c/script>"
    assert len(ran) == 1 and ran[0][0] == sys.executable


def test_an_index_that_is_wrong_in_a_function_is_no_end_of_the_entries():
    met = []

    def wrong(entry):
        met.append(entry)
        return [][entry]

    with pytest.raises(IndexError), Helper() as helper:
        helper.map(wrong, [1, 2])
    assert met == [1]


def test_who_draws_elsewhere_makes_its_own_makers(findings, tmp_path):
    draw = pictures._Drawing(findings, tmp_path)
    before = pickle.dumps(draw)
    assert draw.makers and pickle.dumps(draw) == before
