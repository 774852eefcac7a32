"""Processes of this machine that work for this one, and end with it; the driver's side."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from multiprocessing.connection import Connection

from trainability.launch.nursery import FORK, NUMBER, READY, WAIT

_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from trainability.launch.nursery import main; main(int(sys.argv[1]))"
)
_END_S = 5.0
"""Longer than the nursery waits for its workers."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_NO_THREADS = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
"""Arrow's allocator would have a thread, which no fork takes along."""


class Lost(Exception):
    """The nursery is gone; says why."""


class WorkerProcess:
    """A worker, as the driver sees it.

    Args:
        connection: Carries trials there and reports back.
        process: Its process id.
    """

    def __init__(self, connection: Connection, process: int) -> None:
        self.connection, self.process = connection, process
        self.trial: int | None = None


class WorkerProcesses:
    """Starts worker processes; nothing of them is left when this process ends, however it does.

    Args:
        threads: Threads of a worker.

    Attributes:
        control: Readable when there is news of the nursery.
        process: The nursery's process id.
        is_ready: Whether workers can be started.
    """

    def __init__(self, threads: int) -> None:
        self.control, theirs = socket.socketpair()
        environment = dict.fromkeys(_THREADS, str(threads)) | _NO_THREADS | os.environ
        with theirs:
            self._nursery = subprocess.Popen(
                [sys.executable, "-u", "-c", _CODE, str(theirs.fileno()), json.dumps(sys.path)],
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=_stderr(),  # what a user's code prints is no part of an answer on stdout
                stderr=_stderr(),
            )
        self.process = self._nursery.pid
        self.is_ready = False

    def heed(self) -> None:
        """Take the news that has come in by `control`.

        Raises:
            Lost: If it is that the nursery is gone.
        """
        self._receive(len(READY))
        self.is_ready = True

    def start(self) -> WorkerProcess:
        """A new worker; the nursery must be ready.

        Raises:
            Lost: If the nursery is gone.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self.control, [FORK], [theirs.fileno()])
                (process,) = NUMBER.unpack(self._receive(NUMBER.size))
            except (OSError, Lost):
                ours.close()
                raise Lost(self._end()) from None
        return WorkerProcess(Connection(ours.detach()), process)

    def wait(self, worker: WorkerProcess) -> str:
        """Wait until a worker whose connection is closed has ended; how it did, in words.

        Raises:
            Lost: If the nursery is gone.
        """
        try:
            self.control.sendall(WAIT + NUMBER.pack(worker.process))
        except OSError:
            raise Lost(self._end()) from None
        (code,) = NUMBER.unpack(self._receive(NUMBER.size))
        return _ended(code)

    def close(self) -> None:
        """End the nursery, and with it all workers, whose connections are closed by now."""
        self.control.close()
        try:
            self._nursery.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._nursery.kill()
            self._nursery.wait()

    def _receive(self, n: int) -> bytes:
        with contextlib.suppress(OSError):
            data = self.control.recv(n, socket.MSG_WAITALL)
            if len(data) == n:
                return data
        raise Lost(self._end())

    def _end(self) -> str:
        self.close()
        return f"the end of the process that starts workers, {_ended(self._nursery.returncode)}"


def _stderr() -> int:
    """Where this process's errors are shown; nowhere, if it has no such place."""
    with contextlib.suppress(OSError, AttributeError, ValueError):
        os.fstat(2)
        return 2
    return subprocess.DEVNULL


def _ended(code: int) -> str:
    """How a process ended.

    >>> _ended(-9), _ended(1)
    ('killed by SIGKILL, as the system does where memory runs out', 'with exit code 1')
    """
    if code >= 0:
        return f"with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = ", as the system does where memory runs out" if name == "SIGKILL" else ""
    return f"killed by {name}{hint}"
