"""`--task` of `theory` and `census`; tables of 80 columns in which every row can be told apart."""

import json

import pytest
from storage.in_process import call
from synthetic_rows import store

from trainability.cli.app import out
from trainability.storage import Storage
from trainability.study import load_study

STUDY = """
from trainability import Adam, Study
from trainability.activations import GELU, LeakyReLU, ReLU
from trainability.optimizers import AdamW
from trainability.schemes import He, RandomizedAsymmetric
from trainability.tasks import AbsoluteValue

STUDY = Study(
    name="wide",
    question="Can every row be told apart?",
    task=AbsoluteValue(n_train=16),
    axes={
        "scheme": [He(distribution="uniform", bias_std=0.125), RandomizedAsymmetric(sigma=0.75)],
        "activation": [ReLU(), LeakyReLU(negative_slope=0.25)],
        "width": [2, 4],
        "optimizer": [Adam(learning_rate=0.02), AdamW(learning_rate=0.001, weight_decay=0.5)],
    },
    max_steps=50,
    tolerance=1e-3,
    replicates=256,
)
"""


@pytest.fixture
def narrow(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(out, "_width", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wide.py").write_text(STUDY)
    return tmp_path


def widest(text):
    """Of what stands in tables; sentences and commands are broken by the terminal."""
    return max(len(line) for line in text.splitlines() if ": " not in line)


def test_rows_of_any_axis_can_be_told_apart_at_80_columns(narrow):
    study, storage = load_study("wide.py"), Storage("results")
    store(storage, "wide", study.cells()[0], [0])
    for words in (("status", "wide.py"), ("run", "wide.py", "--dry-run")):
        done = call(*words)
        assert done.code == 0 and widest(done.out) <= 80, done.out
        assert "…" not in done.out and study.cells()[0].id not in done.out
        words_shown = "".join(done.out.split())
        for axis in ("LeakyReLU", "AdamW", "weight_decay=", "RandomizedAsy"):
            assert axis in words_shown, done.out
        assert "16 cells" in done.out
        hashes = call(*words, "--hashes").out
        assert all(cell.id in hashes for cell in study.cells())
    text = call("status", "wide.py").out
    assert "[" in text and "256 of" not in text.splitlines()[0]
    assert "1/16 cells" in text.replace("  ", " ") and "256/4,096" in text


def test_theory_names_every_scheme_at_80_columns(narrow):
    scheme = "He(distribution='uniform', bias_std=1.25)"
    for words in (("--widths", "2"), ("--depth", "4", "--restarts", "10", "--widths", "2")):
        done = call("theory", "--scheme", scheme, "--scheme", "RandomizedAsymmetric", *words)
        assert done.code == 0 and "…" not in done.out
        assert widest(done.out) <= 80
        column = "".join(line[:14].strip() for line in done.out.splitlines())
        assert "RandomizedAsym" in column or "Randomized" in column


def test_theory_and_census_take_a_task(narrow):
    """Its domain, its need, its points: 16 points of |x| and a box are the same to theory."""
    options = ("--scheme", "UnitSphere", "--widths", "2,4", "--json")
    plain = json.loads(call("theory", *options).out)["theory"]
    of_task = json.loads(call("theory", *options, "--task", "AbsoluteValue(n_train=16)").out)
    assert of_task["theory"] == plain and plain[0]["need"] == 2
    moons = json.loads(call("theory", *options, "--task", "TwoMoons(n_train=40)").out)["theory"]
    assert moons[0]["need"] == 1 and "Points" in moons[0]["domain"]
    assert moons[0]["network_born_dead"] == pytest.approx(moons[0]["neuron_born_dead"] ** 2)
    done = call("theory", "--task", "TwoMoons(n_train=40)", "--widths", "2")
    assert "for TwoMoons(n_train=40)" in done.out
    done = call(
        "census", "DataDependent", "--task", "TwoMoons(n_train=40)", "--networks", 256, "--json"
    )
    found = json.loads(done.out)
    assert done.code == 0 and found["passed"] and found["task"] == "TwoMoons(n_train=40)"
    assert found["layers"][0]["active"] == 1  # each at a training point of its own
    digits = ("census", "He", "--task", "Table(dataset='digits', rows=40)", "--networks", 256)
    assert call(*digits, "--depth", 2).code == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--task", "Tble"], "there is no task Tble (did you mean Table?)"),
        (["--task", "AbsoluteValue", "--ball", "1"], "leave out --d, --ball and --box"),
        (["--task", "TwoMoons", "--d", "3"], "leave out --d, --ball and --box"),
        (["--task", "Table(path='no.csv', features=['a'], target='b')"], "there is no file no.csv"),
        (["--task", "Function(name='a')"], "Function wants the setting function"),
        (["--task", "AbsoluteValue(n_train=0)"], "n_train must be an int"),
        (["--task", "__import__('os').abort()"], "is not a task"),
        (["--task", "AbsoluteValue(open('x', 'w'))"], "there is no task open"),
    ],
)
def test_a_wrong_task_is_refused_as_a_wrong_scheme_is(narrow, words, why):
    for command in (("theory",), ("census", "He")):
        done = call(*command, *words)
        assert done.code == 2 and why in done.text and not done.traceback, done
    assert not (narrow / "x").exists()


def test_success_is_predicted_for_the_absolute_value_alone(narrow):
    one = ("theory", "--success", "--scheme", "UnitSphere", "--widths", 2)
    assert call(*one, "--task", "AbsoluteValue(n_train=32)").code == 0
    done = call(*one, "--task", "SineProduct")
    assert done.code == 2 and "other --task" in done.text


def test_a_task_of_a_users_file_is_taken(narrow):
    (narrow / "own.py").write_text(
        "from dataclasses import dataclass\n"
        "from trainability.tasks import AbsoluteValue\n"
        "@dataclass(frozen=True)\nclass Steeper(AbsoluteValue):\n    slope: float = 2.0\n"
    )
    done = call("theory", "--task", "Steeper(n_train=8)", "--from", "own.py", "--widths", "2")
    assert done.code == 0 and "for Steeper(n_train=8)" in done.out
