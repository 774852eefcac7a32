"""Collapse over training has a section where something collapsed, and none elsewhere."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from html_page import Page
from synthetic_rows import MADE, synthetic_rows

from trainability import SGD, Study
from trainability.report import write_report
from trainability.results import checkpoints
from trainability.schemes import UnitSphere
from trainability.storage import Storage
from trainability.tasks import AbsoluteValue

pytestmark = pytest.mark.usefixtures("unrendered")

STUDY = Study(
    name="constant",
    question="Does it stay alive?",
    task=AbsoluteValue(n_train=16),
    scheme=UnitSphere(),
    axes={"width": [2, 4]},
    optimizer=SGD(learning_rate=0.01),
    max_steps=500,
    tolerance=1e-3,
    replicates=256,
)
STEPS = np.array(checkpoints(500))


def report(tmp_path, study, times, until=501):
    """Of width 2, 64 networks collapse at every one of the times, and wake up at some step."""
    storage = Storage(tmp_path)
    for cell in study.cells():
        rows = synthetic_rows(study.name, cell, [0])
        when = np.full(256, 501)
        if cell.width == 2:
            when[: 64 * len(times)] = np.repeat(times, 64)
        curve = (STEPS[None] >= when[:, None]) & (until > STEPS)
        rows = rows.assign(collapsed_curve=list(curve), collapsed=curve[:, -1])
        storage.write_rows(study.name, rows, MADE)
    return write_report(study, storage)


def test_the_section_says_where_when_and_how_many(tmp_path):
    written = report(tmp_path, STUDY, [0, 50, 100])
    page = Page(written.page.read_text()).text
    assert (
        "width 2: 75.0 % of them. At birth it was 25.0 %; half of it had happened by step 50."
        in page
    )
    table = pd.read_csv(written.folder / "collapse.csv").set_index(["cell", "step"])
    narrow, wide = (cell.id for cell in STUDY.cells())
    rates = [table.loc[(narrow, step), "collapsed_rate"] for step in (0, 20, 50, 500)]
    assert rates == pytest.approx([0.25, 0.25, 0.5, 0.75])
    assert table.loc[wide, "collapsed_rate"].max() == 0
    assert "25.0 [19.8, 30.8]" in page  # with its interval


def test_networks_that_wake_up_have_not_collapsed_at_the_end(tmp_path):
    study = dataclasses.replace(STUDY, name="waking")
    page = Page(report(tmp_path, study, [0, 50], until=200).page.read_text()).text
    assert "No network is constant at the end" in page and "half of it" not in page


def test_nothing_is_shown_where_nothing_collapsed(tmp_path):
    study = dataclasses.replace(STUDY, name="lively")
    page = Page(report(tmp_path, study, []).page.read_text()).text
    assert "Collapse" not in page.replace("Collapsed", "")
