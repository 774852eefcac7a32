"""What a page says it says once, in words that it explains, of what it shows."""

import dataclasses
import re
import shlex
from collections import Counter

import pytest
from html_page import Page
from synthetic_rows import MADE, store

from trainability import Adam, Module, Study
from trainability.report import write_report
from trainability.schemes import He, UnitSphere
from trainability.storage import Storage
from trainability.tasks import AbsoluteValue

pytestmark = pytest.mark.usefixtures("unrendered")

STUDY = Study(
    name="once",
    question="Is it said once?",
    task=AbsoluteValue(n_train=16),
    axes={"scheme": [UnitSphere(), He(bias_std=1.0)], "width": [2, 4, 8]},
    optimizer=Adam(learning_rate=0.01),
    max_steps=2000,
    tolerance=1e-3,
    replicates=256,
)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    place = Storage(tmp_path_factory.mktemp("results"))
    for cell in STUDY.cells():
        store(place, STUDY.name, cell, [0], 0.6)
    return write_report(STUDY, place).page.read_text()


def test_no_paragraph_stands_twice(raw):
    paragraphs = re.findall(r"<p>(.*?)</p>", raw.split("</style>")[1], flags=re.DOTALL)
    assert len(paragraphs) > 8
    assert [text for text, n in Counter(paragraphs).items() if n > 1] == []
    for text in ("then q =", "theory predicts success", "networks that failed", "untrainable net"):
        assert any(text in paragraph for paragraph in paragraphs)


def test_the_command_that_opens_the_rows_is_quoted_once(raw):
    [line] = [text for text in Page(raw).text.splitlines() if "python -c" in text] or [""]
    code = line[line.index("python -c") :]
    assert "'\"'\"'" not in code
    _, _, python, *_ = shlex.split(code)
    assert python == (
        "from trainability.storage import Storage; "
        f'print(Storage("{python.split(chr(34))[1]}").read_rows("once"))'
    )


def test_no_word_is_left_unexplained(raw):
    text = Page(raw).text
    assert "trials" not in text and " s of computing, on 1 machine" in text and "of .01" not in text


def small(n: int):
    from torch import nn

    return nn.Sequential(nn.Linear(1, n), nn.ReLU(), nn.Linear(n, 1))


def test_figures_and_tables_are_named_by_what_they_show(tmp_path):
    from trainability.trial import Runtime, run_trial

    networks = Module.grid(small, n=[1, 3])
    axes = {"network": networks, "optimizer": [STUDY.optimizer, Adam(learning_rate=0.02)]}
    study = dataclasses.replace(STUDY, axes=axes, optimizer=None, scheme=UnitSphere(), depth=None)
    study = dataclasses.replace(study, tolerance=0.2, max_steps=20)
    storage = Storage(tmp_path)
    for cell in study.cells():
        rows, made = run_trial(study.name, cell, [0], Runtime())
        storage.write_rows(study.name, rows, MADE | made)
    report = write_report(study, storage)
    page = Page(report.page.read_text())
    assert {"success_over_n_argument.png"} < set(page.links)
    assert "success_over_width.png" not in page.links
    # Every file that is listed is spoken of, and no mark is that is nowhere.
    assert ("laws.csv" in page.links) == ("Do untrainable networks fail?" in page.text)
    assert "laws.csv" in page.links
    assert "marked as a bound" not in page.text and "Validation:" not in page.text
