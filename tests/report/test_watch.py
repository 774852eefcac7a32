"""A report that follows a study: written anew for new rows, until the study is complete."""

import pytest
from synthetic_rows import store

from trainability import Adam, Study
from trainability.report import watch_report
from trainability.report.watch import reports_of_more
from trainability.schemes import He
from trainability.storage import Storage
from trainability.tasks import AbsoluteValue

pytestmark = pytest.mark.usefixtures("unrendered")

STUDY = Study(
    name="followed",
    question="Is it followed?",
    task=AbsoluteValue(n_train=16),
    axes={"width": [2, 4, 8]},
    scheme=He(bias_std=1.0),
    optimizer=Adam(learning_rate=0.02),
    max_steps=50,
    tolerance=1e-3,
    replicates=256,
)


def test_the_report_is_written_for_new_rows_alone_and_ends_with_the_study(tmp_path):
    storage, cells = Storage(tmp_path), list(STUDY.cells())
    waits = []

    def wait(seconds):
        waits.append(seconds)
        if len(waits) in (2, 4, 5):  # the others bring nothing
            store(storage, STUDY.name, cells.pop(0), [0], 0.6)

    done = [report.findings.n_networks for report in watch_report(STUDY, storage, wait)]
    assert done == [256, 512, 768] and len(waits) == 5
    assert "refresh" not in (tmp_path / "followed" / "report" / "index.html").read_text()[:2000]


def test_what_the_wait_raises_ends_it_and_the_page_stays(tmp_path):
    storage = Storage(tmp_path)
    store(storage, STUDY.name, STUDY.cells()[0], [0], 0.6)

    def wait(seconds):
        raise KeyboardInterrupt

    reports = watch_report(STUDY, storage, wait)
    page = next(reports).page
    with pytest.raises(KeyboardInterrupt):
        next(reports)
    assert page.is_file() and not list(page.parent.parent.glob(".report-*"))


def test_whoever_asks_gets_a_report_of_more_or_none(tmp_path):
    """So may who writes a live page, as often as that costs next to nothing."""
    storage, cells = Storage(tmp_path), list(STUDY.cells())
    reports = reports_of_more(STUDY, storage)
    page = tmp_path / STUDY.name / "report" / "index.html"
    assert next(reports) is None and not page.exists()
    store(storage, STUDY.name, cells[0], [0], 0.6)
    written = next(reports)
    assert written is not None and written.page == page and page.is_file()
    page.unlink()
    assert next(reports) is None and not page.exists()
    for cell in cells[1:]:
        store(storage, STUDY.name, cell, [0], 0.6)
    whole = next(reports)
    assert whole is not None and whole.findings.is_complete
    store(storage, STUDY.name, cells[0], [1], 0.6)  # which a study that grows may want
    assert next(reports) is not None and next(reports) is None
