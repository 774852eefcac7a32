"""A small study that is ended at random moments, from the first import on, by any signal.

ENDINGS=100 tries a hundred of them; without it there are a few, within a minute.
"""

import contextlib
import os
import random
import signal
import subprocess
import time

import psutil
import pytest
from commands import start, stored, undisturbed, write_study

from trainability.launch import reaper

N_ENDINGS = int(os.environ.get("ENDINGS", "6"))
LIMIT_S = 30.0
"""How long a batch system waits."""
LONGEST_S = float(os.environ.get("ENDINGS_WITHIN_S", "12"))
"""A moment is uniform between the start and this time, in seconds."""
NOT_YET_OURS = "Could not import runpy module"
"""What Python says of a Ctrl-C before it knows which module it is to run."""
SIGNALS = ["TERM", "INT", "HUP", "KILL"]


def started_by(driver, mark):
    """Processes that carry a mark that the driver was given, but for the driver."""
    return [
        process
        for process in psutil.process_iter()
        if process.pid != driver.pid and carries(process, mark)
    ]


def carries(process, mark):
    with contextlib.suppress(psutil.Error, OSError):
        return process.environ().get("ENDINGS_MARK") == mark
    return False


def wait_until_none(driver, mark, seconds):
    """The command lines of what is left after some time."""
    end = time.monotonic() + seconds
    while (left := started_by(driver, mark)) and time.monotonic() < end:
        time.sleep(0.1)
    lines = []
    for process in left:
        with contextlib.suppress(psutil.Error):
            lines.append(" ".join(process.cmdline())[:80])
    return lines


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """The study's file, its storage, and one note per ending."""
    folder = tmp_path_factory.mktemp("endings")
    study = write_study(folder, n_cells=3, n_blocks=2)
    rng = random.Random(14)
    notes = []
    # All four signals in every four endings, in an order of their own.
    signals = []
    while len(signals) < N_ENDINGS:
        signals += rng.sample(SIGNALS, 4)
    for number, name in enumerate(signals[:N_ENDINGS]):
        # The start anew, half of the time: what is stored is done soon.
        if number % 4 == 0:
            storage = folder / f"results-{number}"
        whole_group = rng.random() < 0.5
        moment = rng.uniform(0.0, LONGEST_S)
        notes.append(end_once(study, storage, name, moment, whole_group, mark=f"{number}"))
        print(notes[-1], flush=True)
    return study, storage, notes


def end_once(study, storage, name, moment, whole_group, mark):
    mark = f"{os.getpid()}-{mark}"
    driver = start(study, storage, PACE_S="0.3", ENDINGS_MARK=mark)
    time.sleep(moment)
    begun = time.monotonic()
    running = driver.poll() is None
    number = getattr(signal, f"SIG{name}")
    with contextlib.suppress(ProcessLookupError):
        (os.killpg if whole_group else os.kill)(driver.pid, number)
    try:
        text, _ = driver.communicate(timeout=LIMIT_S)
        seconds = time.monotonic() - begun
    except subprocess.TimeoutExpired:
        driver.kill()
        text, seconds = driver.communicate()[0], None
    return {
        "signal": name,
        "moment": round(moment, 2),
        "group": whole_group,
        "running": running,
        "seconds": None if seconds is None else round(seconds, 2),
        "code": driver.returncode,
        "left": wait_until_none(driver, mark, 10.0),
        "text": text[-2000:],
    }


def test_every_ending_comes_within_the_time_that_a_batch_system_gives(ended):
    assert [note for note in ended[2] if note["seconds"] is None] == []


def test_nothing_that_was_started_is_left(ended):
    assert [note for note in ended[2] if note["left"]] == []


def test_the_exit_code_names_the_signal(ended):
    wrong = []
    for note in ended[2]:
        if note["text"].startswith(NOT_YET_OURS):
            continue
        number = getattr(signal, f"SIG{note['signal']}")
        # A process that had no time to handle anything dies of the signal itself: shells show
        # the same code.
        if note["running"] and note["code"] not in (0, 128 + number, -number):
            wrong.append(note)
        assert "Traceback" not in note["text"] or note["code"] == -signal.SIGINT, note
    assert wrong == []


def test_the_same_command_ends_with_the_rows_of_an_undisturbed_study(ended):
    study, storage, _ = ended
    driver = start(study, storage)
    text, _ = driver.communicate(timeout=200)
    assert driver.returncode == 0, text
    assert stored(storage) == undisturbed(study)
    assert [path.name for path in storage.glob("slow/.launch-*")] == []
    assert reaper.marked("") == []
