"""After any damage: no traceback, no wrong count in any command, and `run` makes it whole.

With TRAINABILITY_DAMAGE=full in the environment both studies of both storages are damaged in
every way of the catalog; without it in a fixed sample of all that. Trials run in this process;
Ray, MLflow and the drawing of the page are replaced by stand-ins.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from damage import KINDS
from golden.golden_study import GOLDEN, GROWN, GROWTH_OPTIONS, STORAGE
from in_process import REPORTED, call, without_ray_and_mlflow

from trainability import load
from trainability.growth import cells_in_place
from trainability.results import COLUMNS
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage

FULL = os.environ.get("TRAINABILITY_DAMAGE") == "full"
STUDIES = {GOLDEN.name: (GOLDEN, ()), GROWN.name: (GROWN, GROWTH_OPTIONS)}


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """Two storages of the same studies, one from before files had checksums, one of today."""
    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copytree(STORAGE, folder / "first" / "results")
    with pytest.MonkeyPatch.context() as patch:
        without_ray_and_mlflow(patch)
        for study, options in STUDIES.values():
            path = folder / f"{study.name}.json"
            path.write_text(study.to_json())
            heard = call("run", path, "--storage", folder / "today" / "results", *options)
            assert heard.code == 0, heard.text
    return folder


@pytest.fixture(scope="session")
def truth(undisturbed):
    rows = {}
    for era in ("first", "today"):
        storage = Storage(undisturbed / era / "results")
        for name, (study, _) in STUDIES.items():
            rows[era, name] = storage.read_rows(name, list(cells_in_place(study, storage)))
            assert len(rows[era, name]) == 1024
    return rows


@pytest.fixture
def alone(monkeypatch):
    without_ray_and_mlflow(monkeypatch)


def cases() -> list:
    """Every kind, on one of the two storages and studies in turn, or on all."""
    every = [
        pytest.param(kind, era, name, id=f"{kind}-{era}-{name}")
        for kind in KINDS
        for era in ("first", "today")
        for name in STUDIES
    ]
    if FULL:
        return every
    # By their names, so that a kind more moves no other one.
    return [case for case in every if zlib.crc32(case.id.encode()) % 24 == 0]


YOUNGER = [column.name for column in COLUMNS if column.since and column.nullable]


def counted(storage: Path, study, truth: pd.DataFrame) -> pd.DataFrame:
    """The rows that count, after making sure that they are some of the undisturbed ones."""
    place = Storage(storage)
    rows = place.read_rows(study.name, list(cells_in_place(study, place)))
    assert not rows.duplicated(["cell", "replicate"]).any()
    place_of = pd.MultiIndex.from_frame(truth[["cell", "replicate"]])
    at = place_of.get_indexer(pd.MultiIndex.from_frame(rows[["cell", "replicate"]]))
    assert (at >= 0).all()
    expected = truth.iloc[at].reset_index(drop=True).astype(dict.fromkeys(YOUNGER, object))
    pd.testing.assert_frame_equal(
        as_little_as(expected, rows), expected, check_exact=True, check_dtype=len(rows) > 0
    )
    return rows


def as_little_as(truth: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows without what only younger code measures, where the truth is older: blocks that run
    again know it."""
    forgotten = {name: rows[name].where(truth[name].notna(), None) for name in YOUNGER}
    return rows.assign(**{name: values.astype(object) for name, values in forgotten.items()})


def same(rows: pd.DataFrame, truth: pd.DataFrame) -> None:
    order = ["cell", "replicate"]
    expected = truth.sort_values(order, ignore_index=True)
    rows = rows.sort_values(order, ignore_index=True)
    expected = expected.astype(dict.fromkeys(YOUNGER, object))
    pd.testing.assert_frame_equal(as_little_as(expected, rows), expected)


@pytest.mark.parametrize(("kind", "era", "name"), cases())
def test_after_any_damage_counts_are_right_and_a_run_makes_it_whole(
    undisturbed, truth, tmp_path, alone, kind, era, name
):
    study, options = STUDIES[name]
    storage = tmp_path / "results"
    shutil.copytree(undisturbed / era / "results", storage)
    file = tmp_path / f"{name}.json"
    file.write_text(study.to_json())
    seed = zlib.crc32(f"{kind} {era} {name}".encode())
    KINDS[kind](storage, name, np.random.default_rng(seed))
    rows = counted(storage, study, truth[era, name])
    for text in (name, file):
        heard = call("status", text, "--storage", storage, "--json")
        assert not heard.traceback and heard.code in ((0, 2) if text == name else (0,)), heard
        if heard.code:
            assert "error:" in heard.text
            continue
        for entry in json.loads(heard.out)["cells"]:
            part = rows[rows["cell"] == entry["cell"]]
            assert entry["replicates_done"] == len(part)
            assert entry["successes"] == part["success"].sum()
            assert entry["diverged"] == (part["status"] == "diverged").sum()
            assert entry["replicates_to_do"] >= study.n_blocks * BLOCK_SIZE - len(part)
    for command in ("report", "sync"):
        heard = call(command, file, "--storage", storage)
        assert not heard.traceback and heard.code == (0 if len(rows) else 2), heard
    assert f"{len(rows):,} networks" in repr(load(study, storage))
    assert len(load(study, storage).rows) == len(rows)
    if len(rows):
        rates = REPORTED.pop().rates
        assert rates["n"].sum() == len(rows)
        assert rates["successes"].sum() == rows["success"].sum()
    heard = call("run", file, "--storage", storage, *options)
    assert not heard.traceback and heard.code == 0, heard
    same(counted(storage, study, truth[era, name]), truth[era, name])
    heard = call("run", name, "--storage", storage, *options)
    assert not heard.traceback and heard.code == 0, heard
    assert "nothing was missing" in heard.text and "damaged" not in heard.text
