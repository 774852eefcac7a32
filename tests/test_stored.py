"""One name, two studies: both get what they asked for, are told, and their declarations stay."""

import dataclasses
import json
from pathlib import Path

import pytest

from trainability.errors import StorageError, StudyError
from trainability.storage import Storage
from trainability.stored import declare, open_study


@pytest.fixture
def storage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Storage(tmp_path / "results")


def stored_study(text, storage):
    return open_study(text, storage)[0]


def cells(study):
    return [cell.id for cell in study.cells()]


def other(study):
    return dataclasses.replace(study, axes={**study.axes, "width": [2, 7]}, max_steps=100)


def declarations(storage, name="tiny"):
    return sorted(p.name for p in (Path(storage.address) / name).glob("study-*.json"))


def test_the_same_study_again_is_silent(storage, tiny_study):
    for replicates in (512, 512, 1024):
        again = dataclasses.replace(tiny_study, replicates=replicates, question="The same?")
        assert declare(again, cells(again), storage) == []
    assert stored_study("tiny", storage) == again


def test_other_values_under_the_same_name_are_told_and_both_declarations_kept(
    storage, tiny_study, caplog
):
    declare(tiny_study, cells(tiny_study), storage)
    second = other(tiny_study)
    said = " ".join(declare(second, cells(second), storage))
    assert "declared with other values: max_steps 200 there, 100 here; width [2, 4] there" in said
    assert "width [2, 4] there, [2, 7] here" in said and "give it another name" in said
    assert len(declarations(storage)) == 2 and all(n in said for n in declarations(storage))
    assert stored_study("tiny", storage) == second
    assert "holds 2 declarations of tiny" in caplog.text
    # The first user, whose file has not changed, goes on, and is told too.
    assert "max_steps 100 there, 200 here" in declare(tiny_study, cells(tiny_study), storage)[0]
    assert stored_study("tiny", storage) == tiny_study
    assert len(declarations(storage)) == 2
    for name in declarations(storage):
        path = Path(storage.address) / "tiny" / name
        assert stored_study(str(path), storage) in (tiny_study, second)


def test_a_damaged_declaration_without_a_copy_is_refused_with_what_to_do(storage):
    storage.write_bytes("tiny/study.json", b'{"study": 1, "name"')
    with pytest.raises(StudyError, match=r"study\.json is damaged and has no copy; give the study"):
        stored_study("tiny", storage)


def test_a_declaration_of_another_study_is_none_of_this_one(storage, tiny_study):
    """A folder that was renamed: its rows say another name."""
    storage.write_bytes("mine/study.json", tiny_study.to_json().encode())
    with pytest.raises(StudyError, match=r"study\.json is damaged"):
        stored_study("mine", storage)


def test_a_number_that_no_version_will_have_is_damage(storage, tiny_study):
    text = tiny_study.to_json().replace('"study": 1', '"study": 1' + "0" * 400)
    storage.write_bytes("tiny/study.json", text.encode())
    with pytest.raises(StudyError, match=r"study\.json is damaged"):
        stored_study("tiny", storage)
    assert declare(tiny_study, cells(tiny_study), storage) == []
    assert stored_study("tiny", storage) == tiny_study


def test_a_newer_declaration_is_refused_before_anything_is_written(storage, tiny_study):
    record = json.loads(tiny_study.to_json()) | {"study": 2, "activation": {"type": "GELU"}}
    storage.write_record("tiny", "study", json.dumps(record))
    for action in (
        lambda: stored_study("tiny", storage),
        lambda: declare(tiny_study, cells(tiny_study), storage),
    ):
        with pytest.raises(StorageError, match="written by a newer version"):
            action()
    assert json.loads(storage.read_bytes("tiny/study.json"))["study"] == 2
