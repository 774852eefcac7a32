"""A Ray for this process alone: on loopback, behind a token, gone when this process is."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO, Any

import ray
from ray._private import ray_constants, services

from trainability import interrupts
from trainability.errors import InputError
from trainability.launch import reaper

_LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
_LONGEST_SOCKET = 103
"""Bytes in the path of a Unix socket, by the tightest of the systems."""
_SOCKET = "/ray-12345678/session_2026-01-01_00-00-00_000000_1234567/sockets/plasma_store"
_SHUTDOWN_S = 15.0
_REAPER_S = 20.0


@contextlib.contextmanager
def embedded_ray() -> Iterator[None]:
    """Start Ray; whatever it has started is gone afterwards, and when this process is killed.

    Ray's code in C++ may keep Python's lock while it starts, waits or ends. Who asks for the end
    then is answered by the reaper, which kills this process when its grace is over.

    Raises:
        InputError: If it does not start; says why.
    """
    mark = secrets.token_hex(16)
    guard = _start_reaper(mark)
    assert guard.stdin is not None
    try:
        _start(mark, _make_folder(guard.stdin))
        yield
    finally:
        # Ends what waits for processes that do not end.
        limit = threading.Timer(_SHUTDOWN_S, guard.stdin.close)
        limit.daemon = True
        limit.start()
        try:
            with handlers_kept():
                ray.shutdown()
        finally:
            limit.cancel()
            _dismiss(guard)


def _start(mark: str, folder: str) -> None:
    changed = {
        _LOOPBACK: "0",
        "RAY_AUTH_TOKEN": _own_token(),
        reaper.MARK: mark,
        # A title that Ray gives to a process is not written over its environment, and the mark.
        "SPT_NOENV": "1",
    }
    before = {name: os.environ.get(name) for name in changed}
    clustered = ray_constants.ENABLE_RAY_CLUSTER
    os.environ.update(changed)
    # Ray has read the variable already. Without it a node listens on every interface: Ray
    # replaces a loopback address that it is given by that of the machine.
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        with handlers_kept(), _own_sessions():
            ray.init(
                address="local",
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _node_ip_address="127.0.0.1",
                _temp_dir=folder,
            )
    except Exception as error:  # Ray raises bare ones too
        interrupts.check()
        raise InputError(
            f"an embedded Ray does not start: {error}; wanted a machine that lets processes start "
            "within a minute and listen on loopback, with room in "
            f"{Path(folder).parent} ({_log_tail(folder)}); or --address of a running cluster"
        ) from error
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = clustered
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
    interrupts.check()


@contextlib.contextmanager
def handlers_kept() -> Iterator[None]:
    """Put back what Ray takes SIGTERM for: it would raise in whatever code runs."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM) if main else None
    try:
        yield
    finally:
        if before is not None:  # also in place of what Ray's own C++ code has put there
            signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _own_sessions() -> Iterator[None]:
    """Let Ray's processes start out of reach of a terminal and of what is sent to our group.

    They would end before us, and each of their ends would be waited for: we end them.
    """
    original = services.ConsolePopen

    class Apart(original):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            interrupts.check()  # between two of its processes, where Ray expects an error
            super().__init__(*arguments, **options, start_new_session=True)

    services.ConsolePopen = Apart
    try:
        yield
    finally:
        services.ConsolePopen = original


@cache
def _own_token() -> str:
    # Ray keeps the first token that it reads for the life of the process.
    return secrets.token_hex(32)


def _make_folder(removed: IO[bytes]) -> str:
    """A new folder for Ray, in which the paths of its sockets are short enough.

    Args:
        removed: Told the folder's name before it is made, so that it is removed whatever happens.

    Raises:
        InputError: If there is no place for it; says what was tried.
    """
    wanted = os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()
    tried = []
    for place in dict.fromkeys([wanted, "/tmp", "/var/tmp", "/dev/shm", str(Path.home())]):
        if len(os.fsencode(place + _SOCKET)) > _LONGEST_SOCKET:
            tried.append(f"{place} is too long: Ray's sockets need a path of at most "
                         f"{_LONGEST_SOCKET - len(_SOCKET)} bytes")  # fmt: skip
            continue
        folder = os.path.join(os.path.abspath(place), f"ray-{secrets.token_hex(4)}")
        removed.write(os.fsencode(folder) + b"\n")
        removed.flush()
        try:
            os.mkdir(folder, 0o700)
        except OSError as error:
            tried.append(f"{place}: {error.strerror}")
        else:
            return folder
    raise InputError(
        f"no folder for an embedded Ray ({'; '.join(tried)}); set RAY_TMPDIR to a short path that "
        "can be written"
    )


def _log_tail(folder: str) -> str:
    """The last lines of Ray's own logs that tell of an error, for a Ray that did not start."""
    lines = []
    for path in sorted(Path(folder).glob("session_*/logs/*.out")) + sorted(
        Path(folder).glob("session_*/logs/*.err")
    ):
        with contextlib.suppress(OSError):
            text = path.read_text(errors="replace")
            lines += [line for line in text.splitlines() if " E " in line or " C " in line]
    return lines[-1][:300] if lines else "its logs tell no error"


def _start_reaper(mark: str) -> subprocess.Popen[bytes]:
    thread = interrupts.waiting_thread()
    watched = [] if thread is None else [os.getpid(), thread, interrupts.GRACE_S]
    # Out of reach of what a terminal or a batch system sends to a group of processes.
    return subprocess.Popen(
        [sys.executable, "-I", reaper.__file__, mark, *map(str, watched)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


def _dismiss(guard: subprocess.Popen[bytes]) -> None:
    """Let the reaper kill what is left, and end."""
    assert guard.stdin is not None
    guard.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):  # it goes on without us
        guard.wait(_REAPER_S)
