"""Files say what they are: older ones are filled, newer ones refused, copies not counted."""

import dataclasses
import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from golden.golden_study import GOLDEN, STORAGE
from in_process import call, without_ray_and_mlflow
from synthetic_rows import store

from trainability import load
from trainability.columns import VERSION
from trainability.errors import StorageError
from trainability.results import COLUMNS, EVALUATED, Column
from trainability.storage import Storage, blocks
from trainability.storage.blocks import judge
from trainability.stored import declare
from trainability.study import Study

NEXT = VERSION + 1
YOUNGER = Column("weather", pa.string(), "Outside.", same_for_cell=True, since=1, default="fair")


NEXT = VERSION + 1


def as_if_of_version(monkeypatch, version, *more):
    """As if this code were of a later version, with more columns."""
    columns = tuple(dataclasses.replace(column, since=version) for column in more)
    schema = pa.schema([(column.name, column.type) for column in (*COLUMNS, *columns)])
    monkeypatch.setattr("trainability.storage.blocks.VERSION", version)
    monkeypatch.setattr("trainability.results.COLUMNS", (*COLUMNS, *columns))
    for module in ("results", "storage.blocks", "storage.store"):
        monkeypatch.setattr(f"trainability.{module}.SCHEMA", schema)


@pytest.fixture
def newer_columns(monkeypatch):
    monkeypatch.setattr("trainability.columns.VERSION", NEXT)
    as_if_of_version(monkeypatch, NEXT, YOUNGER)


@pytest.fixture
def storage(tmp_path):
    """Two cells of one study, written by today's code."""
    place = Storage(tmp_path / "results")
    declare(GOLDEN, [], place)
    for cell in GOLDEN.cells():
        store(place, GOLDEN.name, cell, range(2), q=0.3)
    return place


def verdicts(storage, name=GOLDEN.name):
    return {verdict.state: verdict for _, verdict in storage._judged(name, None)}


def test_what_today_s_code_writes_is_sound_and_what_the_first_wrote_is_older(storage):
    assert set(verdicts(storage)) == {"sound"}
    assert set(verdicts(Storage(STORAGE))) == {"older"}


@pytest.mark.parametrize("era", ["first", "today"])
def test_an_older_file_gets_the_default_of_a_younger_column(storage, newer_columns, era):
    place = storage if era == "today" else Storage(STORAGE)
    assert set(verdicts(place)) == {"older"}
    rows = place.read_rows(GOLDEN.name)
    assert list(rows["weather"].unique()) == ["fair"] and len(rows) == 1024
    alone = place.read_rows(GOLDEN.name, columns=["weather"])
    assert list(alone) == ["weather"] and len(alone) == 1024
    assert place.set_damaged_aside(GOLDEN.name) == []


def test_files_of_every_version_are_read(storage, monkeypatch):
    """As the code of each wrote them: with the columns that it had."""
    rows = storage.read_rows(GOLDEN.name)
    for version in range(1, VERSION):
        columns = [column for column in COLUMNS if column.since <= version]
        place = Storage(f"{storage.address}-{version}")
        with monkeypatch.context() as patch:
            schema = pa.schema([(column.name, column.type) for column in columns])
            patch.setattr("trainability.storage.blocks.VERSION", version)
            for module in ("results", "storage.blocks", "storage.store"):
                patch.setattr(f"trainability.{module}.SCHEMA", schema)
            for _, part in rows[schema.names].groupby("cell"):
                place.write_rows(GOLDEN.name, part, {})
        assert set(verdicts(place)) == {"older"}
        read = place.read_rows(GOLDEN.name, list(rows["cell"].unique()))
        younger = {column.name: column.default for column in COLUMNS if column.since > version}
        wanted = rows.assign(**younger)
        pd.testing.assert_frame_equal(read, wanted, check_exact=True, check_dtype=False)


def test_a_column_that_a_file_of_its_version_lacks_is_damage(storage, monkeypatch):
    monkeypatch.setattr("trainability.columns.VERSION", NEXT)
    as_if_of_version(monkeypatch, NEXT, YOUNGER)
    lacking = dataclasses.replace(YOUNGER, since=VERSION)
    monkeypatch.setattr("trainability.results.COLUMNS", (*COLUMNS, lacking))
    assert verdicts(storage)["damaged"].why == "it has no column 'weather'"


def written_by_newer_code(storage, monkeypatch):
    """One of the cells, as code two versions on with one more column would have written it."""
    cell = GOLDEN.cells()[0]
    with monkeypatch.context() as patch:
        patch.setattr("trainability.columns.VERSION", NEXT + 1)
        as_if_of_version(patch, NEXT + 1, YOUNGER)
        rows = storage.read_rows(GOLDEN.name, [cell.id])
        return storage.write_rows(GOLDEN.name, rows, {})


def test_what_newer_code_has_written_is_refused_by_name_and_left_alone(storage, monkeypatch):
    path = Path(storage.address) / written_by_newer_code(storage, monkeypatch)
    place = Storage(storage.address)
    assert verdicts(place)["newer"].version == NEXT + 1
    before = path.read_bytes(), (path.parents[1] / "study.json").stat().st_mtime_ns
    without_ray_and_mlflow(monkeypatch)
    for command in ("status", "report", "sync", "run"):
        heard = call(command, GOLDEN.name, "--storage", storage.address)
        assert heard.code == 2 and not heard.traceback, heard
        assert "written by a newer version of trainability" in heard.text
        assert path.name in heard.text and "pip install --upgrade" in heard.text
    with pytest.raises(StorageError, match="newer version"):
        _ = load(GOLDEN, storage.address).rows
    with pytest.raises(StorageError, match="newer version"):
        place.read_rows(GOLDEN.name)
    assert place.set_damaged_aside(GOLDEN.name) == []
    assert (path.read_bytes(), (path.parents[1] / "study.json").stat().st_mtime_ns) == before


def test_a_study_that_newer_code_has_declared_is_refused(storage):
    path = Path(storage.address) / GOLDEN.name / "study.json"
    text = path.read_text().replace('"study": 1', '"study": 2')
    storage.write_record(GOLDEN.name, "study", text)
    heard = call("status", GOLDEN.name, "--storage", storage.address)
    assert heard.code == 2 and "newer version" in heard.text
    assert path.read_text() == text


def test_every_bit_of_a_file_is_protected(storage):
    """Also where Parquet has no checksum of its own: in the footer, and beside its pages."""
    (file, *_) = storage.block_files(GOLDEN.name)
    data = Path(file.path).read_bytes()
    assert judge(data, file, GOLDEN.name).state == "sound"
    for at in range(0, len(data), 37):
        flipped = data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :]
        assert judge(flipped, file, GOLDEN.name).state == "damaged", at


def test_a_file_counts_for_nothing_but_what_it_says(storage):
    """Copied to another cell, another range or another study, it is damage, and says what it is."""
    (file, *_) = storage.block_files(GOLDEN.name)
    data = Path(file.path).read_bytes()
    for changed, study in (
        (dataclasses.replace(file, cell="0" * 16), GOLDEN.name),
        (dataclasses.replace(file, first=2, last=3), GOLDEN.name),
        (dataclasses.replace(file, last=0), GOLDEN.name),
        (file, "other"),
    ):
        verdict = judge(data, changed, study)
        assert verdict.state == "damaged"
        assert f"it holds blocks 0-1 of cell {file.cell} of golden" in verdict.why


def test_a_huge_range_in_a_name_costs_nothing(storage):
    (file, *_) = storage.block_files(GOLDEN.name)
    for last in ("999999", "999999999999"):
        shutil.copy(file.path, Path(file.path).with_name(f"blocks-000000-{last}.parquet"))
    assert len(storage.read_rows(GOLDEN.name)) == 1024
    assert len(storage.set_damaged_aside(GOLDEN.name)) == 2


def test_what_overlaps_is_counted_once(storage):
    cell = GOLDEN.cells()[0]
    store(storage, GOLDEN.name, cell, [1], q=0.3)
    rows = storage.read_rows(GOLDEN.name, [cell.id])
    assert len(storage.block_files(GOLDEN.name, [cell.id])) == 2
    assert rows["replicate"].tolist() == list(range(512))


def test_a_storage_that_fails_to_answer_is_not_damaged(storage, monkeypatch):
    """Nothing is set aside because a file could not be read just now."""
    place = Storage(storage.address)

    class Failing:
        def __init__(self, whole):
            self.whole = whole

        def __getattr__(self, name):
            return getattr(self.whole, name)

        def open_input_stream(self, path):
            raise OSError("the network is down")

    monkeypatch.setattr(place._files, "fs", Failing(place._files.fs))
    with pytest.raises(StorageError, match="can't be read: the network is down"):
        place.set_damaged_aside(GOLDEN.name)
    assert len(Storage(storage.address).block_files(GOLDEN.name)) == 2


def test_damage_is_told_once_with_what_to_do(storage, caplog):
    (file, *_) = storage.block_files(GOLDEN.name)
    Path(file.path).write_bytes(b"")
    for _ in range(3):
        assert len(storage.read_rows(GOLDEN.name)) == 512
    (record,) = caplog.records
    assert file.path in record.message and "running the study again" in record.message


def test_the_metadata_say_what_a_file_is(storage):
    (file, *_) = storage.block_files(GOLDEN.name)
    metadata = {k.decode(): v.decode() for k, v in pq.read_schema(file.path).metadata.items()}
    assert metadata["trainability.version"] == str(blocks.VERSION)
    assert metadata["trainability.blocks"] == "0-1"
    assert not any(key.startswith("trainability.") for key in storage.provenance(file))


def test_results_of_the_first_release_and_of_today_stand_side_by_side(tmp_path, monkeypatch):
    """A study that was begun by the first release goes on: the new blocks say their version."""
    shutil.copytree(STORAGE, tmp_path / "results")
    without_ray_and_mlflow(monkeypatch)
    study = dataclasses.replace(GOLDEN, replicates=768)
    path = tmp_path / "golden.json"
    path.write_text(study.to_json())
    heard = call("run", path, "--storage", tmp_path / "results")
    assert heard.code == 0 and "512 networks trained" in heard.text, heard
    place = Storage(tmp_path / "results")
    assert set(verdicts(place)) == {"sound", "older"}
    before = Storage(STORAGE).read_rows(GOLDEN.name)
    rows = place.read_rows(GOLDEN.name)
    kept = rows[rows["replicate"] < 512].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, before)
    assert len(rows) == 3 * 512
    assert Study.from_json((tmp_path / "results/golden/study.json").read_text()) == study


def test_rows_from_before_there_were_classes_have_none():
    rows = Storage(STORAGE).read_rows(GOLDEN.name)
    assert rows[list(EVALUATED)].isna().all(axis=None)
    assert rows["target_accuracy"].isna().all() and rows["tolerance"].notna().all()
    assert (rows["n_classes"] == 0).all() and (rows["n_validation"] == 0).all()
