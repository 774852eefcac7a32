"""What the documentation is made of: docstrings, columns, and files that stand elsewhere."""

import dataclasses
import doctest
from pathlib import Path

import adopted
import docstrings
import galleries
import pictures

import trainability
from trainability.results import COLUMNS, MEANINGS
from trainability.schemes import He

ROOT = Path(__file__).parents[2]


def test_docstrings_become_restructured_text():
    assert doctest.testmod(docstrings) == doctest.TestResults(failed=0, attempted=1)


def test_code_may_go_on_in_the_next_line():
    lines = docstrings.as_restructured_text(["Args:", "    a: Such as `{1,", "        2}` or b_."])
    assert lines == ["Args:", "    a: Such as ``{1,``", "        ``2}`` or b\\_."]


def test_every_column_of_the_rows_has_a_meaning():
    assert [column.name for column in COLUMNS if column.name not in MEANINGS] == []


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
