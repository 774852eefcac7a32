"""What a trial does with its units: whole, patient with storage, sparing with memory."""

import dataclasses
import os
import shutil

import pandas as pd
import pytest
import torch

from trainability.errors import StorageError
from trainability.launch import worker
from trainability.launch.reports import (
    StorageAwaited,
    UnitAdvanced,
    UnitDone,
    UnitFailed,
    UnitStarted,
)
from trainability.launch.worker import Work
from trainability.plan import Unit
from trainability.storage import Storage
from trainability.trial import Runtime, run_trial


@pytest.fixture
def cell(tiny_study):
    return dataclasses.replace(tiny_study.cells()[0], max_steps=20)


class Reports(list):
    """The driver, which keeps what trials report."""

    def report(self, report):
        self.append(report)

    def check(self):
        pass


@pytest.fixture
def reports():
    return Reports()


def work_through(reports, work):
    """Trial 0."""
    worker.work_through(work.trials[0], work, reports)


@pytest.fixture
def work(cell, tmp_path):
    storage = Storage(tmp_path / "results")
    storage.write_bytes("tiny/.launch-1", b"")
    return Work(
        study="tiny",
        cells={cell.id: cell},
        trials=[[Unit(cell.id, 0, 4)]],
        storage=storage,
        token="tiny/.launch-1",
        runtime=Runtime(),
        gpu_share=0,
        report_every_s=0.0,
        storage_patience_s=0.0,
    )


def undisturbed(cell) -> pd.DataFrame:
    return run_trial("tiny", cell, range(5), Runtime())[0]


def test_a_unit_that_is_too_large_for_memory_is_halved_until_it_fits(
    cell, work, reports, monkeypatch
):
    """Two blocks fit; the size is found once and kept for the trial's other units."""
    tried = []

    def small_device(study, cell, blocks, *rest):
        tried.append(len(blocks))
        if len(blocks) > 2:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return run_trial(study, cell, blocks, *rest)

    monkeypatch.setattr(worker, "run_trial", small_device)
    work = dataclasses.replace(work, trials=[[Unit(cell.id, 0, 3), Unit(cell.id, 4, 4)]])
    work_through(reports, work)
    assert tried == [4, 2, 2, 1]
    assert [type(r) for r in reports if type(r) is not UnitAdvanced] == [UnitStarted, UnitDone] * 2
    pd.testing.assert_frame_equal(work.storage.read_rows("tiny"), undisturbed(cell))


def test_one_block_that_does_not_fit_is_a_failure_that_says_so(cell, work, reports, monkeypatch):
    def no_memory(*_):
        raise MemoryError("no room")

    monkeypatch.setattr(worker, "run_trial", no_memory)
    work_through(reports, work)
    assert [type(report) for report in reports] == [UnitStarted, UnitFailed]
    assert (reports[1].error_type, reports[1].text) == ("MemoryError", "no room")
    assert "in no_memory" in reports[1].traceback and reports[1].node == os.uname().nodename


def test_only_the_blocks_that_storage_lacks_are_run(cell, work, reports, monkeypatch):
    whole = undisturbed(cell)
    done = whole[(whole["replicate"] >= 512) & (whole["replicate"] < 768)]
    work.storage.write_rows("tiny", done.reset_index(drop=True), {})
    run = []

    def counted(study, cell, blocks, *rest):
        run.extend(blocks)
        return run_trial(study, cell, blocks, *rest)

    monkeypatch.setattr(worker, "run_trial", counted)
    work_through(reports, work)
    work_through(reports, work)
    assert run == [0, 1, 3, 4]
    pd.testing.assert_frame_equal(work.storage.read_rows("tiny"), whole)


def test_a_full_storage_is_waited_for_with_the_rows_in_hand(cell, work, reports, monkeypatch):
    """The third attempt finds room; nothing is trained twice."""
    attempts = []
    fsync = worker.os.fsync

    def full_at_first(descriptor):
        attempts.append(descriptor)
        if len(attempts) < 3:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    trained = []
    monkeypatch.setattr(worker, "run_trial", lambda *rest: trained.append(rest) or run_trial(*rest))
    monkeypatch.setattr(worker, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("trainability.storage.files.os.fsync", full_at_first)
    work_through(reports, dataclasses.replace(work, storage_patience_s=5.0))
    waiting = [r.why for r in reports if isinstance(r, StorageAwaited)]
    assert len(waiting) == 2 and all("No space left on device" in why for why in waiting)
    assert len(trained) == 1
    pd.testing.assert_frame_equal(work.storage.read_rows("tiny"), undisturbed(cell))


def test_a_storage_that_stays_full_ends_the_trial(work, reports, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainability.storage.files.os.fsync", full)
    with pytest.raises(StorageError, match="can't be written: .*No space left on device"):
        work_through(reports, work)


def test_a_storage_that_is_gone_is_not_made_anew(work, reports, tmp_path, monkeypatch):
    """Where a file system was mounted there is an empty folder: rows in it would be lost."""

    def unmount(*rest):
        shutil.rmtree(tmp_path / "results")
        (tmp_path / "results").mkdir()
        return run_trial(*rest)

    monkeypatch.setattr(worker, "run_trial", unmount)
    with pytest.raises(StorageError, match="is gone, or not shared"):
        work_through(reports, work)
    assert list((tmp_path / "results").iterdir()) == []


def test_a_storage_of_another_node_is_refused_before_training(work, reports, monkeypatch):
    monkeypatch.setattr(worker, "run_trial", lambda *_: pytest.fail("trained"))
    with pytest.raises(StorageError, match="is gone, or not shared"):
        work_through(reports, dataclasses.replace(work, token="tiny/.launch-2"))


def test_a_gpu_that_is_lost_to_its_process_ends_the_trial(cell, work, reports, monkeypatch):
    """Else all trials that the process would still get would fail as well."""

    def assert_on_device(*_):
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(worker, "run_trial", assert_on_device)
    monkeypatch.setattr(torch.cuda, "synchronize", assert_on_device)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    on_gpu = dataclasses.replace(work, runtime=Runtime(device="cuda"), gpu_share=1)
    with pytest.raises(RuntimeError, match="device-side assert"):
        work_through(reports, on_gpu)
    assert [type(r) for r in reports] == [UnitStarted, UnitFailed]
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    work_through(reports, on_gpu)


def test_a_trial_on_a_gpu_takes_its_share_of_the_memory(work, reports, monkeypatch):
    shares = []
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", shares.append)
    on_gpu = Runtime(device="cuda")
    for share in (0.5, 1.0):
        changed = dataclasses.replace(work, runtime=on_gpu, gpu_share=share, trials=[[]])
        work_through(reports, changed)
    assert shares == [0.5]
