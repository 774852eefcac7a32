"""From a study to its rows: what is written first, and what MLflow hears of a study that grows."""

import contextlib
import json

import pytest
from synthetic_rows import store

from trainability import events
from trainability.errors import InputError, StorageError
from trainability.growth import Growth, study_cells
from trainability.launch import Options, Outcome
from trainability.plan import missing_blocks, runs
from trainability.running import execution
from trainability.running.job import Job
from trainability.storage import Storage


class Heard:
    """A mirror that keeps what it is told."""

    def __init__(self):
        self.events, self.done = [], []

    def on_event(self, event):
        self.events.append(type(event))

    def cell_done(self, cell):
        self.done.append(cell.id)


class Synthetic(contextlib.AbstractContextManager):
    """A launcher whose rows are drawn by a simple law; `ends` says how a round ends, by number."""

    ends: dict[int, Outcome | Exception] = {}  # noqa: RUF012
    number = 0
    refuses = False

    def __init__(self, name, storage, options, events):
        self.name, self.storage, self.events = name, storage, events

    def __exit__(self, *_):
        pass

    def prepare(self, cells, wanted):
        files = self.storage.block_files(self.name, cells)
        if self.refuses and any(missing_blocks(wanted, files).values()):
            raise InputError("nobody can work on it")

    def launch(self, cells, wanted):
        type(self).number += 1
        end = self.ends.get(self.number)
        if isinstance(end, Exception):
            raise end
        if end is not None:
            return end
        n_stored = 0
        missing = missing_blocks(wanted, self.storage.block_files(self.name, cells))
        for cell, blocks in missing.items():
            for run in runs(blocks):
                store(self.storage, self.name, cells[cell], run)
                n_stored += len(run) * 256
            self.events.emit(events.Finished(cell=cells[cell]))
        return Outcome(networks=n_stored, n_cells=len(cells))


@pytest.fixture
def execute(tiny_study, tmp_path, monkeypatch):
    """Executes a study by a rule, with rounds that may end badly: outcome, mirror, storage."""
    monkeypatch.setattr(execution, "Launcher", Synthetic)
    monkeypatch.setattr(Synthetic, "number", 0)

    def executed(growth, ends=None, hears=lambda _: None):
        monkeypatch.setattr(Synthetic, "ends", ends or {})
        storage, mirror = Storage(tmp_path), Heard()
        job = Job(tiny_study, growth, storage, Options(), "tiny", None)
        cells = study_cells(tiny_study, storage)
        with contextlib.ExitStack() as end:
            outcome = execution.execute(job, cells, events.Events(hears), mirror, end)
        return outcome, mirror, storage

    return executed


def test_of_a_study_that_does_not_grow_mlflow_hears_at_once(execute, tiny_study):
    outcome, mirror, storage = execute(Growth(n_blocks=2))
    assert outcome.networks == 4 * 512 and outcome.n_cells == 4
    assert mirror.events.count(events.Finished) == 4 and not mirror.done
    assert {"study.json", "provenance.json"} <= set(storage.file_names("tiny"))
    assert "growth.json" not in storage.file_names("tiny")


def test_of_a_cell_that_may_grow_mlflow_hears_when_it_has_stopped(execute, tiny_study):
    outcome, mirror, storage = execute(Growth(n_blocks=2, precision=0.03, refine=0.5))
    assert events.Finished not in mirror.events
    cells = study_cells(tiny_study, storage)
    assert sorted(mirror.done) == sorted(cells) and outcome.n_cells == len(cells) > 4
    assert outcome.networks == len(storage.read_rows("tiny")) > len(cells) * 512
    assert json.loads(storage.read_bytes("tiny/growth.json"))["rule"]["refine"] == 0.5


@pytest.mark.parametrize("interrupted", [False, True])
def test_of_cells_of_a_round_that_failed_mlflow_hears_nothing(execute, tiny_study, interrupted):
    """They may grow: the next command tells. Of those that had stopped before it hears."""
    some = tiny_study.cells()[0].id
    broken = Outcome({some: [1]}, n_cells=1, interrupted=interrupted)
    outcome, mirror, _ = execute(Growth(n_blocks=1, precision=0.06), {2: broken})
    assert outcome.missing == {some: [1]} and outcome.networks == 4 * 256 and outcome.n_cells == 4
    settled = {cell.id for cell in tiny_study.cells() if cell.width == 4}
    assert set(mirror.done) == settled


def test_cells_that_had_stopped_are_in_mlflow_whatever_ends_the_next_round(
    execute, tiny_study, monkeypatch
):
    heard = []
    monkeypatch.setattr(Heard, "cell_done", lambda self, cell: heard.append(cell.id))
    with pytest.raises(StorageError):
        execute(Growth(n_blocks=1, precision=0.06), {2: StorageError("gone")})
    assert set(heard) == {cell.id for cell in tiny_study.cells() if cell.width == 4}


@pytest.mark.parametrize("n_blocks", [0, 1])
def test_who_can_not_be_worked_for_is_refused_before_anything_is_written(
    execute, tiny_study, tmp_path, monkeypatch, n_blocks
):
    """Also where the first round lacks nothing, and the next one does."""
    storage = Storage(tmp_path)
    for cell in tiny_study.cells():
        if n_blocks:
            store(storage, "tiny", cell, range(n_blocks))
    before = storage.file_names("tiny")
    monkeypatch.setattr(Synthetic, "refuses", True)
    with pytest.raises(InputError, match="nobody"):
        execute(Growth(n_blocks=1, precision=0.01))
    assert storage.file_names("tiny") == before


def test_who_runs_the_same_study_already_is_named(execute, tmp_path):
    heard = []
    mark = {"machine": ["far", "b00t"], "pid": 7, "begun": "1", "at": 5.0}
    Storage(tmp_path).write_bytes("tiny/.run-1", json.dumps(mark).encode())
    execute(Growth(n_blocks=2), hears=heard.append)
    [noted] = [event for event in heard if isinstance(event, events.Noted)]
    assert noted.heading == "may run already:" and "tiny (process 7 on far)" in noted.text
    assert "no network counts twice" in noted.text
    heard.clear()
    Storage(tmp_path).delete("tiny/.run-1")
    execute(Growth(n_blocks=3), hears=heard.append)
    assert not [event for event in heard if isinstance(event, events.Noted)]
