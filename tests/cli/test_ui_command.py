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


def start(storage, port, *options, **environment):
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
            *options,
        ],
        env={**_without_screen(), "UI_TEST": str(port), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _without_screen():
    names = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    return {name: value for name, value in os.environ.items() if name not in names}


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
    # Nothing of what MLflow says of itself.
    lines = [line for line in text.splitlines() if not line.startswith(("mine:", "MLflow on"))]
    assert set(lines) <= {"interrupted", ""}
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


@pytest.mark.parametrize("opens", [True, False])
def test_it_opens_the_newest_study_unless_told_not_to(storage, tmp_path, opens):
    browser, shown = tmp_path / "browser", tmp_path / "shown"
    browser.write_text(f'#!/bin/sh\necho "$1" > {shown}.part; mv {shown}.part {shown}\n')
    browser.chmod(0o755)
    port = free_port()
    command = start(
        storage, port, *([] if opens else ["--no-browser"]), BROWSER=f"{browser} %s", DISPLAY=":9"
    )
    try:
        text = ""
        while "Ctrl-C" not in text:
            line = command.stdout.readline()
            assert line, text
            text += line
        end = time.monotonic() + (60 if opens else 3)
        while not shown.exists() and time.monotonic() < end:
            time.sleep(0.1)
    finally:
        command.terminate()
        command.communicate(timeout=60)
    assert shown.exists() == opens
    if opens:
        address = shown.read_text().strip()
        assert address.startswith(f"http://127.0.0.1:{port}/#/experiments/")
        assert f"mine:  {address}" in text


def test_a_server_that_ends_by_itself_says_why(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"no database")
    text, _ = (command := start(tmp_path, free_port())).communicate(timeout=100)
    assert command.returncode == 2 and "can't be read" in text and "Traceback" not in text


def test_an_address_that_is_not_of_this_machine_is_refused(storage):
    text, _ = (command := start(storage, 5000, "--host", "192.0.2.1")).communicate(timeout=100)
    assert command.returncode == 2 and "port 5000 of 192.0.2.1 can't be used" in text
