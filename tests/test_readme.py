"""What the README tells a reader to type, and where it points, exists and works."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from synthetic_rows import store

from trainability.cli.commands import app
from trainability.storage import Storage
from trainability.study import load_study

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def block(marker: str) -> str:
    return re.search(rf"<!-- {re.escape(marker)} -->\n```\w+\n(.*?)```", README, re.S)[1]


def test_the_commands_of_the_table_are_those_of_the_program():
    told = set(re.findall(r"^\| `trainability (\w+)", README, re.M))
    there = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert told == there


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", README))))
def test_local_links_lead_somewhere(link):
    assert link.startswith("https://") or (ROOT / link).exists()


def test_the_set_up_commands_install_and_run():
    assert "pip install . &&" in block("command: run")
    assert ".venv/bin/trainability run absolute_value" in block("command: run")
    assert ".venv/bin/python -m pytest" in block("command: test")


def test_a_scheme_and_a_study_added_as_told_work_without_other_change(tmp_path):
    """Copies the package, drops the two files of the README in, and runs census, run and status."""
    shutil.copytree(ROOT / "trainability", tmp_path / "trainability")
    for name in ("trainability/schemes/laplace.py", "studies/laplace.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(block(f"file: {name}"))

    def trainability(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "trainability", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Laplace(): 512 networks" in trainability("census", "Laplace", "--networks", "512")
    assert "report:" in trainability("run", "laplace")
    assert '"replicates_to_do": 0' in trainability("status", "laplace", "--json")
    assert (tmp_path / "results" / "laplace" / "report" / "index.html").is_file()


def test_the_model_of_the_readme_loses_its_dead_neurons(tmp_path):
    code = block("file: your_model.py")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "dead.png").stat().st_size > 10_000


def test_the_notebook_of_the_readme_shows_tables_and_saves_its_figure(tmp_path):
    study = load_study(str(ROOT / "studies/absolute_value.py"))
    storage = Storage(tmp_path / "results")
    storage.write_bytes("absolute_value/study.json", study.to_json().encode())
    for cell in study.cells():
        store(storage, study.name, cell, [0])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block("file: notebook.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "10,240 of 40,960 networks" in done.stdout and "width_trainability" in done.stdout
    assert (tmp_path / "success.png").stat().st_size > 10_000
