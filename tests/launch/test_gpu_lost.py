"""GPUs that were chosen for the user and are lost: the study goes on on CPUs."""

from commands import n_block_files, start, stored, undisturbed, wait_for_blocks, write_study
from ray.cluster_utils import Cluster

N_CELLS = 12
COMMAND = """
from trainability import plan
from trainability.launch import Options, gpus

# However small, a cell is a trial of its own; a GPU pays at once, and what trains there is a CPU.
plan.LEAST_OPERATIONS, plan.TRIAL_OPERATIONS = 0.0, 1.0
gpus.START_S, gpus.LOST_S = 0.0, 5.0
Options.torch_device = "cpu"

from trainability.cli import main

main()
"""


def test_a_study_whose_gpus_are_lost_ends_on_cpus_with_the_same_rows(tmp_path):
    study = write_study(tmp_path, n_cells=N_CELLS, n_blocks=1)
    storage = tmp_path / "results"
    cluster = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 1,
            "include_dashboard": False,
            "_system_config": {"health_check_period_ms": 500, "health_check_timeout_ms": 500},
        },
    )
    try:
        node = cluster.add_node(num_cpus=1, num_gpus=1, env_vars={"PACE_S": "1"})
        driver = start(study, storage, "--address", cluster.address, program=COMMAND)
        wait_for_blocks(storage, 2, driver)
        cluster.remove_node(node, allow_graceful=False)
        text, _ = driver.communicate(timeout=300)
        assert driver.returncode == 0, text
    finally:
        cluster.shutdown()
    assert "each on 0.25 of a GPU" in text
    assert "the loss of all GPUs" in text
    assert n_block_files(storage) == N_CELLS
    assert stored(storage) == undisturbed(study)
