"""The whole report, made from synthetic rows: its page, its tables, what its sentences say."""

import dataclasses
import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from html_page import Page
from rich.console import Console
from synthetic_rows import MADE, store, synthetic_rows

from trainability import SGD, Adam, Study
from trainability.errors import InputError
from trainability.growth import Growth, Point
from trainability.report import write_report
from trainability.schemes import He, UnitSphere
from trainability.storage import Storage
from trainability.study.published import Published
from trainability.tasks import AbsoluteValue

STUDY = Study(
    name="shown",
    question="Is it shown?",
    task=AbsoluteValue(n_train=16),
    axes={"scheme": [UnitSphere(), He(bias_std=1.0)], "width": [2, 4, 8]},
    optimizer=Adam(learning_rate=0.02),
    max_steps=50,
    tolerance=1e-3,
    replicates=256,
)


def made(study, storage, q=lambda cell: 0.6, cells=None):
    """A report on one synthetic block of each cell, whose neurons are useful with this chance."""
    for cell in cells or study.cells():
        store(storage, study.name, cell, [0], q(cell))
    return write_report(study, storage)


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    return Storage(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def report(storage):
    return made(STUDY, storage)


@pytest.fixture(scope="module")
def page(report):
    return Page(report.page.read_text())


def table(report, name):
    return pd.read_csv(report.folder / f"{name}.csv")


def test_a_page_loads_nothing_and_links_to_what_is_there(report, page):
    assert not {"link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert page.loads and all(source.startswith("data:image/png;base64,") for source in page.loads)
    assert page.links and not any(":" in link or link.startswith("/") for link in page.links)
    files = [link for link in page.links if not link.startswith("#")]
    assert all((report.folder / link).is_file() for link in files)
    assert {path.name for path in report.folder.iterdir()} - {"index.html"} == set(files)
    assert "url(" not in page.style and "@import" not in page.style and page.style


def test_every_table_is_a_file_and_every_figure_is_there_twice(report, page):
    for name in report.findings.tables:
        assert f"{name}.csv" in page.text and len(table(report, name))
    figures = {path.stem for path in report.folder.glob("*.png")}
    assert {"success_over_width", "survival", "losses", "census", "count_calibration"} <= figures
    assert figures == {path.stem for path in report.folder.glob("*.svg")}
    assert len(page.loads) == len(figures)


def test_the_same_rows_give_the_same_tables(report, storage):
    before = {path.name: path.read_bytes() for path in report.folder.iterdir()}
    again = write_report(STUDY, storage)
    assert {path.name: path.read_bytes() for path in again.folder.iterdir()} == before


def test_the_rates_of_the_page_are_those_of_the_file_and_of_the_rows(report, page, storage):
    rates = table(report, "rates")
    rows = storage.read_rows(STUDY.name).groupby("cell")["success"]
    assert rates.set_index("cell")["successes"].to_dict() == rows.sum().to_dict()
    for _, row in rates.iterrows():
        shown = f"{100 * row['success_rate']:.1f} [{100 * row['success_rate_low']:.1f}, "
        assert shown in page.text


def test_the_numbers_of_the_sentences_are_those_of_the_tables(report, page):
    rates, failures = table(report, "rates"), table(report, "failures")
    answer = " ".join(page.words[: page.words.index("Success over width")])
    assert answer.startswith("shown: trainability Is it shown?")
    gap = rates["trainability"] - rates["success_rate"]
    widest = rates.loc[gap.idxmax()]
    assert f"in all {len(rates)} cells (" in answer
    assert f"{rates['n'].sum():,} networks, exact test)" in answer
    assert f"by up to {100 * gap.max():.1f} percentage points: {widest['curve']} at" in answer
    pooled = table(report, "pooled_comparisons").iloc[0]
    assert f"{100 * abs(pooled['difference']):.1f} percentage points (95 % interval" in answer
    assert "on average over the 3 widths studied" in answer and "n = 768 networks each" in answer
    further = page.words.index("Further findings", page.words.index("What was run") + 1)
    answer = " ".join(page.words[further:])  # below the main figure
    activity = table(report, "effective_activity")
    assert (
        f"q = {activity['q'].min():.3f} [" in answer and f"to {activity['q'].max():.3f} [" in answer
    )
    untrainable = int((rates["n"] - rates["n_trainable"]).sum())
    assert f"None of {untrainable:,} untrainable networks succeeded" in answer
    assert f"Of {failures['count'].sum():,} networks that failed although" in answer
    laws = table(report, "laws")
    assert laws["holds"].all() and all(verdict in page.text for verdict in laws["verdict"])


def test_the_terminal_says_what_the_page_says(report, page):
    text = io.StringIO()
    report.show(Console(file=text, width=80))
    shown = text.getvalue()
    assert all(len(line) <= 80 for line in shown.splitlines())
    first = page.words[page.words.index("Is it shown?") + 1]
    assert first in " ".join(shown.split())


def test_a_reader_can_trace_a_number(report, page, storage):
    name = Path(storage.address).name
    assert f"{name}/shown/CELL/blocks-*.parquet" in page.text
    assert f"trainability run shown --storage {name}" in page.text and "from seed 0" in page.text
    assert table(report, "blocks")["cell"].nunique() == 6
    declared = re.search(r"<pre>(\{.*?\})\s*</pre>", report.page.read_text(), re.S)[1]
    assert Study.from_json(declared.replace("&#34;", '"')) == STUDY


@pytest.mark.usefixtures("unrendered")
def test_an_unfinished_study_says_so_first(tmp_path):
    done = STUDY.cells()[:2]
    report = made(STUDY, Storage(tmp_path), cells=done)
    page = Page(report.page.read_text())
    said = "Unfinished: 512 of 1,536 networks in 2 of 6 cells."
    assert page.words[page.words.index("Is it shown?") + 1].startswith(said)
    assert "cells that are missing may change the answer" in page.text
    assert said in report.markdown
    assert set(table(report, "rates")["cell"]) == {cell.id for cell in done}


def test_a_study_without_rows_is_refused(tmp_path):
    with pytest.raises(InputError, match="no results of shown in .*; first run it"):
        write_report(STUDY, Storage(tmp_path))


@pytest.mark.parametrize(
    ("success", "told"),
    [
        (True, "width 2 suffices for 90 % success"),
        (False, "The highest success rate is 0 % (95 % interval 0 to 1.4, n = 256)"),
    ],
)
def test_studies_in_which_all_or_none_succeed_are_shown(tmp_path, success, told):
    storage = Storage(tmp_path)
    for cell in STUDY.cells():
        rows = synthetic_rows(STUDY.name, cell, [0], 1e-9)
        rows["trainable"] |= success
        rows["success"] = success
        rows["final_loss"] = 1e-4 if success else 0.5
        storage.write_rows(STUDY.name, rows, MADE)
    report = write_report(STUDY, storage)
    page = Page(report.page.read_text())
    assert "The difference in success between the 2 initializations is not certain" in page.text
    assert ("Why networks fail" in page.words) is not success
    assert told in page.text and not re.search(r"\b(nan|inf)\b", page.text)
    rates = table(report, "rates")
    assert (rates["success_rate"] == success).all()
    # Closed forms at the ends: 1 - 0.025^(1/256).
    end = 1 - 0.025 ** (1 / 256)
    limits = rates["success_rate_low" if success else "success_rate_high"]
    assert limits.tolist() == pytest.approx([1 - end if success else end] * 6)


def test_a_study_whose_networks_all_diverged_is_shown(tmp_path):
    storage = Storage(tmp_path)
    for cell in STUDY.cells():
        rows = synthetic_rows(STUDY.name, cell, [0], 1e-9).astype({"n_revived": "Int32"})
        rows["status"], rows["n_revived"] = "diverged", None
        rows["loss_curve"] = [np.append(curve[:1], [np.inf] * (len(curve) - 1))
                              for curve in rows["loss_curve"]]  # fmt: skip
        for state in ("active", "tentative", "permanent", "undecided"):
            rows[f"{state}_final"] = None
        storage.write_rows(STUDY.name, rows, MADE)
    page = Page(write_report(STUDY, storage).page.read_text())
    assert "100 % diverged." in page.text


def test_one_cell_alone_is_a_study(tmp_path):
    study = dataclasses.replace(STUDY, axes={}, scheme=He(), width=4)
    page = Page(made(study, Storage(tmp_path)).page.read_text())
    assert "in the one cell (" in page.text and "256 networks, exact test)" in page.text


HOSTILE = """<script>alert("1")</script> & "quotes" 'too' [bold]{{ 7 * 7 }}[/] <b>"""


def test_a_hostile_question_is_text_and_nothing_else(tmp_path):
    study = dataclasses.replace(STUDY, name="hostile", question=HOSTILE)
    report = made(study, Storage(tmp_path / "<i>&'x'"))
    page = Page(report.page.read_text())
    assert HOSTILE in page.text and not {"b", "i"} & set(page.tags)
    assert page.tags.count("script") == 3  # the chart's data, the library, our own
    text = io.StringIO()
    report.show(Console(file=text, width=200))
    assert HOSTILE in text.getvalue()


@pytest.mark.usefixtures("unrendered")
def test_a_hostile_source_of_published_numbers_is_text_too(tmp_path):
    published = Published(
        source="<img src=http://x>",
        quantity="success_rate",
        scheme=UnitSphere(),
        values=((2, 0.355), (4, 0.8)),
        n=4096,
        differs="</table>",
    )
    study = dataclasses.replace(STUDY, published=[published])
    report = made(study, Storage(tmp_path))
    page = Page(report.page.read_text())
    assert "Paper beside ours" in page.text and "<img src=http://x>" in page.text
    assert all(source.startswith("data:") for source in page.loads)
    beside = table(report, "published")
    rates = table(report, "rates").set_index(["scheme", "width"])["success_rate"]
    assert beside["ours"].tolist() == [rates["UnitSphere()", 2], rates["UnitSphere()", 4]]
    assert (beside["difference"] == beside["ours"] - beside["published"]).all()
    assert (beside["difference_low"] < beside["difference"]).all()


@pytest.mark.usefixtures("unrendered")
def test_curves_that_differ_in_more_than_the_scheme_are_named_by_it(tmp_path):
    optimizers = [Adam(learning_rate=0.01), Adam(learning_rate=0.02), SGD(learning_rate=0.1)]
    axes = {"width": [2, 4], "optimizer": optimizers[:2]}
    study = dataclasses.replace(STUDY, axes=axes, optimizer=None, scheme=He())
    report = made(study, Storage(tmp_path))
    assert list(dict.fromkeys(table(report, "rates")["curve"])) == [
        "learning rate 0.01",
        "learning rate 0.02",
    ]
    assert "Curves differ in optimizer" in Page(report.page.read_text()).text


@pytest.mark.usefixtures("unrendered")
def test_the_full_batch_beside_minibatches_is_a_curve_with_a_name(tmp_path):
    study = dataclasses.replace(
        STUDY, name="batches", axes={"batch_size": [None, 4], "width": [2, 4]}, scheme=He()
    )
    found = made(study, Storage(tmp_path)).findings
    assert set(found.rates["curve"]) == {"full batch", "batch size 4"}


@pytest.mark.usefixtures("unrendered")
def test_a_refined_study_says_where_success_crosses(tmp_path):
    storage = Storage(tmp_path)
    first = STUDY.cells()[0]
    point = Point(first.id, "width", 3)
    record = {
        "rule": dataclasses.asdict(Growth(n_blocks=1, refine=0.5)),
        "points": [dataclasses.asdict(point)],
    }
    storage.write_bytes("shown/growth.json", json.dumps(record).encode())
    cells = {cell.id: cell for cell in STUDY.cells()}
    report = made(STUDY, storage, lambda cell: 0.6 if cell.width > 2 else 0.3,
                  [*cells.values(), point.cell(cells)])  # fmt: skip
    places = table(report, "boundaries")
    assert places[["axis", "from", "to", "located"]].to_numpy().tolist() == [
        ["width", 2, 3, True],
        ["width", 2, 4, False],
    ]
    text = Page(report.page.read_text()).text
    assert "Success crosses 50 % between width 2 and 3 (UnitSphere) and width 2 and 4 (He" in text
    assert "1 of 2 not yet located." in text and "Where success crosses 50 %" in text
    # The point stands where a reader looks for it.
    assert table(report, "rates")["width"].tolist() == [2, 3, 4, 8, 2, 4, 8]
