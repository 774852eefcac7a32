"""Study files: whatever is wrong with one, a single message says where; nothing else happens."""

import subprocess
import sys

import pytest

from trainability.errors import StudyError
from trainability.study import load_study

GOOD = """
from trainability import Adam, Study
from trainability.schemes import He
from trainability.tasks import AbsoluteValue
STUDY = Study(name="a", question="?", axes={"width": [2]}, task=AbsoluteValue(16), scheme=He(),
              optimizer=Adam(learning_rate=0.01), max_steps=10, tolerance=1e-3, replicates=256)
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = (", r"study.py:1: '\(' was never closed"),
        ("x = 1\nraise KeyError('lost')", "study.py:2: KeyError: 'lost'"),
        ("import sys\nsys.exit(3)", r"study.py:2: it ends Python \(exit code 3\)"),
        ("exit()", r"study.py:1: it ends Python \(exit code None\)"),
        ("raise GeneratorExit", "study.py:1: GeneratorExit"),
        ("def f():\n    f()\nf()", "study.py:2: RecursionError: maximum recursion depth"),
        ("import nowhere_to_be_found", "study.py:1: ModuleNotFoundError: No module named"),
        ("open('/no/such/file')", "study.py:1 can't be read: .*No such file"),
        ("x = 1", "declares no study; wanted STUDY = Study"),
        ("class Odd:\n    def __repr__(self):\n        1 / 0\nSTUDY = Odd()", "declares no study"),
        (GOOD + GOOD.replace('"a"', '"b"'), "study.py:11 declares STUDY again, after line 5"),
        (GOOD + "class E(Exception):\n    def __str__(self):\n        1 / 0\nraise E()", ":10: E:"),
        (GOOD.replace("max_steps", "max_step"), "study.py:5: Study has no setting 'max_step'"),
        ("\0", "study.py"),
        ("é = '", "study.py:1: unterminated string"),
    ],
)
def test_a_file_that_declares_no_study_gives_one_message(tmp_path, text, message):
    path = tmp_path / "study.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=message):
        load_study(str(path))


def test_a_second_value_that_is_made_from_the_first_is_fine(tmp_path):
    path = tmp_path / "study.py"
    path.write_text(
        GOOD + "import dataclasses\nSTUDY = dataclasses.replace(STUDY, name='b')\n"
        "if STUDY.name == 'c':\n    STUDY = None\n"
    )
    assert load_study(str(path)).name == "b"


@pytest.mark.parametrize("data", [b"\x00\x01\x02\xff", b"\xff\xfeS\x00", b"PK\x03\x04", b"\x7fELF"])
@pytest.mark.parametrize("suffix", [".py", ".json"])
def test_a_file_that_is_no_text_gives_one_message(tmp_path, data, suffix):
    path = tmp_path / f"study{suffix}"
    path.write_bytes(data)
    with pytest.raises(StudyError, match=f"study{suffix}"):
        load_study(str(path))


@pytest.mark.parametrize("name", ["folder.py", "x" * 300, "x" * 300 + ".py", "a\0b", "a\0.py", ""])
def test_a_name_that_no_file_has_gives_one_message(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(StudyError, match="no study"):
        load_study(name)


def test_what_a_file_prints_is_no_part_of_the_answer(tmp_path):
    path = tmp_path / "study.py"
    path.write_text(GOOD + "print('hello')\n")
    done = subprocess.run(
        [sys.executable, "-m", "trainability", "status", str(path), "--json"],
        capture_output=True, text=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    assert done.stdout.startswith('{"study": "a"')
    assert done.stderr.startswith("hello")
