"""Every study that is shipped runs at a tiny size, and its report begins with its answer."""

import dataclasses
import re
from functools import cache
from pathlib import Path

import pytest
from html_page import Page
from synthetic_rows import MADE

from trainability.findings.study import find
from trainability.report import write_report
from trainability.report.sentences import answer
from trainability.storage import Storage
from trainability.study import Study, load_study
from trainability.study.loading import load_module
from trainability.study.published import cells_of
from trainability.study.quantities import QUANTITIES
from trainability.trial import Runtime, run_trial

FOLDER = Path(__file__).parents[1] / "studies"
MOST_CELLS = 8
MOST_STEPS, MOST_STEPS_OF_MODULES = 8, 2


FILES = {file.stem: file for file in sorted(FOLDER.glob("*.py"))}
# By their text: to execute them all takes seconds, wherever tests are collected.
NAMES = [name for name, file in FILES.items() if re.search(r"^STUDY\b", file.read_text(), re.M)]


@cache
def study_of(name):
    return load_module(FILES[name]).STUDY


def tiny(study):
    """The first values of every axis, as many as give few cells, the smallest networks first."""
    axes = {name: list(values) for name, values in study.axes.items()}
    for name in ("depth", "width"):
        if name in axes and all(isinstance(value, int) for value in axes[name]):
            axes[name] = sorted(axes[name])
    while len(cells := dataclasses.replace(study, axes=axes, published=()).cells()) > MOST_CELLS:
        longest = max(axes, key=lambda name: (len(axes[name]), name))
        axes[longest] = axes[longest][:-1]
    # Of many cells together so few say nothing.
    published = [entry for entry in study.published if QUANTITIES[entry.about].kind != "scaling"
                 and all(cells_of(where, cells) for where, _ in entry.numbers())]  # fmt: skip
    is_of_modules = any(cell.network is not None for cell in cells)
    steps = min(study.max_steps, MOST_STEPS_OF_MODULES if is_of_modules else MOST_STEPS)
    axes |= {"max_steps": [steps]} if "max_steps" in axes else {}
    return dataclasses.replace(
        study, axes=axes, replicates=256, max_steps=steps, published=published
    )


def test_a_file_that_declares_no_study_declares_a_tuning():
    for name in FILES.keys() - set(NAMES):
        module = load_module(FILES[name])
        assert not hasattr(module, "STUDY") and hasattr(module, "TUNING"), name


@pytest.mark.parametrize("name", NAMES)
def test_a_study_runs_and_its_report_answers_its_question(name, tmp_path):
    study = study_of(name)
    assert isinstance(study, Study) and study.name == name and study.question.endswith("?")
    assert Study.from_json(study.to_json()).to_json() == study.to_json()
    small = tiny(study)
    storage = Storage(tmp_path)
    for cell in small.cells():
        rows, made = run_trial(small.name, cell, [0], Runtime())
        storage.write_rows(small.name, rows, MADE | made)
    findings = find(small, storage)
    first = answer(findings)[0]
    quantity = findings.asked.quantity
    assert quantity.noun in first or (
        quantity.name == "success" and ("succe" in first or first.startswith("No difference"))
    )
    published = findings.published
    assert set(published["source"]) == {entry.source for entry in small.published}
    page = Page(write_report(small, storage).page.read_text())
    assert first.replace(" %", "\u00a0%") in page.text.replace(" %", "\u00a0%")
    assert ("Paper beside ours" in page.text) == bool(len(published))


@pytest.mark.parametrize("name", NAMES)
def test_a_study_is_loaded_by_its_name(name):
    assert load_study(name).question == study_of(name).question
