"""What the README tells a reader to type, and where it points, exists and works."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from synthetic_rows import store

import trainability
from trainability.cli.catalog import commands
from trainability.storage import Storage
from trainability.study import load_study

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def block(marker: str) -> str:
    return re.search(rf"<!-- {re.escape(marker)} -->\n```\w+\n(.*?)```", README, re.S)[1]


def test_the_commands_of_the_table_are_those_of_the_program():
    first = "".join(re.findall(r"^\| (`trainability \w[^|]*)\|", README, re.M))
    assert sorted(re.findall(r"`trainability (\w+)", first)) == sorted(commands())


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", README))))
def test_local_links_lead_somewhere(link):
    headings = re.findall(r"^#+ (.*)", README, re.M)
    anchors = ["#" + re.sub(r"[^\w-]", "", line.lower().replace(" ", "-")) for line in headings]
    assert link.startswith("https://") or link in anchors or (ROOT / link).exists()


def test_the_set_up_commands_are_short():
    assert len(block("command: run").splitlines()) == 2
    assert "pip install ." in block("command: run").splitlines()[0]
    assert ".venv/bin/trainability run absolute_value" in block("command: run")
    assert ".venv/bin/python -m pytest" in block("command: test")


ACTIVE = """
PATH={stand_ins}:$PATH
set -euo pipefail
"""
PYTHON = """#!/bin/sh
# `python3 -m venv .venv`: with the libraries of these tests, so that nothing is downloaded.
{python} -m venv --without-pip "$3" || exit 1
for site in "$3"/lib/python*/site-packages; do echo {libraries} > "$site"/these.pth; done
printf '#!/bin/sh\\nexec "%s"/bin/python -m pip "$@" --no-deps --no-build-isolation -q\\n' \\
    "$PWD/$3" > "$3"/bin/pip
chmod +x "$3"/bin/pip
"""


@pytest.fixture
def clone(tmp_path):
    """What a clone has, in a folder of its own; of the headline study fewer networks and steps."""
    folder = tmp_path / "clone"
    for name in ("trainability", "studies"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    study = folder / "studies" / "absolute_value.py"
    text = study.read_text().replace("replicates=1024", "replicates=256")
    study.write_text(text.replace("max_steps=10_000", "max_steps=300"))
    (folder / "tests").mkdir()
    (folder / "tests" / "test_nothing.py").write_text("def test_nothing(): pass\n")
    stand_ins = tmp_path / "stand_ins"
    stand_ins.mkdir()
    script = PYTHON.format(python=sys.executable, libraries=sysconfig.get_path("purelib"))
    (stand_ins / "python3").write_text(script)
    (stand_ins / "python3").chmod(0o755)
    return folder, ACTIVE.format(stand_ins=stand_ins)


def blocks():
    """Kind, name and text of every block that the README asks to be typed, in order."""
    return re.findall(r"<!-- (file|command): (\S+) -->\n```\w+\n(.*?)```", README, re.S)


def test_the_blocks_in_their_order_work_in_one_new_environment(clone):
    """As a reader goes through it: installs, runs, adds a scheme and a study, models, notebook."""
    folder, script = clone
    names = [name for _, name, _ in blocks()]
    assert names == [
        "run", "activate", "test", "studies/laplace.py", "own", "your_model.py",
        "studies/cnn.py", "module", "first.py", "notebook.py", "docs",
    ]  # fmt: skip
    for kind, name, text in blocks():
        # Who only reads and runs does not install it in its place, nor builds its documentation.
        if name in ("test", "docs"):
            continue
        script += f"echo '== {name}'\n"
        if kind == "command":
            script += text
        else:
            script += f"cat > {name} <<'END_OF_FILE'\n{text}END_OF_FILE\n"
            script += "" if name.startswith("studies") else f"python -W error {name}\n"
    # The installed package is used, not the sources that lie beside.
    script += "cd /; python -c 'import trainability; print(trainability.__file__)'\n"
    done = subprocess.run(
        ["bash"], input=script, cwd=folder, env=without(os.environ, "PYTHONPATH"),
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert str(folder / ".venv") in done.stdout.splitlines()[-1]
    parts = dict(part.split("\n", 1) for part in done.stdout.split("== ")[1:])
    assert "browse:" in parts["run"] and "report:" in parts["own"]
    assert "Laplace(): 4,096 networks at birth" in parts["own"]
    assert "tentatively dead" in parts["your_model.py"]
    assert "succeeds more often" in " ".join(parts["module"].split())
    assert "results/first/report/index.html" in parts["first.py"]
    assert "width_trainability" in parts["notebook.py"]
    for name in ("results/laplace/report/index.html", "dead.png", "success.png"):
        assert (folder / name).is_file()


def test_who_works_on_the_package_adds_a_scheme_to_it_by_a_file(clone):
    """Installed in its place, a file in `schemes/` is known by name everywhere."""
    folder, script = clone
    scheme = block("file: studies/laplace.py").split("STUDY =")[0]
    (folder / "trainability" / "schemes" / "laplace.py").write_text(scheme)
    script += block("command: test") + block("command: activate")
    script += "cd .. && trainability census Laplace --networks 512\n"
    script += "trainability status absolute_value --json\n"
    done = subprocess.run(
        ["bash"], input=script, cwd=folder, env=without(os.environ, "PYTHONPATH"),
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Laplace(): 512 networks" in done.stdout
    assert '"replicates_to_do": 256' in done.stdout


def test_the_package_brings_its_studies_types_and_version(clone, tmp_path):
    """What a wheel holds, and that it needs no clone beside it."""
    folder, script = clone
    script += block("command: run").splitlines()[0] + "\n"
    script += "cd /\n"
    bin_ = folder / ".venv" / "bin"
    script += f"{bin_}/trainability run deep_collapse --dry-run --storage {tmp_path}/empty\n"
    script += f"{bin_}/trainability --version\n"
    done = subprocess.run(
        ["bash"], input=script, cwd=folder, env=without(os.environ, "PYTHONPATH"),
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "deep_collapse: what would run" in done.stdout
    assert done.stdout.splitlines()[-1] == f"trainability {trainability.__version__}"
    [installed] = (folder / ".venv").glob("lib/python*/site-packages/trainability")
    shipped = {path.name for path in (installed / "_studies").iterdir()} - {"__pycache__"}
    assert shipped == {path.name for path in (ROOT / "studies").glob("*.py")}
    assert (installed / "py.typed").is_file()


def without(environment, *names):
    return {name: value for name, value in environment.items() if name not in names}


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
