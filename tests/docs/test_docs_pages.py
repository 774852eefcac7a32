"""What the documentation is made of: docstrings, columns, and files that stand elsewhere."""

import dataclasses
import doctest
from pathlib import Path

import adopted
import columns
import docstrings
import galleries
import pandas as pd
import pictures

import trainability
from trainability.analysis.comparisons import compare_cells
from trainability.analysis.measures import measure_means
from trainability.findings import meanings
from trainability.findings.boundaries import boundaries
from trainability.findings.published import COLUMNS as PUBLISHED
from trainability.results import COLUMNS, EVALUATED, MEANINGS
from trainability.schemes import He

ROOT = Path(__file__).parents[2]


def test_docstrings_become_restructured_text():
    assert doctest.testmod(docstrings) == doctest.TestResults(failed=0, attempted=1)


def test_code_may_go_on_in_the_next_line():
    lines = docstrings.as_restructured_text(["Args:", "    a: Such as `{1,", "        2}` or b_."])
    assert lines == ["Args:", "    a: Such as ``{1,``", "        ``2}`` or b\\_."]


def test_every_column_of_the_rows_has_a_meaning():
    assert [column.name for column in COLUMNS if column.name not in MEANINGS] == []


def test_tables_that_not_every_study_has_say_all_their_columns_too():
    """Which of the documentation's own study are missing is seen on the page alone."""
    text = columns.tables_text({})
    for name, own in meanings.OWN.items():
        part = text.split(f"### {name}.csv")[1].split("###")[0]
        assert all(f"| `{column}` | {told} |" in part for column, told in own.items())
    assert set(PUBLISHED) == set(meanings.OWN["published"])
    assert {"quantity", "cell"} < set(meanings.COLUMNS) | set(MEANINGS)


def test_a_boundary_and_a_measure_have_the_columns_that_are_told():
    cells = {cell.id: cell for cell in columns.SMALL.cells()}
    rates = pd.DataFrame([{**cell.columns(), "curve": "c"} for cell in cells.values()], [*cells])
    rates["success_rate"] = [0.1, 0.9, 0.2, 0.8]
    rates = rates.assign(success_rate_low=0.0, success_rate_high=1.0)
    crossed = boundaries(rates, cells, "width", 0.5)
    assert list(crossed) == list(meanings.OWN["boundaries"])
    measured = dict.fromkeys(EVALUATED) | {"accuracy": [0.5, 0.6]}
    rows = pd.DataFrame({"cell": ["a", "a"], "status": "ok", **measured})
    assert list(measure_means(rows)) == list(meanings.OWN["measures"])


def test_what_a_difference_is_taken_from_is_told_right():
    rows = pd.DataFrame(
        {"cell": ["a", "b"], "scheme": ["a", "b"], "replicate": 0, "success": [False, True]}
    )
    cells = rows.set_index("cell")[["scheme"]].assign(place="all")
    row = compare_cells(cells, rows, "scheme", by=("place",)).iloc[0]
    assert (row["a"], row["b"], row["difference"]) == ("a", "b", 1.0)
    assert meanings.COLUMNS["difference"] == "Success rate of b minus that of a."


def test_axes_stand_under_the_names_that_studies_give_them(tmp_path):
    galleries.write_gallery(galleries.GALLERIES[0], tmp_path)
    page = (tmp_path / "axes.rst").read_text()
    assert "\nbatch_size\n----------\n" in page and "\nBatchSizeAxis\n" not in page


def test_links_of_a_page_that_stands_elsewhere_lead_where_they_did(tmp_path):
    for path in adopted.PAGES.values():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("")
    page = tmp_path / "cluster" / "README.md"
    page.write_text(
        "[web](https://ray.io) [part](#a-part) [rules](../.github/CONTRIBUTING.md#start) "
        "[file](slurm.sh) [`folder`](../cluster) [top](../README.md)"
    )
    assert adopted.adopt(page, tmp_path / "pages", tmp_path) == (
        "[web](https://ray.io) [part](#a-part) [rules](extending.md#start) "
        "[file](../cluster/slurm.sh) `folder` `top`"
    )


def test_the_pages_that_stand_elsewhere_exist():
    assert all((ROOT / path).is_file() for path in adopted.PAGES.values())


def test_what_is_added_to_a_folder_is_in_its_gallery(tmp_path):
    """A class that its catalog lists, with a picture, and a section that shows its docstring."""

    @dataclasses.dataclass(frozen=True)
    class Doubled(He):
        """Twice as large."""

    Doubled.__module__ = "trainability.schemes.doubled"
    gallery = galleries.Gallery(
        "Schemes", "trainability.schemes", lambda: {"Doubled": Doubled}, "How a network is drawn.",
        pictures.scheme_picture,
    )  # fmt: skip
    galleries.write_gallery(gallery, tmp_path)
    text = (tmp_path / "schemes.rst").read_text()
    assert ".. autoclass:: trainability.schemes.Doubled" in text
    assert text.count(".. figure:: schemes/Doubled.svg") == text.count(":alt: Doubled: ") + 1 == 2
    assert (tmp_path / "schemes" / "Doubled.svg").stat().st_size > 5_000


def test_one_cites_the_version_that_there_is():
    cited = (ROOT / ".github" / "CITATION.cff").read_text()
    assert f"\nversion: {trainability.__version__}\n" in cited
    page = (ROOT / ".github" / "docs" / "citing.md").read_text()
    assert f"version = {{{trainability.__version__}}}" in page
