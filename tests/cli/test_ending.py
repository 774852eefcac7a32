"""`stop`, `list` and `--on-finish`: from another shell, at the end, and afterwards."""

import json
import subprocess
import sys
import time

import pytest
from storage.in_process import call
from synthetic_rows import store

from trainability.cli import stop as stop_command
from trainability.running.stopping import running
from trainability.storage import Storage
from trainability.study import load_study

STUDY = """
from dataclasses import dataclass
from trainability import Adam, Study
from trainability.schemes import He
from trainability.tasks import AbsoluteValue

@dataclass(frozen=True)
class Mine(He):
    pass

STUDY = Study(
    name="{name}",
    question="Does it end?",
    task=AbsoluteValue(n_train=16),
    axes={{"width": [2, 4]}},
    scheme={scheme}(),
    optimizer=Adam(learning_rate=1e-6),
    max_steps={steps},
    tolerance=1e-5,
    replicates=256,
)
"""
FAR = {"machine": ["far", "b00t"], "pid": 7, "begun": "1", "at": 5.0}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, scheme, steps in (("slow", "He", 5_000_000), ("own", "Mine", 50)):
        text = STUDY.format(name=name, scheme=scheme, steps=steps)
        (tmp_path / f"{name}.py").write_text(text)
    yield tmp_path
    sys.modules.pop("trainability_study_own", None)


def test_a_run_is_ended_from_another_shell(here):
    shown = "sh -c 'echo $TRAINABILITY_OUTCOME $TRAINABILITY_EXIT_CODE $TRAINABILITY_STUDY > seen'"
    words = ["run", "slow.py", "--no-ray", "--json", "--on-finish", shown]
    process = subprocess.Popen(
        [sys.executable, "-m", "trainability", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        storage = Storage("results")
        end = time.monotonic() + 120
        while not running("slow", storage):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.1)
        [entry] = json.loads(call("list", "--json").out)["studies"]
        assert entry["running"] == [str(running("slow", storage)[0]).split("(")[1][:-1]]
        done = call("stop", "slow")
        assert done.code == 0 and "ended: slow" in done.out, done
        assert "resume:  trainability run slow --storage" in done.out
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 143 and out == "", err
    assert "ending: `trainability stop` asked for it" in err and "(interrupted)" in err
    assert (here / "seen").read_text() == "interrupted 143 slow.py\n"
    assert not list((here / "results/slow").glob(".*"))
    done = call("stop", "slow.py")
    assert done.code == 1 and "no run of slow is going on in" in done.text


def test_who_does_not_answer_is_told_and_left_alone(here, monkeypatch):
    monkeypatch.setattr(stop_command, "_WAIT_S", 0.2)
    Storage("results").write_bytes("slow/.run-1", json.dumps(FAR).encode())
    done = call("stop", "slow.py")
    assert done.code == 1 and "no answer within" in done.text and "process 7 on far" in done.text
    assert [path.name for path in (here / "results/slow").iterdir()] == [".run-1"]


def test_stop_refuses_what_is_no_study(here):
    done = call("stop", "nosuch")
    assert done.code == 2 and "no study 'nosuch'" in done.text and not done.traceback
    done = call("stop", "tune_absolute_value")  # a file of two tunings
    assert done.code == 1 and "tune_absolute_value_he or tune_absolute_value_data" in done.text
    assert not (here / "results").exists()


def test_the_studies_of_a_storage_are_listed(here):
    done = call("list")
    assert done.code == 0 and "no studies in" in done.text and not (here / "results").exists()
    storage = Storage("results")
    for name in ("slow", "own"):
        study = load_study(f"{name}.py")
        storage.write_bytes(f"{name}/study.json", study.to_json().encode())
        store(storage, name, study.cells()[0], [0])
    del sys.modules["trainability_study_own"]
    storage.write_bytes("cut/study.json", b'{"study": 1, "na')
    storage.write_bytes("tuned/tuning.json", b"{}")
    storage.write_bytes("other/notes.txt", b"")
    done = call("list", "--json")
    entries = {entry["name"]: entry for entry in json.loads(done.out)["studies"]}
    assert list(entries) == ["cut", "own", "slow", "tuned"]
    for name in ("own", "slow"):  # also of one whose scheme its declaration can't hold
        entry = entries[name]
        assert (entry["cells"], entry["networks"], entry["networks_wanted"]) == (2, 256, 512)
        assert entry["successes"] / 256 == entry["success_rate"] > entry["success_rate_low"]
        assert entry["finished_at"] == 1.7e9 and entry["problem"] is None
    assert entries["slow"]["cells_done"] == 1
    assert entries["cut"]["problem"] and entries["tuned"]["kind"] == "tuning"
    done = call("list")
    assert done.code == 0 and "256/512" in done.out and "d ago" in done.out, done
    assert "4 in all" in done.out and "tuned (tuning)" in done.out and "cut: " in done.out


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("", "must name a program"),
        ("no-such-program x", "there is no program 'no-such-program' on the path"),
        ("echo 'x", "can't be split into words"),
    ],
)
def test_a_command_for_the_end_that_can_not_be_run_is_refused_at_once(here, command, why):
    for words in (("run", "slow.py"), ("tune", "tune_absolute_value")):
        done = call(*words, "--on-finish", command)
        assert done.code == 2 and why in done.text and not done.traceback
    assert not (here / "results").exists()


def test_the_command_for_the_end_runs_whatever_happens_and_changes_no_exit_code(here):
    seen = here / "seen"
    show = f"sh -c 'echo $TRAINABILITY_OUTCOME $TRAINABILITY_STORAGE > {seen}; exit 7'"
    done = call("run", "nosuch", "--on-finish", show)
    assert done.code == 2 and seen.read_text() == "refused results\n"
    assert "ended with exit code 7" in done.text
    assert done.text.index("no study 'nosuch'") < done.text.index("--on-finish")
    seen.unlink()
    done = call("run", "slow.py", "--dry-run", "--on-finish", show)
    assert done.code == 0 and not seen.exists()  # nothing has run
    done = call("run", "--on-finish")
    assert done.code == 2 and not seen.exists()
