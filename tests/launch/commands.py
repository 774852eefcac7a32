"""A study file of a user's, the command that runs it as a process, and what it leaves behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
from mlflow import MlflowClient

from trainability.results import table_of
from trainability.storage import Storage
from trainability.study import load_study
from trainability.trial import Runtime, run_trial

STUDY = '''"""A study with a scheme and a task of its own, that can be told to be slow."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from trainability import Adam, Study
from trainability.domains import Ball
from trainability.schemes import UnitSphere
from trainability.seeds import BLOCK_SIZE
from trainability.tasks import Function


@dataclass(frozen=True)
class Slow(UnitSphere):
    """A user's own scheme: leaves a file in MARKS, and sleeps for PACE_S seconds per layer."""

    def draw(self, layer, rng):
        if layer.n_networks < BLOCK_SIZE:  # a look at the study, before it is trained
            return super().draw(layer, rng)
        if "MARKS" in os.environ:
            Path(os.environ["MARKS"], str(time.time_ns())).touch()
        time.sleep(float(os.environ.get("PACE_S", 0)))
        return super().draw(layer, rng)


def bend(x):
    return abs(x)


STUDY = Study(
    name="slow",
    question="Does it come through?",
    task=Function("bend", bend, Ball(1, 1.0), n_train=16),
    axes={"width": list(range(2, 2 + N_CELLS))},
    scheme=Slow(),
    optimizer=Adam(learning_rate=0.02),
    max_steps=50,
    tolerance=1e-4,
    replicates=256 * N_BLOCKS,
)
'''


def write_study(folder: Path, n_cells: int, n_blocks: int) -> Path:
    path = folder / "slow.py"
    text = STUDY.replace("N_CELLS", str(n_cells)).replace("N_BLOCKS", str(n_blocks))
    path.write_text(text)
    return path


IN_PROCESSES = """
from trainability.launch import choice
from trainability.__main__ import main

choice.TINY_OPERATIONS = 0
main()
"""
"""The program, for which no study is so small that threads would run its trials."""


def start(
    study: Path, storage: Path | str, *options: str, program: str = "", **environment: str
) -> subprocess.Popen:
    """`trainability run` as a process of its own, which leads a group of processes.

    On Ray, unless the options say something else.
    """
    if not {"--ray", "--no-ray"} & {*options}:
        options = ("--ray", *options)
    which = ["-c", program] if program else ["-m", "trainability"]
    command = [sys.executable, *which, "run", str(study), "--storage", str(storage)]
    return subprocess.Popen(
        [*command, *options],
        cwd=study.parent,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for_blocks(storage: Path, n: int, process: subprocess.Popen, seconds: float = 120) -> None:
    """Until storage holds n block files, or the process has ended."""
    end = time.monotonic() + seconds
    while n_block_files(storage) < n and process.poll() is None:
        assert time.monotonic() < end, "no progress"
        time.sleep(0.05)


def n_block_files(storage: Path) -> int:
    return len(list(storage.glob("slow/*/blocks-*.parquet")))


def stored(storage: Path | str) -> bytes:
    """All rows in the order of cell and replicate, as bytes."""
    return as_bytes(Storage(storage).read_rows("slow"))


def undisturbed(study: Path) -> bytes:
    """The rows that a study would have if nothing ever failed, as bytes."""
    loaded = load_study(str(study))
    cells = sorted(loaded.cells(), key=lambda cell: cell.id)
    tables = [
        table_of(run_trial("slow", cell, range(loaded.n_blocks), Runtime())[0]) for cell in cells
    ]
    return as_bytes(pa.concat_tables(tables).to_pandas())


def as_bytes(rows) -> bytes:
    sink = pa.BufferOutputStream()
    table = table_of(rows).combine_chunks()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def mlflow_statuses(uri: str, study: str = "slow") -> dict[str, str]:
    """The status of every MLflow run of a study, by its key; keys must be unique."""
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(f"trainability/{study}")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], max_results=5000)
    statuses = {run.data.tags["trial_key"]: run.info.status for run in runs}
    assert len(statuses) == len(runs)
    return statuses
