"""Side files: damage of any sort is seen, and what has a copy is mended."""

import json
from pathlib import Path

import pytest

from trainability.storage import Storage

TEXT = json.dumps({"rule": 1, "points": [0.25]})


@pytest.fixture
def storage(tmp_path):
    place = Storage(tmp_path)
    place.write_record("a", "growth", TEXT)
    return place


def path(storage):
    return Path(storage.address) / "a" / "growth.json"


def copies(storage):
    return sorted(path(storage).parent.glob("growth-*.json"))


def test_what_was_written_is_read_and_has_one_copy(storage):
    assert storage.read_record("a", "growth") == json.loads(TEXT)
    storage.write_record("a", "growth", "{}")
    assert storage.read_record("a", "growth") == {}
    assert len(copies(storage)) == 1
    assert storage.read_record("a", "other") is None


@pytest.mark.parametrize(
    "damage", ["", "{", "null", "[]", TEXT.replace("0.25", "0.75"), "[" * 100_000, "1e999"]
)
def test_a_copy_stands_in_for_what_is_damaged_and_mends_it(storage, damage, caplog):
    path(storage).write_text(damage)
    assert storage.read_record("a", "growth") == json.loads(TEXT)
    assert path(storage).read_text() == damage, "who reads changes nothing"
    assert "growth.json is damaged" in caplog.text and "its copy is used" in caplog.text
    storage.mend_record("a", "growth", dict)
    assert path(storage).read_text() == TEXT
    assert [p.read_text() for p in path(storage).parent.glob("growth.json.damaged-*")] == [damage]
    caplog.clear()
    assert storage.read_record("a", "growth") == json.loads(TEXT) and not caplog.records


def test_a_file_that_is_gone_comes_from_its_copy(storage):
    path(storage).unlink()
    assert storage.read_record("a", "growth") == json.loads(TEXT)
    storage.mend_record("a", "growth", dict)
    assert path(storage).read_text() == TEXT


def test_a_damaged_copy_changes_nothing(storage, caplog):
    (copy,) = copies(storage)
    copy.write_text("{}")
    assert storage.read_record("a", "growth") == json.loads(TEXT) and not caplog.records


def test_without_a_whole_copy_what_is_damaged_is_left_out(storage, caplog):
    (copy,) = copies(storage)
    for file in (copy, path(storage)):
        file.write_text("{")
    assert storage.read_record("a", "growth") is None
    assert "it is left out" in caplog.text
    storage.mend_record("a", "growth", dict)
    assert not path(storage).exists()


def test_a_file_from_before_there_were_copies_is_taken_for_what_it_says(tmp_path, caplog):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "growth.json").write_text(TEXT)
    assert Storage(tmp_path).read_record("a", "growth") == json.loads(TEXT)
    assert not caplog.records


@pytest.mark.parametrize("step", range(4))
def test_a_writer_that_dies_at_any_step_leaves_what_was_or_what_will_be(
    storage, monkeypatch, step, caplog
):
    class Dies(BaseException):
        pass

    done = []

    def dying(name):
        before = getattr(storage._files, name)

        def action(*arguments):
            if len(done) == step:
                raise Dies
            done.append(name)
            return before(*arguments)

        return action

    for name in ("write", "delete"):
        monkeypatch.setattr(storage._files, name, dying(name))
    try:
        storage.write_record("a", "growth", '{"rule": 2}')
    except Dies:
        assert step < 3
    place = Storage(storage.address)
    assert place.read_record("a", "growth") == ({"rule": 2} if step > 1 else json.loads(TEXT))
    assert not caplog.records


def test_a_folder_in_its_place_is_set_aside(storage):
    path(storage).unlink()
    path(storage).mkdir()
    storage.write_record("a", "growth", "{}")
    assert path(storage).read_text() == "{}"
