"""The documentation as a reader builds and browses it: one command, no warning, no network."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import api
import pytest
from galleries import GALLERIES
from sphinx.util.inventory import InventoryFile

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """What the README's command makes of a copy, in which `generated/` is written."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("studies", "cluster", "trainability"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(
        ROOT / ".github", folder / ".github", ignore=shutil.ignore_patterns("generated")
    )
    command = re.search(r"<!-- command: docs -->.*?\.venv/bin/python (-m sphinx[^\n]*)",
                        (ROOT / "README.md").read_text(), re.S)[1]  # fmt: skip
    assert "-W" in command.split() and command.endswith(" .github/docs build/docs")
    done = subprocess.run(
        [sys.executable, *command.split()],
        cwd=folder, capture_output=True, text=True, timeout=1200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-5000:] + done.stdout[-2000:]
    return folder / "build" / "docs"


@pytest.fixture(scope="module")
def inventory(site):
    with (site / "objects.inv").open("rb") as file:
        data = InventoryFile.load(file, "", lambda base, place: place)
    return {name for kind, names in data.items() if kind.startswith("py:") for name in names}


def test_every_public_name_is_in_it(inventory):
    missing = [
        path for entries in api.homes().values() for _, path in entries if path not in inventory
    ]
    assert missing == []


def test_everything_of_the_catalogs_is_in_its_gallery(site):
    for gallery in GALLERIES:
        page = (site / "generated" / f"{gallery.name}.html").read_text()
        for name in gallery.kinds():
            assert f'id="{gallery.package}.{name}"' in page


def test_every_column_of_every_table_has_a_meaning(site):
    page = (site / "generated" / "columns.html").read_text()
    assert page.count("<tr") > 150
    assert not re.findall(r"<td><p><code[^>]*>.*?</code></p></td>\s*<td>(?:<p></p>)?</td>", page)


def test_no_page_asks_the_network_for_anything(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 60
    for page in pages:
        text = page.read_text()
        assert not re.findall(r"<(?:script|img|iframe)[^>]*src=\"https?:", text), page
        assert not re.findall(r"<link[^>]*stylesheet[^>]*href=\"https?:", text), page


def test_no_page_names_a_folder_of_the_machine_that_built_it(site):
    for page in site.rglob("*.html"):
        text = page.read_text()
        assert str(site.parents[1]) not in text and tempfile.gettempdir() + "/" not in text, page


def test_formulas_are_drawn_by_the_browser(site):
    page = (site / "theory.html").read_text()
    assert page.count("<math") > 30 and "\\frac" not in page


def test_tutorials_were_run(site):
    page = (site / "tutorials" / "first_study.html").read_text()
    assert "95 % interval" in page and "<img" in page
    for name in ("first_study", "tune", "own_scheme", "own_task", "own_model"):
        assert "cell_output" in (site / "tutorials" / f"{name}.html").read_text(), name
