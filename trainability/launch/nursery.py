"""Imports once what trials need, and forks processes that work through them. A program of its own.

Forked processes share the imports, in time and in memory; and a process that does nothing else has
no threads and no locks that a fork would copy halfway. It is started by `WorkerProcesses`, whose
process is the driver: sockets join the driver to this process and to each worker. When the driver
is gone, however it ended, its ends of them are closed, and all of this ends.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import queue
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from trainability.errors import StorageError
from trainability.launch.reports import TrialLost
from trainability.launch.work import Work

READY = b"r"
FORK = b"f"
WAIT = b"w"
NUMBER = struct.Struct("=i")
PRELOADED = ("trainability.launch.worker", "trainability.training.catalog")
_GRACE_S = 1.0
"""How long a worker that nobody wants any more may take to end in order."""
_POLL_S = 0.02
_KILLED_FIRST = "500"
"""Where memory runs out the system shall end a worker, whose trial starts again, not its driver."""


class _NoMore(BaseException):
    """Ends a worker whose work nobody wants any more."""


class Idle:
    """What a worker reports when a trial has come to its end."""


def main(descriptor: int) -> None:
    """Serve a driver.

    Args:
        descriptor: Of a socket. After `READY` the driver may send `FORK` with the descriptor of
            a worker's own socket, and gets the worker's process id; or `WAIT` and the process id
            of a worker whose socket is closed, and gets how that ended, as
            `os.waitstatus_to_exitcode` has it.
    """
    # The driver says when the end has come, also where a terminal tells all its processes.
    chosen = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP")]
    for number in chosen:
        signal.signal(number, _nothing)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, chosen)
    control = socket.socket(fileno=descriptor)
    workers: list[int] = []
    with contextlib.suppress(OSError):
        _preload()
        control.sendall(READY)
        while True:
            command, descriptors, *_ = socket.recv_fds(control, 1, 1)
            if command == FORK:
                process = os.fork()
                if not process:
                    control.close()
                    _be_worker(descriptors[0])
                os.close(descriptors[0])
                workers.append(process)
                control.sendall(NUMBER.pack(process))
            elif command == WAIT:
                (process,) = NUMBER.unpack(control.recv(NUMBER.size, socket.MSG_WAITALL))
                workers.remove(process)
                control.sendall(NUMBER.pack(_end(process)))
            else:
                break
    for process in workers:
        _end(process)


def _nothing(*_: object) -> None:
    """Handles a signal. Were it ignored, so would it be by programs that a user's code starts."""


def _preload() -> None:
    for name in PRELOADED:
        importlib.import_module(name)
    from trainability.training import ENGINES, engine_type

    for name in ENGINES[1:]:
        with contextlib.suppress(ImportError):  # a trial that needs it says so
            engine_type(name)


def _end(process: int) -> int:
    """Wait a while for a worker that ends by itself, else kill it; how it ended."""
    end = time.monotonic() + 2 * _GRACE_S
    while not (done := os.waitpid(process, os.WNOHANG))[0]:
        if time.monotonic() > end:
            os.kill(process, signal.SIGKILL)
            done = os.waitpid(process, 0)
            break
        time.sleep(_POLL_S)
    return os.waitstatus_to_exitcode(done[1])


def _be_worker(descriptor: int) -> None:
    """Work through trials until the driver wants no more; never returns."""
    code = 1
    try:
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(_KILLED_FIRST)
        _Worker(Connection(descriptor)).run()
        code = 0
    except (_NoMore, EOFError):
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(code)


class _Worker:
    """Takes trials from the driver, one after the other, and is the driver that they know."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._messages: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        threading.Thread(target=self._listen, name="driver", daemon=True).start()

    def run(self) -> None:
        """Load the work of a launch, then run one trial of it after the other, by their numbers."""
        work, trouble = _loaded(self._messages.get())
        while (message := self._messages.get()) is not None:
            number = pickle.loads(message)
            if work is None:
                self.report(TrialLost(number, trouble))
            else:
                self._run_trial(number, work)
            self.report(Idle())

    def report(self, report: Any) -> None:
        self.check()
        try:
            self._connection.send(report)
        except OSError:
            raise _NoMore from None

    def check(self) -> None:
        if self._stop.is_set():
            raise _NoMore

    def _listen(self) -> None:
        """Hand on what the driver says; when it is gone, end, in order if that comes soon."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                self._messages.put(self._connection.recv_bytes())
        self._stop.set()
        self._messages.put(None)
        time.sleep(_GRACE_S)
        os._exit(1)

    def _run_trial(self, number: int, work: Work) -> None:
        from trainability.launch.worker import work_through

        try:
            work_through(work.trials[number], work, self)
        except StorageError:
            pass  # reported already
        except Exception as error:  # ours: what a unit raises is dealt with inside
            self.report(TrialLost(number, f"{type(error).__name__}: {error}"))


def _loaded(message: bytes | None) -> tuple[Work | None, str]:
    """The work, or why it can't be loaded."""
    import torch

    if message is None:
        raise _NoMore
    try:
        work = pickle.loads(message)
    except Exception as error:  # whatever a user's class may raise
        return None, f"a worker can't load the study: {type(error).__name__}: {error}"
    torch.set_num_threads(work.runtime.threads)
    return work, ""
