"""What the user is told of trials that do not run."""

from types import SimpleNamespace

import pytest
from ray.tune.experiment import Trial

from trainability.launch import forward
from trainability.launch.reports import TrialsStalled


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=950.0)
    monkeypatch.setattr(forward, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_a_study_without_a_node_to_run_on_says_so_after_a_minute(clock):
    """Not while a worker starts, nor while any trial runs."""
    told = []
    callback = forward.Forward(lambda report: told.append((clock.now, report)), lambda: None)
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
    begun, report = told[0]
    assert report == TrialsStalled(60.0) and 1160 <= begun <= 1170
