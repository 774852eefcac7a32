"""A node that joins a study gets to work, however fast trials follow each other elsewhere."""

import os
import subprocess
import sys

from commands import n_block_files, stored, undisturbed, wait_for_blocks
from ray.cluster_utils import Cluster

N_CELLS = 60
STUDY = f'''
import os, time
from dataclasses import dataclass
from pathlib import Path
from trainability import Adam, Study
from trainability.domains import Ball
from trainability.schemes import UnitSphere
from trainability.tasks import Function


@dataclass(frozen=True)
class Marking(UnitSphere):
    """Is as slow, and leaves marks where, as its node's environment says."""

    def draw(self, layer, rng):
        time.sleep(float(os.environ.get("PACE_S", 0)))
        if "MARKS" in os.environ:
            Path(os.environ["MARKS"], f"{{time.time()}}").touch()
        return super().draw(layer, rng)


def bend(x):
    return abs(x)


STUDY = Study(
    name="slow",
    question="Do all nodes work?",
    task=Function("bend", bend, Ball(1, 1.0), n_train=16),
    axes={{"width": list(range(2, {2 + N_CELLS}))}},
    scheme=Marking(),
    optimizer=Adam(learning_rate=0.02),
    max_steps=20,
    tolerance=1e-4,
    replicates=256,
)
'''
COMMAND = """
from trainability import plan

# However small, a cell is a trial of its own.
plan.LEAST_OPERATIONS, plan.TRIAL_OPERATIONS = 0.0, 1.0

from trainability.cli import main

main()
"""


def test_a_node_that_joins_works_while_trials_elsewhere_take_no_longer_than_its_start(tmp_path):
    study, storage, marks = tmp_path / "slow.py", tmp_path / "results", tmp_path / "marks"
    study.write_text(STUDY)
    marks.mkdir()
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    try:
        cluster.add_node(num_cpus=2, env_vars={"PACE_S": "0.5"})
        driver = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "run", str(study), "--storage", str(storage),
             "--address", cluster.address],
            env=os.environ.copy(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        wait_for_blocks(storage, 4, driver)
        cluster.add_node(num_cpus=1, env_vars={"MARKS": str(marks)})
        wait_for_blocks(storage, N_CELLS - 4, driver)
        assert len(list(marks.iterdir())) >= 10, n_block_files(storage)
        text, _ = driver.communicate(timeout=200)
        assert driver.returncode == 0, text
    finally:
        cluster.shutdown()
    assert stored(storage) == undisturbed(study)
