"""MLflow's own server on a store, for this machine only, and gone when we are."""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import IO

from trainability import interrupts
from trainability.errors import InputError, StudyFailed

HOST = "127.0.0.1"
_LOOK_EVERY_S = 0.2
_END_S = 6.0
_LINES = 20
"""Of what a server has said that ended by itself."""
_DEATH_SIGNAL = 1
"""Of Linux' prctl: what a process gets when its parent ends."""
_ENVIRONMENT = {
    # Eight processes that would run jobs on language models.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def server_address(host: str, port: int) -> str:
    """The address of a server for a browser on this machine."""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_unspecified:
            host = HOST
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def require_free_port(port: int, host: str = HOST) -> None:
    """Refuse a port that can't be listened on.

    Raises:
        InputError: Says why.
    """
    try:
        [(family, kind, protocol, _, place), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )
        with socket.socket(family, kind, protocol) as probe:
            # As the server does: connections that are just ending do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        option = "--host" if isinstance(error, socket.gaierror) else "--port"
        raise InputError(
            f"port {port} of {host} can't be used: {error.strerror}; choose another with {option}"
        ) from error


def open_browser(address: str) -> None:
    """Show a page in the user's browser, if this machine has a screen.

    In a process of its own, which neither waits for the browser here nor writes into our terminal.
    """
    if sys.platform.startswith("linux") and not any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    ):
        return  # there are browsers for terminals, which would take this one
    with contextlib.suppress(OSError):
        subprocess.Popen(
            [sys.executable, "-m", "webbrowser", address],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=interrupts.unblock if os.name == "posix" else None,
        )


class Server:
    """MLflow's server, as a process.

    Args:
        process: The process.
        place: Where it listens, as host and port.
        said: What it writes.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], place: tuple[str, int], said: IO[bytes]
    ) -> None:
        self._process, self._place, self._said = process, place, said

    def wait_until_ready(self) -> None:
        """Return when it answers.

        Raises:
            StudyFailed: If the server ends by itself; says what it said.
            KeyboardInterrupt: If a signal asked for the end.
        """
        while not self._answers():
            self._check()

    def wait(self) -> None:
        """Wait for the end; raises what `wait_until_ready` does."""
        while True:
            self._check()

    def _check(self) -> None:
        if self._process.poll() is not None:
            self._said.seek(0)
            lines = self._said.read().decode(errors="replace").splitlines()[-_LINES:]
            code = self._process.returncode
            raise StudyFailed(
                "\n".join([f"MLflow's server ended by itself with exit code {code}", *lines])
            )
        interrupts.wait(_LOOK_EVERY_S)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection(self._place, timeout=1.0).close()
            return True
        return False


@contextlib.contextmanager
def running_server(uri: str, host: str, port: int) -> Iterator[Server]:
    """MLflow's server on a store, for as long as the context lasts or until a signal ends it.

    Args:
        uri: The store's tracking URI.
        host: Where it listens.
        port: A free port there.
    """
    with tempfile.TemporaryFile() as said, interrupts.orderly():
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port),
             "--workers", "1", "--uvicorn-opts", "--log-level warning"],
            # By the environment: everybody can read the arguments of a process, and what stands in
            # an address may be a password.
            env={**os.environ, **_ENVIRONMENT, "MLFLOW_BACKEND_STORE_URI": uri},
            # It says much that no user of ours can act on.
            stdout=said,
            stderr=said,
            # A group of its own: a signal for ours reaches it through us, and once.
            start_new_session=True,
            preexec_fn=_ended_with_parent(),
        )  # fmt: skip
        try:
            local = server_address(host, port).removeprefix("http://").rpartition(":")[0]
            yield Server(process, (local.strip("[]"), port), said)
        finally:
            process.terminate()  # hands it on to the process that answers
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_S)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _ended_with_parent() -> Callable[[], None] | None:
    """What lets a child be ended by SIGTERM, and get it when its parent is killed, on Linux."""
    if os.name != "posix":
        return None
    if not sys.platform.startswith("linux"):
        return interrupts.unblock
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        interrupts.unblock()
        libc.prctl(_DEATH_SIGNAL, signal.SIGTERM)

    return prepare
