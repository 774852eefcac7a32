"""The width that success takes over the number of samples: a sentence, a figure and a table."""

import pytest
from html_page import Page
from synthetic_rows import store

from trainability import Adam, Study
from trainability.findings import study as findings_of
from trainability.report import write_report
from trainability.schemes import UnitSphere
from trainability.storage import Storage
from trainability.tasks import Table


@pytest.mark.usefixtures("unrendered")
def test_the_width_over_samples_is_drawn_with_its_power(tmp_path, monkeypatch):
    study = Study(
        name="samples",
        question="With which power does the width grow?",
        quantity="minimal_width",
        task=None,
        axes={
            "task": [Table(dataset="diabetes", rows=n) for n in (8, 16, 32)],
            "width": [2, 4, 8, 16],
        },
        scheme=UnitSphere(),
        optimizer=Adam(learning_rate=0.02),
        max_steps=50,
        tolerance=1e-3,
        replicates=256,
    )
    storage = Storage(tmp_path)
    useful = {8: 0.6, 16: 0.4, 32: 0.25}
    for cell in study.cells():
        store(storage, study.name, cell, [0], useful[cell.task.n_train])
    report = write_report(study, storage)
    page = Page(report.page.read_text())
    power = report.findings.scaling["power"].iloc[0]
    (alt,) = [text for text in page.alts if text.startswith("Width for 90 % success over samples")]
    assert f"power {power:.2f} for diabetes" in alt
    assert (report.folder / "scaling.png").exists() and (report.folder / "scaling.svg").exists()
    # Cells that were looked at several times: the interval of their power holds at any look.
    valid = findings_of.with_valid_intervals
    monkeypatch.setattr(findings_of, "with_valid_intervals", lambda *given: (valid(*given)[0], 5))
    often = findings_of.find(study, storage).scaling
    once = report.findings.scaling
    assert (often["power_low"] < once["power_low"]).all()
    assert (often["power_high"] > once["power_high"]).all()
