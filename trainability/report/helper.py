"""Another process that does a share of a report's work: one entry of a list after the other."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import IO, Any, TypeVar

from trainability.cores import available_cores

T = TypeVar("T")
R = TypeVar("R")
_READY = b"ready"
_END = b""
_SIZE = struct.Struct("=q")
_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from trainability.report.helper import main; main()"
)
_LOADED = (("trainability.findings.gather",), ("trainability.report.figures", "trainability.plots"))
"""What it loads before it asks for work: at first to sum up rows, then to draw."""


def helping() -> contextlib.AbstractContextManager[Helper | None]:
    """A helper for a while, if this process may use more than one CPU."""
    return Helper() if available_cores() > 1 else contextlib.nullcontext()


class Helper:
    """Another process that helps, for one report: it loads what it needs as soon as it is made.

    What it can't do, for whatever reason, it leaves undone; it ends with this process.
    """

    def __init__(self) -> None:
        self._at_work = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CODE, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Helper:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        if self._thread is not None:  # which hears no more
            self._thread.join()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()

    def map(self, function: Callable[[T], R], entries: Sequence[T]) -> list[R]:
        """What a function makes of each entry, in order.

        This process begins with the first one, the helper with the last one as soon as it is ready.

        Args:
            function: It must be picklable, as must be what it takes and gives.
            entries: What it is called with.
        """
        left, made = deque(range(len(entries))), dict[int, R]()
        self._thread = threading.Thread(
            target=self._work,
            args=[self._thread, function, entries, left, made],
            name="helper",
            daemon=True,
        )
        self._thread.start()
        while (place := _taken(left.popleft)) is not None:
            made[place] = function(entries[place])
        with self._at_work:  # its last one
            pass
        # What it could not do is done here.
        return [made[n] if n in made else function(entry) for n, entry in enumerate(entries)]

    def _work(
        self,
        before: threading.Thread | None,
        function: Callable[[T], R],
        entries: Sequence[T],
        left: deque[int],
        made: dict[int, R],
    ) -> None:
        """Let the helper call a function, as long as there are entries left."""
        from trainability.launch.shipping import pickled

        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        if before is not None:
            before.join()
        with contextlib.suppress(Exception):  # whatever it is, the other thread does it all
            _send(stdin, pickled(function))
            if _receive(stdout) != _READY:
                return
            while True:
                with self._at_work:
                    if (place := _taken(left.pop)) is None:
                        break
                    _send(stdin, pickle.dumps(entries[place]))
                    made[place] = pickle.loads(_receive(stdout))
            _send(stdin, _END)


def _taken(pop: Callable[[], int]) -> int | None:
    """The next place, or None if the other thread has taken the last one."""
    try:
        return pop()
    except IndexError:
        return None


def main() -> None:
    """Work for the process that has started this one, until it closes its end."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a user's code prints is no answer
    with contextlib.suppress(EOFError, OSError):
        for modules in _LOADED:
            for module in modules:
                _load(module)
            _serve(sys.stdin.buffer, answers)
        while True:
            _serve(sys.stdin.buffer, answers)


def _load(module: str) -> None:
    loaded = importlib.import_module(module)
    for name in getattr(loaded, "__all__", ()):  # also what is loaded when it is asked for
        getattr(loaded, name)


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Take a function, and call it with whatever comes until there is no more."""
    function: Callable[[Any], Any] = pickle.loads(_receive(requests))
    _send(answers, _READY)
    while (message := _receive(requests)) != _END:
        _send(answers, pickle.dumps(function(pickle.loads(message))))


def _send(stream: IO[bytes], data: bytes) -> None:
    stream.write(_SIZE.pack(len(data)) + data)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes:
    head = stream.read(_SIZE.size)
    if len(head) < _SIZE.size:
        raise EOFError
    (size,) = _SIZE.unpack(head)
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
