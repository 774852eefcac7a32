"""Help and refusals load no large library, and the list of commands is that of their files."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import trainability
from trainability.cli import catalog
from trainability.cli.app import app

LARGE = ("torch", "pandas", "scipy", "ray", "mlflow", "matplotlib", "optuna", "llvmlite", "mpmath")
UNSEEN = ("numpy", "pyarrow", "trainability.tasks.table", "trainability.schemes.orthogonal",
          "trainability.theory.laws.base", "trainability.cli.theory")  # fmt: skip
"""What it takes to compute with a study or to read one from storage, and what no study here names.
"""
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
    axes={"scheme": [DataDependent(sigma_e=0.2)], "width": [2]}, optimizer=Adam(learning_rate=0.02),
    max_steps=10, tolerance=1e-2)
"""


WRONG = {
    "bad": ("[2]", "[0]"),
    "unknown": ("max_steps", "max_stepz"),
    "scheme": ("sigma_e", "sigma"),
    "loose": ("1e-2", "1.0"),
}


def write_bad_studies(folder):
    """Study files, and documents, each of which is wrong in one way."""
    namespace = {}
    exec(STUDY, namespace)
    text = namespace["STUDY"].to_json()
    for name, (right, wrong) in WRONG.items():
        (folder / f"{name}.py").write_text(STUDY.replace(right, wrong))
        (folder / f"{name}.json").write_text(text.replace(f'"{right}"', f'"{wrong}"'))
    record = json.loads(text)
    record["axes"]["width"] = [0]
    (folder / "bad.json").write_text(json.dumps(record))
    (folder / "syntax.py").write_text(STUDY.replace("STUDY = ", "STUDY == = "))
    (folder / "syntax.json").write_text(text[:-10])
    (folder / "empty.py").write_text("from trainability import Study\n")


@pytest.mark.parametrize(
    ("words", "code", "said", "loaded"),
    [
        (["--help"], 0, "theory", []),
        (["--version"], 0, "trainability", []),
        (["rum"], 2, "Did you mean 'run'", []),
        (["run", "bad.py"], 2, "width", []),
        (["run", "bad.json"], 2, "width", []),
        (["run", "unknown.py"], 2, "no setting 'max_stepz' (did you mean max_steps?)", []),
        (["run", "unknown.json"], 2, "unknown field 'max_stepz' (did you mean max_steps?)", []),
        (["run", "scheme.py"], 2, "DataDependent has no setting 'sigma' (did you mean sig", []),
        (["run", "scheme.json"], 2, "DataDependent has no setting 'sigma'; wanted", []),
        (["run", "syntax.py"], 2, "syntax.py:5: ", []),
        (["run", "syntax.json"], 2, "not valid JSON", []),
        (["run", "empty.py"], 2, "declares no study", []),
        (["run", "loose.py"], 2, "tolerance 1 is not below", ["numpy"]),
        (["report", "bad.py"], 2, "width", []),
        (["run", "no_such_study"], 2, "no study 'no_such_study'", []),
        (["run", "no_such.py"], 2, "no study file no_such.py", []),
        (["report", "no_such_study"], 2, "no study 'no_such_study'", []),
        (["status", "no_such_study"], 2, "no study 'no_such_study'", []),
        (["birth", "no_such_study"], 2, "no study 'no_such_study'", []),
        (["run", "bad.py", "--max-failures", "-1", "--cpus-per-trial", "0"], 2, "2 problems", []),
        (["run", "bad.py", "--no-ray", "--gpus-per-trial", "1"], 2, "--ray is off, but GPUs", []),
        (["tune", "bad.py", "--engine", "fast"], 2, "unknown --engine 'fast'", []),
    ],
)
def test_help_and_refusals_load_nothing_large(words, code, said, loaded, tmp_path):
    write_bad_studies(tmp_path)
    files = sorted(path.name for path in tmp_path.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", CODE, *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == code and said in done.stdout + done.stderr, done.stderr
    assert done.stderr.splitlines()[-1] == str(loaded)
    left = sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__")
    assert left == files


DECLARED = ("activations", "losses", "optimizers", "penalties", "schemes", "study", "tasks")
"""Rooms of what a study is declared with, and of the declaration."""


@pytest.mark.parametrize("room", DECLARED)
def test_what_a_study_is_declared_with_takes_numpy_from_lazy(room):
    large = {"numpy", "scipy", "pandas", "torch"}
    for path in (Path(trainability.__file__).parent / room).rglob("*.py"):
        body = ast.parse(path.read_text()).body
        names = [
            alias.name for node in body if isinstance(node, ast.Import) for alias in node.names
        ]
        names += [node.module for node in body if isinstance(node, ast.ImportFrom) and node.module]
        if path.name != "array_columns.py":  # which reads files, by Arrow
            assert large.isdisjoint(name.partition(".")[0] for name in names), path


def test_a_command_is_found_without_reading_the_others(monkeypatch):
    read = []
    parse = catalog.ast.parse
    monkeypatch.setattr(catalog.ast, "parse", lambda text: read.append(text) or parse(text))
    run = catalog.command_named("run")
    assert run is not None and run.module == "trainability.cli.run" and len(read) == 1
    assert {name: catalog.command_named(name) for name in catalog.commands()} == catalog.commands()
    assert catalog.command_named("rum") is None


def test_the_first_line_comes_before_anything_large_is_loaded(tmp_path):
    (tmp_path / "good.py").write_text(STUDY)
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
    assert done.stdout == "bad: 1 cell x 1,024 networks []\n", done.stderr
    assert "bad: 1 cell x" in done.stderr


def test_workers_start_before_anything_large_is_loaded(tmp_path):
    """While they load what they need, this process loads what reports and MLflow do."""
    (tmp_path / "good.py").write_text(STUDY.replace("max_steps=10", "max_steps=10_000"))
    code = f"""
import sys, trainability
def training(event):
    if getattr(event, "what", "").startswith("training"):
        print([name for name in {LARGE} if name in sys.modules])
        raise SystemExit
trainability.run("good.py", replicates=10**6, ray=False, progress=False, on_event=training)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "[]\n", done.stderr


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
