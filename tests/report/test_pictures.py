"""Pictures drawn by two processes: the same files, whatever becomes of the other one."""

import dataclasses
import subprocess
import sys
import threading
from collections import deque

import pytest
from synthetic_rows import store

from trainability import Adam, Study
from trainability.findings.study import find
from trainability.report import library, pictures
from trainability.report.figures import drawings
from trainability.schemes import He, UnitSphere
from trainability.storage import Storage
from trainability.tasks import AbsoluteValue


@dataclasses.dataclass(frozen=True)
class Own(UnitSphere):
    """A scheme that no other process can import."""


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
    names = list(drawings(findings))
    left, drawn = deque(names), {}
    with pictures.Helper() as helper, helper.drawing(findings, tmp_path, left, drawn):
        while len(drawn) < len(names) and helper._process.poll() is None:
            threading.Event().wait(0.05)
    assert not left and list(drawn) == names[::-1]
    assert drawn == alone[0] and contents(tmp_path) == alone[1]


def test_both_together_draw_each_picture_once_and_nothing_stays(findings, alone, tmp_path):
    with pictures.Helper() as helper:
        together = pictures.draw_pictures(findings, tmp_path, helper)
    assert helper._process.returncode is not None
    assert list(together.items()) == list(alone[0].items()) and contents(tmp_path) == alone[1]


@pytest.mark.parametrize("cores", [1, 2])
def test_a_helper_is_there_where_it_has_a_core(cores, monkeypatch):
    monkeypatch.setattr(pictures, "available_cores", lambda: cores)
    with pictures.helping() as helper:
        assert isinstance(helper, pictures.Helper) == (cores > 1)
    assert helper is None or helper._process.returncode is not None


@pytest.mark.parametrize("program", ["raise SystemExit", "print('no answer', flush=True)"])
def test_without_a_helper_that_lives_this_process_draws_all(
    program, findings, alone, tmp_path, monkeypatch
):
    monkeypatch.setattr(pictures, "_CODE", program)
    with pictures.Helper() as helper:
        helper._process.wait(60)
        together = pictures.draw_pictures(findings, tmp_path, helper)
    assert together == alone[0] and contents(tmp_path) == alone[1]


def test_a_helper_that_dies_while_it_draws_leaves_its_picture_to_this_process(
    findings, alone, tmp_path, monkeypatch
):
    code = pictures._CODE.replace("import main;", "import main, Picture; import os;").replace(
        "main()", "Picture.save = lambda *_: os._exit(1); main()"
    )
    monkeypatch.setattr(pictures, "_CODE", code)
    makers = drawings(findings)
    left, drawn = deque(makers), {}
    with pictures.Helper() as helper, helper.drawing(findings, tmp_path, left, drawn):
        assert helper._process.wait(120) == 1
    assert not drawn and len(left) == len(makers) - 1
    with pictures.Helper() as helper:
        assert pictures.draw_pictures(findings, tmp_path, helper) == alone[0]


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
