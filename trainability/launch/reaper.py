"""Ends what a process has started, however that process ends. A program of its own.

Called as `python reaper.py MARK`. It reads the names of folders, one a line, until its standard
input is closed, which the system does also for a process that is killed. Then it kills every
process whose environment carries the mark, and removes the folders. Children inherit an environment
wherever they are moved to in the tree of processes, and nobody else's carries the mark.

Called as `python reaper.py MARK PROCESS THREAD SECONDS` it also kills a process whose thread has
taken a signal and not come to answer it for so long: where a library's own code keeps Python's lock
no code of Python's runs, and nothing inside of the process can end it.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import time

import psutil

MARK = "TRAINABILITY_LAUNCH"
_LIMIT_S = 15.0
_PAUSE_S = 0.1
_LOOK_EVERY_S = 0.5
_REMOVALS = 20
_QUIET_SCANS = 3
"""Scans in a row that see nothing: a process may be about to start another."""


def marked(mark: str) -> list[psutil.Process]:
    """The processes that carry a mark."""
    chosen = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark and process.pid != os.getpid():
                chosen.append(process)
    return chosen


def reap(mark: str, limit_s: float = _LIMIT_S) -> None:
    """Kill all that carry a mark, until none is left or the time is over."""
    end, quiet = time.monotonic() + limit_s, 0
    while quiet < _QUIET_SCANS and time.monotonic() < end:
        processes = marked(mark)
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.kill()
        quiet = 0 if processes else quiet + 1
        time.sleep(_PAUSE_S)


def is_waiting(process: int, thread: int) -> bool:
    """Whether a thread that blocks SIGTERM but to wait for it waits; True where nobody can tell.

    While a thread is in sigwait the system takes what it waits for out of what it blocks. One that
    is stopped, as by Ctrl-Z or by a debugger, is not stuck: it waits for whoever stopped it.
    """
    try:
        with open(f"/proc/{process}/task/{thread}/status") as status:
            fields = dict(line.split()[:2] for line in status if len(line.split()) > 1)
        blocked, state = fields["SigBlk:"], fields["State:"]
    except (OSError, LookupError):  # another system, or the thread is gone
        return True
    if state in ("T", "t"):
        return True
    return not int(blocked, 16) >> (signal.SIGTERM - 1) & 1


def _read(process: int, thread: int, seconds: float) -> list[str]:
    """All lines of standard input, until it is closed; meanwhile a process that is stuck ends."""
    text, waited = b"", time.monotonic()
    while True:
        if select.select([0], [], [], _LOOK_EVERY_S)[0]:
            part = os.read(0, 2**16)
            if not part:
                return os.fsdecode(text).splitlines()
            text += part
        if is_waiting(process, thread):
            waited = time.monotonic()
        elif time.monotonic() - waited > seconds:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def main(mark: str, process: str = "", thread: str = "", seconds: str = "") -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if process:
        folders = _read(int(process), int(thread), float(seconds))
    else:
        folders = sys.stdin.read().splitlines()
    reap(mark)
    for _ in range(_REMOVALS):  # a process that is just dying may have made a file meanwhile
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        if not any(map(os.path.exists, folders)):
            return
        time.sleep(_PAUSE_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
