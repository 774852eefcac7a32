"""The page in a browser's eyes: the interactive figure, the matrix, what it gives away."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import vl_convert
from html_page import Page
from synthetic_rows import store

from trainability import Adam, Study
from trainability.report import build, library, write_report
from trainability.report.chart import make_chart
from trainability.schemes import He, UnitSphere
from trainability.storage import Storage
from trainability.tasks import AbsoluteValue, Table

STUDY = Study(
    name="seen",
    question="Is it seen?",
    task=AbsoluteValue(n_train=16),
    axes={"scheme": [UnitSphere(), He(bias_std=1.0)], "width": [2, 4, 64]},
    optimizer=Adam(learning_rate=0.02),
    max_steps=50,
    tolerance=1e-3,
    replicates=256,
)
HOSTILE = '</script><script>alert("1")</script>'


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    storage = Storage(tmp_path_factory.mktemp("home") / "results")
    for cell in STUDY.cells():
        store(storage, STUDY.name, cell, [0], 0.6)
    return write_report(STUDY, storage)


@pytest.fixture(scope="module")
def page(report):
    return Page(report.page.read_text())


@pytest.fixture(scope="module")
def content(page):
    return json.loads(page.scripts[0])


def drawn(content, scale, shown=None):
    """The chart as Vega draws it."""
    spec = content["specs"][scale]
    for data in spec["data"]:
        if data["name"] in content["data"]:
            data["values"] = content["data"][data["name"]]
    if shown is not None:
        next(s for s in spec["signals"] if s["name"] == "shown")["value"] = shown
    return vl_convert.vega_to_svg(spec)


def test_the_figure_tells_n_interval_theory_and_cell_of_every_cell(report, content):
    rates = report.findings.rates
    points = content["data"]["points"]
    assert len(points) == len(rates) == 6
    for point, (cell, row) in zip(points, rates.iterrows(), strict=True):
        told = " ".join(point["telling"])
        assert f"cell {cell}" in told and f"{row['successes']} of n = 256 networks" in told
        limits = [f"{100 * row[f'success_rate_{end}']:.1f}" for end in ("low", "high")]
        assert row["success_rate"] == 1 or f"[{limits[0]}, {limits[1]}] %, 95 % interval" in told
        assert "trainability (theory)" in told and "fitted curve" in told


@pytest.mark.parametrize("scale", ["success", "failure"])
def test_vega_draws_points_intervals_fits_theory_and_marks(content, scale):
    svg = drawn(content, scale)
    assert svg.count('aria-roledescription="symbol mark container"') == 1
    symbols = svg.split('class="mark-symbol', 1)[1].split("</g>", 1)[0]
    assert symbols.count("<path") == 6
    lines = [part.split("</g>", 1)[0] for part in svg.split('class="mark-line')[1:]]
    assert len(lines) == 4  # of two curves theory, dashed, and the fit, drawn
    assert sum('stroke-dasharray="5,4"' in line for line in lines) == 2
    for level in ("90 %", "99", "99.9 %"):
        assert level in svg
    assert ("failure rate (logarithmic)" in svg) == (scale == "failure")
    assert "NaN" not in svg


def test_failures_that_were_not_seen_are_drawn_at_the_edge_and_hollow(content):
    symbols = drawn(content, "failure").split('class="mark-symbol', 1)[1].split("</g>", 1)[0]
    none = sum(point["success"] == 1 for point in content["data"]["points"])
    assert none >= 2 and symbols.count('fill-opacity="0"') == none


def test_curves_are_switched(content, page):
    assert 'type="checkbox"' not in page.text and page.tags.count("input") == 2 + 2
    svg = drawn(content, "success", ["UnitSphere"])
    assert svg.split('class="mark-symbol', 1)[1].split("</g>", 1)[0].count("<path") == 3


def test_a_curve_can_be_named_as_an_attacker_likes(report):
    rates = report.findings.rates.assign(curve=HOSTILE)
    chart = make_chart("x", rates, pd.DataFrame(), "width", 0.95)
    assert chart is not None and "<" not in chart.content
    assert json.loads(chart.content)["data"]["points"][0]["curve"] == HOSTILE


def test_places_that_are_texts_stand_side_by_side(report):
    widths = [f"({66 - width}, 2)" for width in report.findings.rates["width"]]
    rates = report.findings.rates.assign(widths=widths, width=np.nan)
    content = json.loads(make_chart("x", rates, pd.DataFrame(), "widths", 0.95).content)
    svg = drawn(content, "success")
    assert "(64, 2)" in svg and "NaN" not in svg
    assert "mark-line" not in svg  # between places that are no numbers there is nothing
    assert svg.count("mark-symbol") == 1 + len(set(rates["curve"]))  # and theory, curve by curve


def test_places_keep_their_order_where_the_first_curve_lacks_one(report):
    rates = report.findings.rates.assign(
        widths=report.findings.rates["width"].map("({:g}, 2)".format)
    )
    every = list(dict.fromkeys(rates["widths"]))
    lacking = rates[(rates["curve"] != rates["curve"].iloc[0]) | (rates["widths"] != every[1])]
    chart = make_chart("x", lacking, pd.DataFrame(), "widths", 0.95, every)
    assert orders(json.loads(chart.content)["specs"]["success"]) == [every]


def orders(spec):
    """The values of every axis of texts, wherever in a specification they stand."""
    inner = spec.values() if isinstance(spec, dict) else spec if isinstance(spec, list) else []
    own = [spec["domain"]] if isinstance(spec, dict) and spec.get("type") == "point" else []
    return own + [order for part in inner for order in orders(part)]


def test_too_many_cells_are_left_to_the_tables(report):
    rates = pd.concat([report.findings.rates] * 1000)
    assert make_chart("x", rates, pd.DataFrame(), "width", 0.95) is None


def test_the_library_cannot_end_its_own_element():
    code = library.vega()
    assert len(code) > 500_000
    assert "</script" not in code.lower() and "<!--" not in code


@pytest.mark.usefixtures("unrendered")
def test_without_the_library_the_picture_stands_there_alone(report, tmp_path, monkeypatch):
    monkeypatch.setattr(library, "vega", lambda: "")
    storage = Storage(report.folder.parent.parent)
    page = Page(write_report(STUDY, storage, tmp_path / "report").page.read_text())
    assert "input" not in page.tags and len(page.scripts) == 1
    assert page.alts[0].startswith("Success stays below the theoretical trainability")


def test_pictures_say_what_they_show(page):
    assert page.tags.count("img") == len(page.alts)
    assert all(len(alt.split()) > 4 for alt in page.alts)


def test_the_page_is_no_larger_than_two_megabytes(report):
    assert report.page.stat().st_size < 2_000_000


def test_the_matrix_holds_every_rate_with_interval_theory_and_n(page, report):
    shown = page.words[page.words.index("success in % by width") :]
    assert shown[1:4] == ["2", "4", "64"] and shown[4] == "UnitSphere"
    row = report.findings.rates.iloc[0]
    assert shown[5] == f"{100 * row['success_rate']:.1f}"
    low, high = (100 * row[f"success_rate_{end}"] for end in ("low", "high"))
    assert shown[6] == f"{low:.1f} to {high:.1f}"
    assert shown[7] == f"≤ {100 * row['trainability']:.1f}"
    assert "n = 256 networks each." in page.text


@pytest.mark.usefixtures("unrendered")
def test_the_page_of_an_unfinished_study_reads_itself_again(page, tmp_path):
    assert "refresh" not in page.meta
    storage = Storage(tmp_path)
    store(storage, STUDY.name, STUDY.cells()[0], [0], 0.6)
    page = Page(write_report(STUDY, storage).page.read_text())
    assert page.meta["refresh"] == f"{build.RELOAD_S}"
    assert f"trainability report seen --storage {tmp_path.name} --watch" in page.text


@pytest.mark.usefixtures("unrendered")
def test_no_page_says_where_its_author_keeps_things(tmp_path):
    folder = tmp_path / "nobodys-business"
    folder.mkdir()
    x = np.linspace(0, 1, 16)
    pd.DataFrame({"a": x, "b": x**2}).to_csv(folder / "data.csv", index=False)
    task = Table(str(folder / "data.csv"), features=["a"], target="b")
    study = dataclasses.replace(STUDY, task=task, axes={"task": [task, STUDY.task], "width": [4]},
                                scheme=He())  # fmt: skip
    storage = Storage(folder / "results")
    for cell in study.cells():
        store(storage, study.name, cell, [0], 0.6)
    text = write_report(study, storage).page.read_text()
    assert "data.csv" in text and str(tmp_path) not in text and "nobodys-business" not in text


def test_a_report_is_written_without_torch_and_summed_up_without_matplotlib():
    code = (
        "import sys, trainability.report.build; "
        "large = ('torch', 'ray', 'mlflow', 'numba', 'matplotlib', 'scipy.stats'); "
        "sys.exit(any(name in sys.modules for name in large))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
