"""Launches of one study share what they run on, made ready once, when there is work."""

import contextlib
import dataclasses

import pytest

from trainability.events import Events, Working
from trainability.launch import Launcher, Options, dispatch
from trainability.launch.in_process import InProcess
from trainability.schemes import UnitSphere
from trainability.storage import Storage


class Counted(InProcess):
    """As Ray: takes a while to start, so it is kept from round to round."""

    rank = 2
    n_ready = 0

    @contextlib.contextmanager
    def ready(self, study, storage):
        type(self).n_ready += 1
        yield


@pytest.fixture
def counted(monkeypatch):
    monkeypatch.setattr(Counted, "n_ready", 0)
    monkeypatch.setattr(dispatch, "choose_executor", lambda options, work: Counted(options))
    return Counted


def test_after_a_round_that_lacks_nothing_the_next_ones_share_what_they_run_on(
    tiny_study, tmp_path, counted
):
    study = dataclasses.replace(tiny_study, axes={"width": [2]}, scheme=UnitSphere())
    cells = {cell.id: cell for cell in study.cells()}
    storage, heard = Storage(tmp_path), []
    with Launcher(study.name, storage, Options(), Events(heard.append)) as launcher:
        launcher.launch(cells, dict.fromkeys(cells, 1))
    assert counted.n_ready == 1
    heard.clear()
    with Launcher(study.name, storage, Options(), Events(heard.append)) as launcher:
        launcher.launch(cells, dict.fromkeys(cells, 1))
        assert counted.n_ready == 1  # nothing to run: nothing is started
        launcher.launch(cells, dict.fromkeys(cells, 2))
        launcher.launch(cells, dict.fromkeys(cells, 3))
    assert counted.n_ready == 2
    assert sum(isinstance(event, Working) for event in heard) == 1
    assert len(storage.read_rows(study.name)) == 3 * 256
