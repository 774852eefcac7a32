"""The mirror's thread: what can't be told is told later, and never stops the study."""

import threading

import pytest

from trainability.tracking import background
from trainability.tracking.background import Mirror


class Fake:
    """Stands in for `MlflowMirror`; refuses while `down` is set."""

    down = threading.Event()
    told: list
    connections = 0

    def __init__(self, *_):
        self._check()
        Fake.connections += 1

    def start(self, cell, at):
        self._check()
        Fake.told.append(("start", cell))

    def finish(self, cell):
        self._check()
        Fake.told.append(("finish", cell))

    def fail(self, cell, why, at):
        self._check()
        Fake.told.append(("fail", cell))

    def close(self, status, at):
        self._check()
        Fake.told.append(("close", status))

    def _check(self):
        if Fake.down.is_set():
            raise ConnectionError("server\nis away")


@pytest.fixture
def mirror(monkeypatch):
    Fake.told, Fake.connections = [], 0
    Fake.down.clear()
    monkeypatch.setattr("trainability.tracking.mirror.MlflowMirror", Fake)
    monkeypatch.setattr(background, "_LONGEST_PAUSE_S", 0.01)
    return Mirror(None, None, "")


def wait(condition):
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)
    pytest.fail("nothing happened")


def test_what_failed_is_told_again_before_the_end(mirror):
    mirror.cell_started(1)
    wait(lambda: Fake.told)
    Fake.down.set()
    for cell in (1, 2, 3):
        mirror.cell_done(cell)
    wait(lambda: mirror.trouble)
    assert mirror.trouble == "ConnectionError: server"
    Fake.down.clear()
    mirror.close("FINISHED")
    assert mirror.trouble is None
    assert sorted(Fake.told[1:-1]) == [("finish", 1), ("finish", 2), ("finish", 3)]
    assert Fake.told[-1] == ("close", "FINISHED")
    # What was known of the runs before the outage is looked up again.
    assert Fake.connections == 2


def test_an_outage_to_the_end_is_remembered(mirror):
    Fake.down.set()
    mirror.cell_done(1)
    mirror.close("FINISHED")
    assert mirror.trouble == "ConnectionError: server" and Fake.told == []


def test_one_update_that_always_fails_holds_up_no_other(mirror):
    def bug(_):
        raise ValueError("no such thing")

    mirror.add(bug)
    for cell in (1, 2):
        mirror.cell_done(cell)
    wait(lambda: len(Fake.told) == 2)
    mirror.close("FINISHED")
    assert mirror.trouble == "ValueError: no such thing"


def test_in_a_hurry_only_the_end_is_told(mirror):
    gate = threading.Event()
    mirror.add(lambda _: gate.wait(10) and None)
    for cell in range(100):
        mirror.cell_done(cell)
    wait(lambda: len(mirror._tasks) == 100)
    threading.Timer(0.1, gate.set).start()
    mirror.close("KILLED", hurry=True)
    assert Fake.told == [("close", "KILLED")]
    assert mirror.trouble == "interrupted with 100 updates to do"


def test_a_study_that_told_nothing_leaves_no_trace(mirror):
    mirror.close("FAILED", hurry=True)
    assert Fake.connections == 0


@pytest.mark.parametrize("hurry", [True, False])
def test_an_end_does_not_wait_for_a_mirror_that_is_stuck(mirror, monkeypatch, hurry):
    """In the middle of its import, or waiting for a server, when a signal comes."""
    monkeypatch.setattr(background, "_HURRY_S", 0.1)
    monkeypatch.setattr(background, "_UNHURRIED_S", 0.1)
    gate = threading.Event()
    mirror.add(lambda _: gate.wait(60) and None)
    mirror.cell_done(1)
    wait(lambda: len(mirror._tasks) == 1)
    if not hurry:
        monkeypatch.setattr(background.interrupts, "requested", lambda: True)
    mirror.close("FINISHED", hurry=hurry)
    assert mirror.trouble == "interrupted with 1 update to do"
    gate.set()
    mirror._thread.join(60)
    assert Fake.told == [("close", "KILLED" if not hurry else "FINISHED")]
