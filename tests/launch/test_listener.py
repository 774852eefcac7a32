"""What the user is told of trials: how far they are, and that they do not run."""

from types import SimpleNamespace

import pytest
from ray.tune.experiment import Trial

from trainability.events import Events, Progressed
from trainability.launch import forward, listener
from trainability.launch.listener import Listener
from trainability.launch.reports import TrialsStalled, UnitDone
from trainability.plan import Unit


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=950.0)
    monkeypatch.setattr(forward, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_a_study_without_a_node_to_run_on_says_so_after_a_minute(clock):
    """Not while a worker starts, nor while any trial runs."""
    sent = []
    callback = forward.Forward(lambda report: sent.append((clock.now, report)), lambda: None)
    callback.setup()
    status = {950.0: Trial.PENDING, 1000.0: Trial.RUNNING, 1100.0: Trial.PENDING}
    for second in range(350):
        clock.now = 950.0 + second
        at = max(begun for begun in status if begun <= clock.now)
        trials = [
            SimpleNamespace(status=state, RUNNING=Trial.RUNNING)
            for state in (Trial.TERMINATED, status[at], Trial.PENDING)
        ]
        callback.on_step_begin(second, trials)
    begun, report = sent[0]
    assert report == TrialsStalled(60.0) and 1160 <= begun <= 1170


def test_when_all_is_stored_there_is_no_more_to_tell_while_trials_end(
    clock, monkeypatch, tiny_study
):
    """Ray takes seconds for that: a log would have the last line again and again."""
    monkeypatch.setattr(listener, "time", SimpleNamespace(monotonic=lambda: clock.now, time=int))
    cell = tiny_study.cells()[0]
    heard = []
    hearing = Listener({cell.id: [0, 1]}, {cell.id: cell}, 512, Events(heard.append))

    def told():
        clock.now += 5
        hearing.tick()
        return [event.networks for event in heard if isinstance(event, Progressed)]

    hearing.hear(UnitDone(Unit(cell.id, 0, 0), 1))
    assert told() == [256, 256]
    hearing.hear(UnitDone(Unit(cell.id, 1, 1), 1))
    assert told() == told() == [256, 256, 512]
