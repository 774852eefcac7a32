"""A Ray of our own: where its folder is, what is told if it does not start, what stays of it."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from trainability.errors import InputError
from trainability.launch import cluster, embedded, reaper
from trainability.launch.cluster import connected
from trainability.launch.options import Options

CONNECT = """
import time
from trainability.launch.cluster import connected
from trainability.launch.options import Options
with connected(Options()):
    import ray
    print(ray._private.worker._global_node.get_session_dir_path(), flush=True)
"""


def ours(mark):
    processes = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("EMBEDDED_TEST") == mark:
                processes.append(process)
    return processes


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def long_folder(tmp_path):
    folder = tmp_path / ("long-" * 30)
    folder.mkdir()
    return folder


def test_a_long_folder_for_temporary_files_does_not_matter_and_nothing_stays(long_folder):
    done = subprocess.run(
        [sys.executable, "-c", CONNECT],
        env={**os.environ, "TMPDIR": str(long_folder), "EMBEDDED_TEST": "long"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert ours("long") == [] and list(long_folder.iterdir()) == []
    session = Path(done.stdout.strip())
    assert session.name.startswith("session_") and not session.parent.exists()


@pytest.mark.parametrize("moment", ["while it starts", "when it has started"])
def test_a_driver_that_is_killed_leaves_no_process_and_no_folder(moment, tmp_path):
    """Ray's own agents would take half a minute to notice.

    All that has started carries the mark, and is out of reach of signals for our group: also
    agents and workers, which Ray gives a title that is longer than their command.
    """
    mark, place = moment.replace(" ", "-"), Path("/tmp") / f"t{os.getpid()}"
    place.mkdir()
    code = CONNECT + "    time.sleep(100)\n"
    driver = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "RAY_TMPDIR": str(place), "EMBEDDED_TEST": mark},
        stdout=subprocess.PIPE,
    )

    def started():
        return psutil.Process(driver.pid).children(recursive=True)

    def titles():
        addresses = set()
        for process in started():
            with contextlib.suppress(psutil.Error):
                addresses.add("".join(process.cmdline()[:1]))
        return addresses

    try:
        if moment == "while it starts":
            wait_until(lambda: any("gcs_server" in p.name() for p in ours(mark)), 100)
        else:
            assert driver.stdout.readline()
            assert len(ours(mark)) > 4
            wait_until(lambda: {"ray::DashboardAgent", "ray::RuntimeEnvAgent"} <= titles(), 100)
            for process in started():
                with contextlib.suppress(psutil.Error):  # it has ended
                    assert process.environ().get("EMBEDDED_TEST") == mark, process
                    assert os.getsid(process.pid) != os.getsid(driver.pid), process
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.communicate()
    wait_until(lambda: ours(mark) == [], 10)
    assert list(place.iterdir()) == []
    place.rmdir()


def test_only_what_carries_the_mark_is_killed():
    """Wherever it was moved to: the second is an orphan in a session of its own."""
    sleep = "import time; time.sleep(100)"
    orphan = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{sleep}'],"
    orphan += " start_new_session=True)"
    marked = {**os.environ, reaper.MARK: "mine"}
    others = [
        subprocess.Popen([sys.executable, "-c", sleep], env=environment)
        for environment in (marked, {**os.environ, reaper.MARK: "theirs"}, os.environ.copy())
    ]
    subprocess.run([sys.executable, "-c", orphan], env=marked, check=True)
    wait_until(lambda: len(reaper.marked("mine")) == 2, 20)
    reaper.reap("mine")
    assert reaper.marked("mine") == []
    assert others[0].wait(10) == -signal.SIGKILL
    for process in others[1:]:
        assert process.poll() is None
        process.kill()
        process.wait()


def test_a_folder_that_can_not_be_made_is_told_with_what_was_tried(monkeypatch):
    monkeypatch.setenv("RAY_TMPDIR", "/dev/null")
    names = io.BytesIO()
    folder = Path(embedded._make_folder(names))
    assert str(folder) in names.getvalue().decode().splitlines()
    assert folder.parent != Path("/dev/null")
    folder.rmdir()

    def refuse(folder, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(embedded.os, "mkdir", refuse)
    monkeypatch.setenv("RAY_TMPDIR", "/" + "long/" * 30)
    with pytest.raises(InputError, match="(?s)no folder .*is too long.*/tmp: Permission denied.*"):
        embedded._make_folder(names)


@pytest.mark.parametrize(
    "error",
    [Exception("The current node timed out during startup"), OSError("AF_UNIX path length")],
    ids=lambda error: type(error).__name__,
)
def test_a_ray_that_does_not_start_is_one_message(monkeypatch, error):
    def fail(**_):
        raise error

    monkeypatch.setattr(cluster.ray, "is_initialized", lambda: False)
    monkeypatch.setattr(embedded.ray, "init", fail)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with (
        pytest.raises(InputError, match=f"an embedded Ray does not start: {error}; wanted"),
        connected(Options()),
    ):
        pass


def guarded(last_line):
    """A process that the reaper watches, with a grace of a second, once it has come to a line."""
    code = f"""
import ctypes
from trainability import interrupts
from trainability.launch.embedded import _start_reaper
interrupts.GRACE_S = 1.0
with interrupts.handled(), interrupts.orderly():
    guard = _start_reaper("guarded")
    print("ready", flush=True)
    {last_line}
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    driver = subprocess.Popen([sys.executable, "-c", code], **pipes)
    assert driver.stdout.readline()
    return driver


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="wants Linux's /proc")
def test_a_signal_is_answered_also_while_code_in_c_keeps_python_s_lock():
    """Ray's code may, while it starts: no thread of Python's runs then, and none can answer."""
    driver = guarded("ctypes.PyDLL(None).sleep(100)")
    driver.send_signal(signal.SIGTERM)
    try:
        driver.communicate(timeout=30)
    finally:
        driver.kill()
        driver.communicate()
    assert driver.returncode == -signal.SIGKILL


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="wants Linux's /proc")
def test_who_answers_signals_is_left_alone():
    """It waits for them, whatever else the process does, before and after the first one."""
    code = """
import os, time
from trainability import interrupts
from trainability.launch.reaper import is_waiting
with interrupts.handled(), interrupts.orderly():
    mine = os.getpid(), interrupts.waiting_thread()
    time.sleep(0.5)
    print(is_waiting(*mine), flush=True)
    os.kill(os.getpid(), 15)
    while not interrupts.requested():
        time.sleep(0.01)
    time.sleep(0.5)
    print(is_waiting(*mine), is_waiting(os.getpid(), os.getpid()), flush=True)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["True", "True", "False"], done.stderr


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="wants Linux's /proc")
def test_who_is_stopped_is_not_stuck():
    """As by Ctrl-Z, or by a debugger: whoever has stopped it lets it go on."""
    driver = guarded("input()")
    driver.send_signal(signal.SIGSTOP)
    time.sleep(4)
    driver.send_signal(signal.SIGCONT)
    driver.communicate(b"go on\n", timeout=30)
    assert driver.returncode == 0
