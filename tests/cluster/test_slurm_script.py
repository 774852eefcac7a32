"""The Slurm script: run as a whole on two played machines, with stand-ins for srun and scontrol."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from played_machines import STAND_INS, played
from test_ray_up_files import STUDY

SCRIPT = Path(__file__).parent.parent.parent / "cluster" / "slurm.sh"
NODES = ["127.0.0.2", "127.0.0.3"]


@pytest.fixture
def machines():
    with played(*NODES) as played_machines:
        yield played_machines
        shutil.rmtree(f"/tmp/trainability-{job_id(played_machines)}", ignore_errors=True)


def job_id(machines):
    return machines.folder.name


def submit(machines, *options, n_nodes=2, ray=None):
    """`sbatch`, as far as the script can tell."""
    (machines.folder / "tiny.py").write_text(STUDY)
    environment = machines.environment(NODES[0]) | {
        "SLURM_SUBMIT_DIR": str(machines.folder),
        "SLURM_JOB_ID": job_id(machines),
        "SLURM_JOB_NUM_NODES": str(n_nodes),
        "SLURM_JOB_NODELIST": " ".join(NODES),
        "SLURM_CPUS_ON_NODE": "1",
        "PLAYED_NODES": " ".join(NODES),
    }
    environment.pop("VIRTUAL_ENV", None)
    subprocess.run(
        [STAND_INS / "python3", "-m", "venv", machines.folder / ".venv"],
        env=environment,
        check=True,
    )
    if ray:
        command = machines.folder / ".venv" / "bin" / "ray"
        command.unlink()
        command.write_text(ray)
        command.chmod(0o755)
    return subprocess.Popen(
        ["bash", SCRIPT, "tiny.py", "--storage", machines.folder / "results", *options],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def assert_cleaned_up(machines):
    _, alive = psutil.wait_procs(machines.processes(), timeout=20)
    assert alive == []
    assert not Path(f"/tmp/trainability-{job_id(machines)}").exists()


def test_a_job_runs_the_study_and_leaves_nothing_behind(machines):
    job = submit(machines, n_nodes=1)
    text, _ = job.communicate(timeout=200)
    assert job.returncode == 0, text
    assert "report:" in text
    assert len(list(machines.folder.glob("results/tiny/*/blocks-*.parquet"))) == 4
    assert (machines.folder / "results" / "mlflow.db").is_file()
    assert_cleaned_up(machines)


def test_the_warning_before_the_time_limit_ends_the_study_in_order(machines):
    """On two nodes, of which the second ends when the head is done."""
    job = submit(machines, "--replicates=2000000")
    end = time.monotonic() + 240
    while not list(machines.folder.glob("results/tiny/*/blocks-*.parquet")):
        assert job.poll() is None and time.monotonic() < end
        time.sleep(0.2)
    job.terminate()
    text, _ = job.communicate(timeout=200)
    assert job.returncode == 128 + signal.SIGTERM, text
    assert "(interrupted)" in text
    assert "KILLED" in statuses(machines)
    assert_cleaned_up(machines)


def test_a_ray_that_does_not_start_fails_the_job(machines):
    """`ray symmetric-run` itself ends with 0 then."""
    no_start = '[ "$1" != start ] && exec "$PLAYED_STAND_INS/ray" "$@"'
    job = submit(machines, ray=f"#!/bin/sh\n{no_start}\n")
    text, _ = job.communicate(timeout=200)
    assert job.returncode == 1, text
    assert "the study was not started" in text
    assert_cleaned_up(machines)


def statuses(machines):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{machines.folder}/results/mlflow.db")
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    return {run.info.status for run in client.search_runs(ids)}
