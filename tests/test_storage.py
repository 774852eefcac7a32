"""Storage: whole or not at all, each replicate once, damage found and mended."""

import pandas as pd
import pytest

from trainability import Adam
from trainability.errors import StorageError
from trainability.schemes import UnitSphere
from trainability.storage import Storage
from trainability.study import Cell
from trainability.tasks import AbsoluteValue
from trainability.trial import Runtime, run_trial

PROVENANCE = {"finished_at": "1.0", "seconds": "2.0"}


@pytest.fixture(scope="module")
def cell():
    return Cell(
        task=AbsoluteValue(n_train=8),
        scheme=UnitSphere(),
        width=3,
        depth=2,
        optimizer=Adam(learning_rate=0.01),
        batch_size=None,
        max_steps=3,
        tolerance=1e-3,
        seed=0,
    )


@pytest.fixture(scope="module")
def rows(cell) -> pd.DataFrame:
    return run_trial("tiny", cell, range(4), Runtime())[0]


def part(rows, first, last):
    return rows.iloc[256 * first : 256 * (last + 1)].reset_index(drop=True)


def test_rows_come_back_as_they_were(tmp_path, rows):
    storage = Storage(tmp_path)
    storage.write_rows("tiny", part(rows, 2, 3), PROVENANCE)
    storage.write_rows("tiny", part(rows, 0, 1), PROVENANCE)
    pd.testing.assert_frame_equal(storage.read_rows("tiny"), rows)
    assert {file.path.rsplit("/", 1)[1] for file in storage.block_files("tiny")} == {
        "blocks-000000-000001.parquet",
        "blocks-000002-000003.parquet",
    }
    assert storage.provenance(storage.block_files("tiny")[0]) == PROVENANCE


def test_blocks_stored_twice_are_counted_once(tmp_path, rows):
    storage = Storage(tmp_path)
    for first, last in ((0, 2), (1, 3), (1, 1), (0, 3)):
        storage.write_rows("tiny", part(rows, first, last), PROVENANCE)
    back = storage.read_rows("tiny", columns=["steps", "replicate"])
    assert back["replicate"].tolist() == list(range(1024))
    assert storage.read_rows("tiny", columns=["steps"]).columns.tolist() == ["steps"]


def test_a_file_is_there_whole_or_not_at_all(tmp_path, rows, monkeypatch):
    """A writer that dies in the middle leaves nothing that could be taken for a block."""
    storage = Storage(tmp_path)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainability.storage.os.fsync", full)
    with pytest.raises(StorageError, match="can't be written: .*No space left on device"):
        storage.write_rows("tiny", part(rows, 0, 0), PROVENANCE)
    assert storage.block_files("tiny") == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped bit", "text", "wrong blocks"])
def test_damage_is_found_and_set_aside(tmp_path, rows, damage):
    storage = Storage(tmp_path)
    storage.write_rows("tiny", part(rows, 0, 0), PROVENANCE)
    storage.write_rows("tiny", part(rows, 1, 1), PROVENANCE)
    path = tmp_path / storage.block_files("tiny")[0].path.removeprefix(f"{tmp_path}/")
    content = path.read_bytes()
    if damage == "wrong blocks":
        path.write_bytes((path.parent / "blocks-000001-000001.parquet").read_bytes())
    else:
        middle = len(content) // 3
        flipped = bytes([content[middle] ^ 1])
        path.write_bytes(
            {
                "cut": content[:-100],
                "empty": b"",
                "flipped bit": content[:middle] + flipped + content[middle + 1 :],
                "text": b"import os; os.abort()",
            }[damage]
        )
    if damage != "wrong blocks":
        with pytest.raises(StorageError, match="is damaged"):
            storage.read_rows("tiny")
    damaged = storage.set_damaged_aside(storage.block_files("tiny"))
    assert [(file.first, file.last) for file in damaged] == [(0, 0)]
    assert storage.read_rows("tiny")["replicate"].tolist() == list(range(256, 512))
    assert storage.set_damaged_aside(storage.block_files("tiny")) == []


def test_rows_that_are_not_whole_blocks_are_never_stored(tmp_path, rows):
    with pytest.raises(AssertionError, match="whole blocks"):
        Storage(tmp_path).write_rows("tiny", rows.iloc[:100], PROVENANCE)


@pytest.mark.parametrize("address", ["ftp://x/y", "nonsense://a"])
def test_an_address_of_no_known_kind_is_refused(address):
    with pytest.raises(StorageError, match="can't be used"):
        Storage(address)


def test_a_storage_that_can_not_be_written_is_refused_without_a_trace(tmp_path):
    file = tmp_path / "file"
    file.write_text("here")
    with pytest.raises(StorageError, match="is not a folder"):
        Storage(file / "below").check_writable()
    Storage(tmp_path / "new" / "folder").check_writable()
    assert not (tmp_path / "new").exists()
