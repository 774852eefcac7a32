"""`trainability ui`: three processes on loopback, which end together."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest
from mlflow import MlflowClient
from processes import free_port, wait_for_port


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ui")
    MlflowClient(f"sqlite:///{folder}/mlflow.db").create_experiment("trainability/mine")
    return folder


def start(storage, port):
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "trainability",
            "ui",
            "--storage",
            str(storage),
            "--port",
            str(port),
        ],
        env={**os.environ, "UI_TEST": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def processes_of(port):
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("UI_TEST") == str(port):
                found.append(process)
    return found


@pytest.mark.parametrize(
    ("name", "code"), [("TERM", 143), ("INT", 130), ("HUP", 129), ("KILL", -9)]
)
def test_it_is_three_processes_that_end_together(storage, name, code):
    port = free_port()
    command = start(storage, port)
    wait_for_port(port, command)
    processes = processes_of(port)
    assert len(processes) == 3
    listening = [
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}
    assert not any("sqlite" in " ".join(process.cmdline()) for process in processes)
    command.send_signal(getattr(signal, f"SIG{name}"))
    text, _ = command.communicate(timeout=60)
    assert command.returncode == code and "Traceback" not in text
    end = time.monotonic() + 20
    while processes_of(port):
        assert time.monotonic() < end, processes_of(port)
        time.sleep(0.1)


def test_a_port_that_is_taken_is_refused(storage):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text, _ = (command := start(storage, port)).communicate(timeout=100)
    assert command.returncode == 2
    assert f"port {port} of 127.0.0.1 can't be used: Address already in use" in text
