"""Ends what a process has started, however that process ends. A program of its own.

Called as `python reaper.py MARK`. It reads the names of folders, one a line, until its standard
input is closed, which the system does also for a process that is killed. Then it kills every
process whose environment carries the mark, and removes the folders. Children inherit an environment
wherever they are moved to in the tree of processes, and nobody else's carries the mark.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time

import psutil

MARK = "TRAINABILITY_LAUNCH"
_LIMIT_S = 15.0
_PAUSE_S = 0.1
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


def main(mark: str) -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
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
