"""Results that an older release has stored are found, opened, and the same today."""

import json
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from golden_study import GOLDEN, GROWN, GROWTH_OPTIONS, STORAGE

from trainability import load
from trainability.cli import main
from trainability.growth import cells_in_place, stored_growth, wanted_blocks
from trainability.storage import Storage
from trainability.study import Study
from trainability.trial import Runtime, run_trial

STUDIES = {study.name: study for study in (GOLDEN, GROWN)}
LOSSES = ["initial_loss", "final_loss"]


@pytest.fixture
def storage(tmp_path):
    shutil.copytree(STORAGE, tmp_path / "results")
    return tmp_path / "results"


def stored(name, cell):
    """The rows of a cell, straight from its files."""
    files = sorted((STORAGE / name / cell).iterdir())
    return pa.concat_tables([pq.ParquetFile(file).read() for file in files]).to_pandas()


def contents(folder):
    """What `run` and `status` must leave as it is."""
    return {
        path.relative_to(folder): path.read_bytes()
        for name in STUDIES
        for path in (folder / name).rglob("*")
        if path.suffix == ".parquet" or path.name == "growth.json"
    }


def call(monkeypatch, *arguments):
    """Run the command line in this process; its exit code."""
    monkeypatch.setattr("sys.argv", ["trainability", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code or 0


@pytest.mark.parametrize("name", STUDIES)
def test_the_declaration_on_storage_is_that_study(name):
    study = Study.from_json((STORAGE / name / "study.json").read_text())
    assert study == STUDIES[name]
    assert study.to_json() == (STORAGE / name / "study.json").read_text()
    folders = {path.name for path in (STORAGE / name).iterdir() if path.is_dir()}
    assert set(cells_in_place(study, Storage(STORAGE))) == folders


@pytest.mark.parametrize("name", STUDIES)
def test_stored_rows_come_back_to_the_last_bit(name):
    place = Storage(STORAGE)
    cells = list(cells_in_place(STUDIES[name], place))
    rows = place.read_rows(name, cells)
    golden = pd.concat([stored(name, cell) for cell in cells], ignore_index=True)
    assert len(golden) == 1024
    pd.testing.assert_frame_equal(rows[list(golden.columns)], golden, check_exact=True)


@pytest.mark.parametrize("name", STUDIES)
def test_trained_again_the_rows_are_the_same(name):
    """Counts, steps and successes exactly, losses within rounding."""
    for cell in cells_in_place(STUDIES[name], Storage(STORAGE)).values():
        golden = stored(name, cell.id)
        blocks = range(len(golden) // 256)
        rows, _ = run_trial(name, cell, blocks, Runtime(engine="fused-cpu"))
        exact = [column for column in golden if column not in (*LOSSES, "loss_curve")]
        pd.testing.assert_frame_equal(rows[exact], golden[exact], check_exact=True)
        for column in LOSSES:
            # Some 20 updates of losses near 1; of networks that diverge the last loss is what
            # float32 leaves of it.
            ok = golden["status"] == "ok"
            np.testing.assert_allclose(rows[column][ok], golden[column][ok], rtol=1e-4)
        for curve, old in zip(rows["loss_curve"][ok], golden["loss_curve"][ok], strict=True):
            np.testing.assert_allclose(curve, old, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "options"), [(GOLDEN.name, ()), (GROWN.name, GROWTH_OPTIONS)], ids=list(STUDIES)
)
def test_of_an_older_storage_nothing_is_missing_and_nothing_set_aside(
    storage, monkeypatch, capsys, name, options
):
    before = contents(storage)
    code = call(monkeypatch, "run", name, "--storage", storage, *options)
    heard = capsys.readouterr()
    assert code == 0 and "nothing was missing" in heard.err
    assert "set aside" not in heard.err and "damaged" not in heard.err
    assert contents(storage) == before


@pytest.mark.parametrize("name", STUDIES)
def test_every_command_reads_an_older_storage(storage, monkeypatch, capsys, name):
    assert call(monkeypatch, "status", name, "--storage", storage, "--json") == 0
    entries = json.loads(capsys.readouterr().out)["cells"]
    assert sum(entry["replicates_done"] for entry in entries) == 1024
    assert all(entry["replicates_to_do"] == 0 for entry in entries)
    golden = pd.concat([stored(name, entry["cell"]) for entry in entries])
    for entry in entries:
        rows = golden[golden["cell"] == entry["cell"]]
        assert entry["successes"] == rows["success"].sum()
        assert entry["diverged"] == (rows["status"] == "diverged").sum()
    loaded = load(name, storage)
    assert loaded.rates()["n"].sum() == 1024
    assert loaded.rates()["successes"].sum() == golden["success"].sum()


def test_the_rule_by_which_a_study_grew_is_kept():
    place = Storage(STORAGE)
    growth = stored_growth(GROWN, place)
    assert (growth.precision, growth.refine) == (0.05, 0.05)
    cells = cells_in_place(GROWN, place)
    assert [cell.width for cell in cells.values()] == [2, 3, 5]
    assert list(wanted_blocks(GROWN, place, cells).values()) == [1, 1, 2]
