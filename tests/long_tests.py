"""Which tests `pytest -m long` runs, and `pytest` alone does not."""

LONG = (
    "cli/test_growing_command.py",
    "cli/test_ui_command.py::test_it_is_three_processes_that_end_together",
    "cluster/test_kubernetes_files.py::test_mlflow_starts_on_postgresql_and_answers_to_its_own_name_alone",
    "cluster/test_ray_up_files.py",
    "cluster/test_slurm_script.py",
    "docs/test_docs_site.py",
    "launch/test_by_hand.py",
    "launch/test_chaos.py",
    "launch/test_dispatch.py",
    "launch/test_embedded.py",
    "launch/test_endings.py",
    "launch/test_in_process.py::test_whatever_ends_the_driver_nothing_stays_and_the_same_command_goes_on",
    "launch/test_interruption.py",
    "launch/test_joining.py",
    "launch/test_placement.py",
    "launch/test_ready.py",
    "modules/test_modules_random.py",
    "odd/test_odd_input.py",
    "storage/test_damage.py",
    "test_readme.py::test_the_blocks_in_their_order_work_in_one_new_environment",
    "test_readme.py::test_who_works_on_the_package_adds_a_scheme_to_it_by_a_file",
    "tracking/test_server.py",
    "training/test_gpu_code.py::test_all_shapes_assemble_within_bounds",
    "tuning/test_architecture.py::test_cut_short_at_any_block_it_goes_on_to_the_same_tables",
    "tuning/test_loop.py::test_cut_short_at_any_block_it_goes_on_to_the_same_tables",
    "tuning/test_loop.py::test_killed_hard_it_goes_on_to_the_same_tables",
    "tuning/test_tuning_benchmark.py::test_its_regret_is_at_most_half_of_random_search_and_of_tpe",
)
"""Files, and tests of files: those that start and end whole machines and services, or go through a
catalog of cases. A quicker test of the same room is not among them."""
