"""Storage: whole or not at all, each replicate once, damage found and mended."""

import pickle
import uuid

import pandas as pd
import pytest
from example_cells import a_cell

from trainability.errors import StorageError
from trainability.storage import Storage
from trainability.trial import Runtime, run_trial

PROVENANCE = {"finished_at": "1.0", "seconds": "2.0"}


@pytest.fixture(params=["folder", "s3"])
def storage(request, tmp_path):
    """A storage on a file system and one on S3: both obey the same laws."""
    if request.param == "folder":
        return Storage(tmp_path)
    return Storage(request.getfixturevalue("s3")(uuid.uuid4().hex))


@pytest.fixture(scope="module")
def cell():
    return a_cell()


@pytest.fixture(scope="module")
def rows(cell) -> pd.DataFrame:
    return run_trial("tiny", cell, range(4), Runtime())[0]


def part(rows, first, last):
    return rows.iloc[256 * first : 256 * (last + 1)].reset_index(drop=True)


def test_rows_come_back_as_they_were(storage, rows):
    storage.write_rows("tiny", part(rows, 2, 3), PROVENANCE)
    storage.write_rows("tiny", part(rows, 0, 1), PROVENANCE)
    pd.testing.assert_frame_equal(storage.read_rows("tiny"), rows)
    assert {file.path.rsplit("/", 1)[1] for file in storage.block_files("tiny")} == {
        "blocks-000000-000001.parquet",
        "blocks-000002-000003.parquet",
    }
    assert storage.provenance(storage.block_files("tiny")[0]) == PROVENANCE


def test_blocks_stored_twice_are_counted_once(storage, rows):
    for first, last in ((0, 2), (1, 3), (1, 1), (0, 3)):
        storage.write_rows("tiny", part(rows, first, last), PROVENANCE)
    back = storage.read_rows("tiny", columns=["steps", "replicate"])
    assert back["replicate"].tolist() == list(range(1024))
    assert storage.read_rows("tiny", columns=["steps"]).columns.tolist() == ["steps"]


def test_rows_come_in_the_order_of_the_cells_that_are_asked_for(storage, rows):
    for name in ("b", "c", "a"):
        storage.write_rows("tiny", part(rows, 0, 0).assign(cell=name), PROVENANCE)
    columns = ["cell", "replicate"]
    for cells in (["c", "a"], ["a", "c"]):
        back = storage.read_rows("tiny", cells, columns)
        assert list(dict.fromkeys(back["cell"])) == cells and len(back) == 512
    assert list(dict.fromkeys(storage.read_rows("tiny", columns=columns)["cell"])) == list("abc")


def test_the_studies_that_are_declared_here_are_listed(storage):
    assert storage.studies() == []
    for path in ("b/study.json", "a/study.json", "c/other.json", "study.json", "a/d/study.json"):
        storage.write_bytes(path, b"{}")
    assert storage.studies() == ["a", "b"]


def test_a_file_is_there_whole_or_not_at_all(tmp_path, rows, monkeypatch):
    """A writer that dies in the middle leaves nothing that could be taken for a block."""
    storage = Storage(tmp_path)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainability.storage.files.os.fsync", full)
    with pytest.raises(StorageError, match="can't be written: .*No space left on device"):
        storage.write_rows("tiny", part(rows, 0, 0), PROVENANCE)
    assert storage.block_files("tiny") == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped bit", "text", "wrong blocks"])
def test_damage_is_found_and_set_aside(storage, rows, damage):
    path = storage.write_rows("tiny", part(rows, 0, 0), PROVENANCE)
    other = storage.write_rows("tiny", part(rows, 1, 1), PROVENANCE)
    content = storage.read_bytes(path)
    middle = len(content) // 3
    flipped = bytes([content[middle] ^ 1])
    storage.write_bytes(
        path,
        {
            "cut": content[:-100],
            "empty": b"",
            "flipped bit": content[:middle] + flipped + content[middle + 1 :],
            "text": b"import os; os.abort()",
            "wrong blocks": storage.read_bytes(other),
        }[damage],
    )
    assert storage.read_rows("tiny")["replicate"].tolist() == list(range(256, 512))
    (damaged,) = storage.set_damaged_aside("tiny")
    assert path in damaged
    assert storage.read_rows("tiny")["replicate"].tolist() == list(range(256, 512))
    assert storage.set_damaged_aside("tiny") == []
    storage.write_bytes(path, content)
    assert len(storage.read_rows("tiny")) == 512


def test_one_cell_s_files_are_those_of_the_whole_listing(storage, rows, cell):
    """Few cells are listed one by one, many by the whole study: the same is found."""
    storage.write_rows("tiny", part(rows, 0, 0), PROVENANCE)
    storage.write_rows("tiny", part(rows, 1, 3), PROVENANCE)
    storage.write_bytes(f"tiny/{cell.id}/notes.txt", b"no blocks")
    files = storage.block_files("tiny")
    assert [(file.cell, file.first, file.last) for file in files] == [
        (cell.id, 0, 0),
        (cell.id, 1, 3),
    ]
    assert storage.block_files("tiny", [cell.id]) == files
    assert storage.block_files("tiny", [cell.id, *map(str, range(99))]) == files
    assert storage.block_files("tiny", ["other"]) == []


def test_files_are_read_written_and_removed_by_whoever_has_the_address(storage):
    storage.check_writable()
    unpickled = pickle.loads(pickle.dumps(storage))
    assert unpickled.read_bytes("tiny/token") is None
    storage.write_bytes("tiny/token", b"here")
    assert unpickled.read_bytes("tiny/token") == b"here"
    for _ in range(2):
        unpickled.delete("tiny/token")
    assert storage.read_bytes("tiny/token") is None


def test_a_bucket_that_is_not_there_is_refused(s3):
    address = (
        s3("folder")
        .replace("s3://results", "s3://elsewhere")
        .replace("allow_bucket_creation=true", "")
    )
    with pytest.raises(StorageError, match="elsewhere/.* can't be written"):
        Storage(address.rstrip("&")).check_writable()


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


@pytest.mark.parametrize("text", ["file://{}", "file://localhost{}", "FILE://{}", "file:{}"])
def test_a_file_address_is_the_folder_that_it_means(tmp_path, text):
    folder = tmp_path / "my results"
    storage = Storage(text.format(str(folder).replace(" ", "%20")))
    assert storage.is_local and storage.address == str(folder)
    storage.check_writable()
    storage.write_bytes("study/x", b"1")
    assert (folder / "study" / "x").read_bytes() == b"1"
