"""A tuning that an older release has stored is opened, goes on, and says the same today."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from tuning_in_process import Trainer

from trainability.storage import Storage
from trainability.tuning import Tuning
from trainability.tuning.loop import run_search
from trainability.tuning.result import judge
from trainability.tuning.tables import candidate_table, finalist_table

STORED = Path(__file__).parent / "stored"
DECLARATION = STORED / "first_release" / "tuning.json"


@pytest.fixture
def storage(tmp_path):
    shutil.copytree(STORED / "first_release", tmp_path / "first_release")
    return Storage(tmp_path)


def test_its_declaration_is_read_and_written_as_it_is():
    tuning = Tuning.from_json(DECLARATION.read_text())
    assert tuning.to_json() == DECLARATION.read_text()
    [folder] = (STORED / "first_release").glob("search-*")
    assert folder.name == f"search-{tuning.search_id}"


def test_nothing_is_trained_again_and_its_tables_are_the_same(storage):
    tuning = Tuning.from_json(DECLARATION.read_text())
    trainer = Trainer(tuning, storage)
    result = judge(run_search(tuning, storage, trainer))
    assert trainer.trained == 0
    for name, table in (
        ("candidates", candidate_table(result)),
        ("finalists", finalist_table(result)),
    ):
        stored = pd.read_csv(STORED / f"{name}.csv")
        # The surrogate is fitted by an optimizer, whose last digits are the processor's.
        pd.testing.assert_frame_equal(table, stored, rtol=1e-4, check_dtype=False)


def test_without_its_rounds_it_begins_with_the_very_same(storage):
    """A Latin hypercube from the tuning's own stream, to the last digit."""
    tuning = Tuning.from_json(DECLARATION.read_text())
    [folder] = Path(storage.address).glob("first_release/search-*")
    written = (folder / "round-0000.json").read_text()
    shutil.rmtree(folder)
    run_search(tuning, storage, Trainer(tuning, storage))
    assert (folder / "round-0000.json").read_text() == written
