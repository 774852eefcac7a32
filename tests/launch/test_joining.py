"""A node that joins a study gets to work, however fast trials follow each other elsewhere."""

from commands import n_block_files, start, stored, undisturbed, wait_for_blocks, write_study
from ray.cluster_utils import Cluster

N_CELLS = 60
COMMAND = """
from trainability import plan

# However small, a cell is a trial of its own.
plan.LEAST_OPERATIONS, plan.TRIAL_OPERATIONS = 0.0, 1.0

from trainability.cli import main

main()
"""


def test_a_node_that_joins_works_while_trials_elsewhere_take_no_longer_than_its_start(tmp_path):
    study = write_study(tmp_path, n_cells=N_CELLS, n_blocks=1)
    storage, marks = tmp_path / "results", tmp_path / "marks"
    marks.mkdir()
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    try:
        cluster.add_node(num_cpus=2, env_vars={"PACE_S": "0.5"})
        driver = start(study, storage, "--address", cluster.address, program=COMMAND)
        wait_for_blocks(storage, 4, driver)
        cluster.add_node(num_cpus=1, env_vars={"MARKS": str(marks)})
        wait_for_blocks(storage, N_CELLS - 4, driver)
        assert len(list(marks.iterdir())) >= 10, n_block_files(storage)
        text, _ = driver.communicate(timeout=200)
        assert driver.returncode == 0, text
    finally:
        cluster.shutdown()
    assert stored(storage) == undisturbed(study)
