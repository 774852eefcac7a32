"""Machines that are played by this one: an address of loopback, a home, a Ray of its own each."""

import contextlib
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
from processes import free_port

STAND_INS = Path(__file__).parent / "stand_ins"


class Machines:
    """Some machines, the first of which the tests themselves sit at.

    Args:
        folder: Holds a folder per machine, with its home and what its shells have set. Its path is
            short, because Ray makes sockets below it.
        addresses: The machines' addresses, on loopback.
    """

    def __init__(self, folder: Path, addresses: list[str]) -> None:
        self.folder, self.port = folder, free_port()
        for address in addresses:
            home = self.home(address)
            home.mkdir(parents=True)
            # Login shells forget PATH.
            (home / ".bashrc").write_text(f". {folder / address / 'environment'}\n")
            lines = [f"export {k}={shlex.quote(v)}\n" for k, v in self._variables(address).items()]
            (folder / address / "environment").write_text("".join(lines))

    def home(self, address: str) -> Path:
        return self.folder / address / "home"

    def environment(self, address: str) -> dict[str, str]:
        """What processes of a machine have set; no mode of authentication, which files must set."""
        inherited = {name: value for name, value in os.environ.items() if "RAY_" not in name}
        return inherited | self._variables(address)

    def _variables(self, address: str) -> dict[str, str]:
        python = Path(sys.executable)
        tests = Path(__file__).parent.parent
        return {
            "HOME": str(self.home(address)),
            "PATH": f"{STAND_INS}:{python.parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{tests}:{tests.parent}",
            "RAY_TMPDIR": str(self.folder / address),
            "TMPDIR": str(self.folder / address),
            "RAY_USAGE_STATS_ENABLED": "0",
            "GRPC_POLL_STRATEGY": "poll",
            "PLAYED_MACHINE": f"{self.folder}:{address}",
            "PLAYED_ADDRESS": address,
            "PLAYED_PORT": str(self.port),
            "PLAYED_FOLDER": str(self.folder),
            "PLAYED_PYTHON": str(python),
            "PLAYED_STAND_INS": str(STAND_INS),
        }

    def processes(self) -> list[psutil.Process]:
        """Whatever still runs on any of the machines."""
        calls = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("PLAYED_FOLDER") == str(self.folder):
                    calls.append(process)
        return calls


@contextlib.contextmanager
def played(*addresses: str) -> Iterator[Machines]:
    """Machines for the time of a test; afterwards nothing of them runs."""
    folder = Path(tempfile.mkdtemp(prefix="m"))
    machines = Machines(folder, list(addresses))
    try:
        yield machines
    finally:
        for process in machines.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()
        shutil.rmtree(folder, ignore_errors=True)
