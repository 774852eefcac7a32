"""Help and refusals load no large library, and the list of commands is that of their files."""

import subprocess
import sys

import pytest

from trainability.cli import catalog
from trainability.cli.app import app

LARGE = ("torch", "pandas", "scipy", "ray", "mlflow", "matplotlib", "optuna", "llvmlite", "mpmath")
UNSEEN = ("numpy", "pyarrow", "trainability.tasks.table", "trainability.schemes.orthogonal")
"""What it takes to look at a study, and what no study here names."""
CODE = f"""
import sys
from trainability.cli import main
try:
    main()
finally:
    print([name for name in {LARGE + UNSEEN} if name in sys.modules], file=sys.stderr)
"""
STUDY = """
from trainability import Adam, Study
from trainability.schemes import DataDependent
from trainability.tasks import AbsoluteValue
STUDY = Study(name="bad", question="?", task=AbsoluteValue(n_train=16),
    axes={"scheme": [DataDependent()], "width": [0]}, optimizer=Adam(learning_rate=0.02),
    max_steps=10, tolerance=1e-2)
"""


@pytest.mark.parametrize(
    ("words", "code", "said", "loaded"),
    [
        (["--help"], 0, "theory", []),
        (["--version"], 0, "trainability", []),
        (["rum"], 2, "Did you mean 'run'", []),
        (["run", "bad.py"], 2, "width", ["numpy"]),
        (["run", "no_such_study"], 2, "no study 'no_such_study'", []),
        (["run", "no_such.py"], 2, "no study file no_such.py", []),
        (["report", "no_such_study"], 2, "no study 'no_such_study'", []),
        (["status", "no_such_study"], 2, "no study 'no_such_study'", []),
        (["birth", "no_such_study"], 2, "no study 'no_such_study'", ["numpy"]),
        (["run", "bad.py", "--max-failures", "-1", "--cpus-per-trial", "0"], 2, "2 problems", []),
        (["run", "bad.py", "--no-ray", "--gpus-per-trial", "1"], 2, "--ray is off, but GPUs", []),
        (["tune", "bad.py", "--engine", "fast"], 2, "unknown --engine 'fast'", ["numpy"]),
    ],
)
def test_help_and_refusals_load_nothing_large(words, code, said, loaded, tmp_path):
    (tmp_path / "bad.py").write_text(STUDY)
    done = subprocess.run(
        [sys.executable, "-c", CODE, *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == code and said in done.stdout + done.stderr, done.stderr
    assert done.stderr.splitlines()[-1] == str(loaded)
    assert [path.name for path in tmp_path.iterdir() if path.name != "__pycache__"] == ["bad.py"]


def test_the_first_line_comes_before_anything_large_is_loaded(tmp_path):
    (tmp_path / "good.py").write_text(STUDY.replace("[0]", "[2]"))
    code = f"""
import sys, trainability
def first(event):
    print(event.what, [name for name in {LARGE} if name in sys.modules])
    raise SystemExit
trainability.run("good.py", on_event=first)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "bad: 1 cells x 1,024 networks []\n", done.stderr
    assert "bad: 1 cells" in done.stderr


def test_every_command_is_listed_as_its_file_declares_it():
    import importlib

    for listed in catalog.commands().values():
        importlib.import_module(listed.module)
    registered = {}
    for info in app.registered_commands:
        name = info.name or info.callback.__name__.replace("_", "-")
        help_ = (info.help or info.callback.__doc__).split("\n\n")[0]
        panel = info.rich_help_panel
        registered[name] = catalog.Listed(info.callback.__module__, help_.strip(), panel)
    assert registered == catalog.commands()
    assert {listed.panel for listed in catalog.commands().values()} == set(catalog.PANELS)
