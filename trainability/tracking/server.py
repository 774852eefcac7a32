"""MLflow's own server on a store, for this machine only, and gone when we are."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

from trainability import interrupts
from trainability.errors import InputError, StudyFailed

HOST = "127.0.0.1"
_LOOK_EVERY_S = 0.2
_END_S = 6.0
_DEATH_SIGNAL = 1
"""Of Linux' prctl: what a process gets when its parent ends."""
_ENVIRONMENT = {
    # Eight processes that would run jobs on language models.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def require_free_port(port: int) -> None:
    """Refuse a port of loopback that can't be listened on.

    Raises:
        InputError: Says why.
    """
    with socket.socket() as probe:
        # As the server does: connections that are just ending do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise InputError(
                f"port {port} of {HOST} can't be used: {error.strerror}; choose another with --port"
            ) from error


def serve(uri: str, port: int) -> None:
    """Run MLflow's server until it ends or a signal asks for the end.

    Args:
        uri: The store's tracking URI.
        port: A free port of loopback.

    Raises:
        StudyFailed: If the server ends by itself.
        KeyboardInterrupt: If a signal asked for the end.
    """
    with interrupts.orderly(), _server(uri, port) as server:
        while server.poll() is None:
            interrupts.wait(_LOOK_EVERY_S)
    raise StudyFailed(f"MLflow's server ended by itself with exit code {server.returncode}")


@contextlib.contextmanager
def _server(uri: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port),
         "--workers", "1"],
        # By the environment: everybody can read the arguments of a process, and what stands in an
        # address may be a password.
        env={**os.environ, **_ENVIRONMENT, "MLFLOW_BACKEND_STORE_URI": uri},
        # A group of its own: a signal for ours reaches it through us, and once.
        start_new_session=True,
        preexec_fn=_ended_with_parent(),
    )  # fmt: skip
    try:
        yield server
    finally:
        server.terminate()  # hands it on to the process that answers
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(_END_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _ended_with_parent() -> Callable[[], None] | None:
    """What lets a child get SIGTERM when its parent is killed, where the system can do that."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_DEATH_SIGNAL, signal.SIGTERM)
