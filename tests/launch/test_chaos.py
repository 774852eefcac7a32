"""Nodes, workers and the driver die at random; not one byte of the results changes."""

import os
import random
import signal
import subprocess
import time

import psutil
import pytest
from commands import (
    mlflow_statuses,
    n_block_files,
    start,
    stored,
    undisturbed,
    wait_for_blocks,
    write_study,
)
from ray.cluster_utils import Cluster

N_FAILURES = 20
PACE_S = 0.25


class Chaos:
    """A cluster of a head that lasts and two nodes that don't, and a driver that is run again.

    Args:
        study: The study's file.
        storage: Its storage.
        rng: Chooses what dies, and when.
    """

    def __init__(self, study, storage, rng):
        self.study, self.storage, self.rng = study, storage, rng
        self.cluster = Cluster(
            head_node_args={
                "num_cpus": 0,
                "include_dashboard": False,
                "_system_config": {
                    "health_check_initial_delay_ms": 1000,
                    "health_check_period_ms": 500,
                    "health_check_timeout_ms": 1000,
                    "health_check_failure_threshold": 3,
                },
            },
            initialize_head=True,
        )
        self.nodes = [self.node() for _ in range(2)]
        self.done = {"worker": 0, "node": 0, "driver": 0}
        self.texts = []
        self.launch()

    def launch(self):
        self.driver = start(
            self.study,
            self.storage,
            f"--address={self.cluster.address}",
            "--max-failures=10",
        )

    def node(self):
        # Workers have their environment from their node.
        return self.cluster.add_node(num_cpus=1, wait=False, env_vars={"PACE_S": str(PACE_S)})

    def fail(self):
        """Let one thing die, and its successor come."""
        what = self.rng.choices(["worker", "node", "driver"], weights=[11, 5, 4])[0]
        if what == "worker" and (workers := self.workers()):
            self.rng.choice(workers).kill()
        elif what == "driver":
            os.killpg(self.driver.pid, signal.SIGKILL)
            self.texts.append(self.driver.communicate()[0])
            self.launch()
        else:
            what = "node"
            node = self.nodes.pop(self.rng.randrange(2))
            self.cluster.remove_node(node, allow_graceful=False)
            self.nodes.append(self.node())
        self.done[what] += 1

    def workers(self):
        """The processes of trials, in the order of their start."""
        raylets = [
            process.process.pid
            for node in self.nodes
            for process in node.all_processes.get("raylet", [])
        ]
        workers = []
        for pid in raylets:
            with_parent = psutil.Process(pid).children() if psutil.pid_exists(pid) else []
            workers += [p for p in with_parent if "ImplicitFunc" in " ".join(p.cmdline())]
        return sorted(workers, key=lambda process: process.pid)

    def end(self):
        if self.driver.poll() is None:
            os.killpg(self.driver.pid, signal.SIGKILL)
            self.driver.communicate()
        self.cluster.shutdown()


@pytest.fixture
def chaos(tmp_path):
    study = write_study(tmp_path, n_cells=32, n_blocks=2)
    chaos = Chaos(study, tmp_path / "results", random.Random(5))
    yield chaos
    chaos.end()


def test_twenty_random_failures_change_not_one_byte(chaos, tmp_path):
    while sum(chaos.done.values()) < N_FAILURES:
        # Sometimes in the middle of a start, mostly when there is something to lose.
        wanted = n_block_files(tmp_path / "results") + chaos.rng.choice([0, 1, 1, 2])
        wait_for_blocks(tmp_path / "results", wanted, chaos.driver)
        time.sleep(chaos.rng.uniform(0.0, 2.0))
        assert chaos.driver.poll() is None, chaos.driver.communicate()[0]
        chaos.fail()
    try:
        chaos.texts.append(chaos.driver.communicate(timeout=300)[0])
    except subprocess.TimeoutExpired:
        pytest.fail("the study does not end")
    assert chaos.driver.returncode == 0, chaos.texts[-1]
    assert min(chaos.done.values()) >= 2, chaos.done
    assert stored(tmp_path / "results") == undisturbed(chaos.study)
    statuses = mlflow_statuses(f"sqlite:///{tmp_path}/results/mlflow.db")
    assert set(statuses.values()) == {"FINISHED"} and len(statuses) == 33
