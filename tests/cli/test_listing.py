"""What there is, listed; new studies, written; every command's examples and its help."""

import json
import os
import re
import shlex
import subprocess
import sys

import pytest
from storage.in_process import call

from trainability.cli import catalog
from trainability.cli.app import app
from trainability.study import load_study
from trainability.study.axes import AXES
from trainability.study.records import strategy_types
from trainability.tuning.loading import load_tunings

OWN = '''
from dataclasses import dataclass
from trainability.schemes import Scheme, He

@dataclass(frozen=True)
class Mine(Scheme):
    """A scheme of a user's; [b]as it is[/b].

    With a second paragraph.
    """
    gain: float = 1.5
    inner: Scheme = He(bias_std=0.5)

    def draw(self, layer, rng):
        raise NotImplementedError
'''


def test_every_strategy_is_listed_under_its_kind():
    names = set()
    for kind in catalog.kinds():
        done = call(kind.name, "--json")
        assert done.code == 0, done
        entries = json.loads(done.out)[kind.name]
        names |= {entry["name"] for entry in entries}
        text = call(kind.name)
        for entry in entries:
            written = entry["name"] if kind.name == "axes" else f"{entry['name']}("
            assert f"\n{written}" in f"\n{text.out}" and entry["what"]
            assert entry["what"].split()[0] in text.out
    listed = {
        name for name, kind in strategy_types().items() if "strategy" not in kind.__module__
        and kind.__module__.startswith("trainability.")
    }  # fmt: skip
    # `Module` has no kind to choose from: it holds what the user writes.
    assert listed - names == {"Ball", "Box", "Module", "Points", "Published"}


def test_axes_are_listed_as_studies_write_them():
    names = [entry["name"] for entry in json.loads(call("axes", "--json").out)["axes"]]
    assert sorted(names) == sorted(AXES)
    assert "label_noise, such as 0.1, 0.3\n" in call("axes", "label_noise").out
    assert "did you mean width?" in call("axes", "widht").text


def test_settings_stand_with_their_defaults():
    [entry] = json.loads(call("penalties", "Jumpstart", "--json").out)["penalties"]
    settings = {setting["name"]: setting for setting in entry["settings"]}
    assert settings["coefficient"]["required"] and settings["coefficient"]["default"] is None
    assert settings["rho"]["default"] == "0.5" and not settings["rho"]["required"]
    text = call("penalties", "Jumpstart").out
    assert "Jumpstart(coefficient, rho=0.5, terms='both')" in text and "Settings:" in text
    assert "Args:" in text


def test_every_family_of_networks_is_listed_with_how_a_study_asks_for_it():
    from trainability.catalogs import concrete_types
    from trainability.families import Family

    entries = json.loads(call("networks", "--json").out)["networks"]
    families = concrete_types("trainability.families", Family)
    assert {entry["name"] for entry in entries} == set(families)
    for entry in entries:
        kind = families[entry["name"]]
        assert entry["written"] == kind.written and "network=" in entry["written"]
        assert entry["what"] and entry["module"] == kind.__module__
    assert "network=Module(build" in call("networks").out
    told = call("networks", "CopiesOfModule").out
    assert "Module.grid" in told and "network=None" not in told
    done = call("networks", "CopyOfModule")
    assert done.code == 2 and "(did you mean CopiesOfModule?)" in done.text and not done.traceback


def test_what_a_users_file_defines_is_listed_too(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(OWN)
    try:
        done = call("schemes", "--from", path)
        assert done.code == 0 and "Mine(gain=1.5, inner=He(bias_std=0.5))" in done.out
        assert "A scheme of a user's; [b]as it is[/b]." in done.out
        done = call("schemes", "Mine", "--from", path)
        assert "With a second paragraph." in done.out and "DataDependent" not in done.out
        for wrong in (tmp_path / "none.py", tmp_path, path.with_suffix(".txt")):
            done = call("schemes", "--from", wrong)
            assert done.code == 2 and "is no Python file" in done.text and not done.traceback
    finally:
        del sys.modules["trainability_study_mine"]


def test_a_name_that_nobody_has_is_refused():
    done = call("schemes", "Hee")
    assert done.code == 2 and "(did you mean He?)" in done.text and not done.traceback


@pytest.mark.parametrize(("kind", "load"), [("study", load_study), ("tuning", load_tunings)])
def test_a_new_study_can_be_run_as_it_is(kind, load, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call("new", kind, "mine-2")
    assert done.code == 0 and "written:  studies/mine-2.py" in done.out
    line = done.out.splitlines()[-1]
    assert line == f"run:  trainability {'run' if kind == 'study' else 'tune'} mine-2"
    declared = load("mine-2")
    [one] = declared if kind == "tuning" else [declared]
    assert one.name == "mine-2" and "my_study" not in (tmp_path / "studies/mine-2.py").read_text()
    dry = call(line.split()[-2], "mine-2", "--dry-run")
    assert dry.code == 0 and [path.name for path in tmp_path.iterdir()] == ["studies"]
    [entry] = [e for e in json.loads(call("studies", "--json").out)["studies"] if not e["shipped"]]
    assert (entry["name"], entry["kind"]) == ("mine-2", kind) and entry["what"].endswith("?")


def test_a_new_study_overwrites_nothing_and_has_a_good_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies/mine.py").write_text("mine")
    (tmp_path / "studies/link.py").symlink_to("nowhere")
    before = sorted((tmp_path / "studies").iterdir())
    for name, why in (
        ("mine", "studies/mine.py exists and is kept"),
        ("link", "studies/link.py exists and is kept"),
        ("absolute_value", "comes with the package"),
        ("Mine", "NAME must be lower-case letters"),
        ("../mine", "NAME must be lower-case letters"),
        ("con", "Windows' own names"),
        ("", "NAME must be lower-case letters"),
    ):
        done = call("new", "study", name)
        assert done.code == 2 and why in done.text and not done.traceback, (name, done)
    done = call("new", "stdy", "Mine")
    assert done.code == 2 and "2 problems" in done.text and "did you mean study?" in done.text
    assert sorted((tmp_path / "studies").iterdir()) == before
    assert (tmp_path / "studies/mine.py").read_text() == "mine"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "studies").write_text("a file")
    monkeypatch.chdir(tmp_path / "other")
    done = call("new", "study", "mine")
    assert done.code == 2 and "can't be written" in done.text and not done.traceback


def test_study_files_are_read_and_never_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies").mkdir()
    for name, text in (
        ("runs", '"""[b]What?[/b]"""\nopen("executed", "w")\nSTUDY: object = 1\n'),
        ("broken", "x = ("),
        ("bytes", "\0"),
        ("nothing", ""),
    ):
        (tmp_path / "studies" / f"{name}.py").write_text(text)
    done = call("studies")
    assert done.code == 0 and "[b]What?[/b]" in done.out and not (tmp_path / "executed").exists()
    entries = {
        entry["name"]: entry for entry in json.loads(call("studies", "--json").out)["studies"]
    }
    assert entries["runs"]["kind"] == "study" and entries["nothing"]["kind"] == "?"
    assert "can't be read" in entries["broken"]["what"] and entries["absolute_value"]["shipped"]


def commands():
    import typer.main

    group = typer.main.get_command(app)
    for name in catalog.commands():
        _, command, _ = group.resolve_command(None, [name])
        yield name, command


def test_every_commands_help_ends_with_examples_that_can_be_typed():
    parsed = 0
    everything = dict(commands())
    for name, command in everything.items():
        lines = [line.strip() for line in command.examples.splitlines()[1:]]
        assert lines, name
        for line in lines:
            program, first, *words = shlex.split(line)
            assert program == "trainability" and first in everything
            everything[first].make_context(first, words).close()  # parses, and calls nothing
            parsed += first == name
        assert any(shlex.split(line)[1] == name for line in lines), name
    assert parsed >= len(everything)


def test_every_help_fits_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")
    for name in ("", *catalog.commands()):
        done = call(*filter(None, [name]), "--help")
        assert done.code == 0 and "Examples:" in done.out and not done.traceback
        assert max(map(len, done.out.splitlines())) <= 80, (name, done.out)
        assert "─ Options ─" in done.out


def test_completion_names_commands_options_and_studies(tmp_path):
    def completed(words, place):
        environment = {
            "_TRAINABILITY_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": place,
        }  # fmt: skip
        code = "import sys; sys.argv[0] = 'trainability'; from trainability.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
            env=os.environ | environment,
        )  # fmt: skip
        assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
        return done.stdout.split()

    assert {"status", "studies"} <= set(completed("trainability st", "1"))
    assert "--replicates" in completed("trainability run --rep", "2")
    assert "absolute_value" in completed("trainability run abs", "2")
    assert re.search("theory", " ".join(completed("trainability ", "1")))
    (tmp_path / "results" / "absent").mkdir(parents=True)
    (tmp_path / "results" / "absent" / "study.json").write_text("{}")
    assert {"absolute_value", "absent"} <= set(completed("trainability report abs", "2"))
