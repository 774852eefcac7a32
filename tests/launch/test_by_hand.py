"""A cluster that somebody started by hand: each way to reach it runs the user's own study."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from commands import n_block_files, start, stored, undisturbed, write_study
from processes import free_port, wait_for_port

RAY = Path(sys.executable).parent / "ray"
TOKEN = "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def ports(tmp_path_factory):
    """Head of a cluster with token authentication: ports of Ray, of clients, of the dashboard."""
    ray, client, dashboard = free_port(), free_port(), free_port()
    head = subprocess.Popen(
        [RAY, "start", "--head", "--block", "--num-cpus=2", "--node-ip-address=127.0.0.1",
         f"--port={ray}", f"--ray-client-server-port={client}", "--dashboard-host=127.0.0.1",
         f"--dashboard-port={dashboard}", "--min-worker-port=0", "--max-worker-port=0",
         f"--dashboard-agent-listen-port={free_port()}"],
        env=os.environ | SECRET | {"GRPC_POLL_STRATEGY": "poll"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for port in (ray, client, dashboard):
        wait_for_port(port, head)
    yield ray, client, dashboard
    processes = psutil.Process(head.pid).children(recursive=True)
    head.terminate()
    head.wait(60)
    for process in psutil.wait_procs(processes, timeout=10)[1]:
        process.kill()


SECRET = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}


def test_every_address_and_a_submitted_job_run_the_study(ports, tmp_path):
    # A job finds the cluster by RAY_ADDRESS, which Ray sets for it.
    ray, client, dashboard = ports
    storage = tmp_path / "results"
    ways = [
        (["--address=auto"], {"RAY_ADDRESS": f"127.0.0.1:{ray}"}),
        ([f"--address=ray://127.0.0.1:{client}"], {}),
    ]
    for n_blocks, (options, environment) in enumerate(ways, 1):
        study = write_study(tmp_path, n_cells=2, n_blocks=n_blocks)
        driver = start(study, storage, *options, **SECRET, **environment)
        text, _ = driver.communicate(timeout=200)
        assert driver.returncode == 0, text
        assert n_block_files(storage) == 2 * n_blocks
    study = write_study(tmp_path, n_cells=2, n_blocks=3)
    job = [RAY, "job", "submit", f"--address=http://127.0.0.1:{dashboard}", "--working-dir=."]
    command = [sys.executable, "-m", "trainability", "run", "slow.py", "--storage", str(storage)]
    done = subprocess.run(
        [*job, "--", *command],
        cwd=tmp_path,
        env=os.environ | SECRET,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and "succeeded" in done.stdout, done.stdout + done.stderr
    assert stored(storage) == undisturbed(study)
