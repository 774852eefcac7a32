"""Whether trials get GPUs that nobody asked for."""

import dataclasses

import pytest

from trainability.launch import Options, gpus
from trainability.launch import cluster as cluster_module
from trainability.launch.choice import CORE_OPERATIONS_PER_S
from trainability.launch.cluster import find_nodes
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage

PLAIN = {"Alive": True, "Labels": {"zone": "a"}, "Resources": {"CPU": 16.0}}
WITH_GPU = {"Alive": True, "Labels": {"zone": "b"}, "Resources": {"CPU": 16.0, "GPU": 1.0}}
WITH_TWO = {"Alive": True, "Labels": {"zone": "b"}, "Resources": {"CPU": 8.0, "GPU": 2.0}}


@pytest.fixture
def decided(tiny_study, tmp_path, monkeypatch):
    """Decide on nodes that answer without being there, for so many seconds of work on a core."""
    asked = []

    def decide(nodes, core_seconds, obstacle=None, width=2, **options):
        def answer(nodes, storage, token, device):
            asked.append((len(nodes), device))
            if obstacle:
                raise obstacle

        monkeypatch.setattr(cluster_module.ray, "nodes", lambda: nodes)
        monkeypatch.setattr(gpus, "require_same_everywhere", answer)
        cell = dataclasses.replace(tiny_study.cells()[0], width=width)
        n = round(core_seconds * CORE_OPERATIONS_PER_S / cell.operations / BLOCK_SIZE)
        given = Options(**options)
        places = gpus.choose_places(
            given, find_nodes(given), {cell.id: cell}, {cell.id: range(n)}, Storage(tmp_path), "t"
        )
        assert places.nodes == find_nodes(places.options)
        return places.options, places.why

    decide.asked = asked
    return decide


def test_long_work_goes_to_a_quarter_of_a_gpu_with_its_share_of_the_cores(decided):
    options, why = decided([PLAIN, WITH_GPU], 1e5)
    assert (options.gpus_per_trial, options.cpus_per_trial) == (0.25, 4.0)
    assert options.torch_device == "cuda"
    assert why == "each on 0.25 of a GPU and 4 CPUs"
    assert decided.asked == [(1, "cuda")]  # and nobody asks the node that has none


def test_the_node_with_the_fewest_cores_for_a_gpu_says_how_many_a_trial_gets(decided):
    options, _ = decided([WITH_GPU, WITH_TWO], 1e5)
    assert options.cpus_per_trial == 1.0
    options, _ = decided([WITH_GPU, WITH_TWO], 1e5, cpus_per_trial=2.0)
    assert options.cpus_per_trial == 2.0


@pytest.mark.parametrize(("share_of_the_gain", "used"), [(0.99, False), (1.01, True)])
def test_the_start_of_a_gpu_is_paid_for(decided, share_of_the_gain, used):
    # Sixteen cores or a hundred: the seconds of one core at which both take equally long.
    even = gpus.START_S / (1 / 16 - 1 / 100)
    options, why = decided([WITH_GPU], even * share_of_the_gain)
    assert (options.gpus_per_trial is not None) is used
    assert why is not None
    assert used is not why.startswith("no GPU is used: too little work")


def test_a_cluster_with_more_speed_in_its_cores_trains_there(decided):
    options, why = decided([PLAIN] * 7 + [WITH_GPU], 1e7)
    assert options.gpus_per_trial is None
    assert why is not None
    assert "done sooner" in why


@pytest.mark.parametrize(
    "options",
    [
        {"gpus_per_trial": 0.0},
        {"gpus_per_trial": 1.0},
        {"device": "cpu"},
        {"labels": {"zone": "a"}},
    ],
    ids=str,
)
def test_who_says_what_he_wants_gets_that(decided, options):
    before = Options(**options)
    assert decided([PLAIN, WITH_GPU], 1e7, **options) == (before, None)


def test_what_the_engine_of_gpus_can_not_train_stays_on_cpus(decided):
    options, why = decided([WITH_GPU], 1e7, engine="fused-cpu")
    assert (options.gpus_per_trial, why) == (
        None, "no GPU is used: the engine fused-cpu is asked for",
    )  # fmt: skip
    options, why = decided([WITH_GPU], 1e7, width=5000)
    assert options.gpus_per_trial is None
    assert why == "no GPU is used: the engine for GPUs can't train all cells"


@pytest.mark.parametrize(
    ("kind", "fits"), [("H100", True), ("A100-40G", True), ("T4", False), ("V100-16G", False),
                       ("AMD-Instinct-MI250X", False)],
)  # fmt: skip
def test_old_gpus_and_those_of_other_makers_are_left_alone(decided, kind, fits):
    node = WITH_GPU | {"Resources": {"CPU": 16.0, "GPU": 1.0, f"accelerator_type:{kind}": 1.0}}
    options, why = decided([node], 1e5)
    assert (options.gpus_per_trial is not None) is fits
    assert fits or why == f"no GPU is used: the engine for GPUs can't use {kind}"


def test_work_goes_on_on_cpus_when_no_gpu_has_been_left_for_a_while(monkeypatch):
    slots = [2]
    stopper = gpus.GpusLost(lambda: slots[0])
    begin = gpus.time.monotonic()

    def stops(after_s):
        monkeypatch.setattr(gpus.time, "monotonic", lambda: begin + after_s)
        return stopper.stop_all()

    assert [stops(after_s) for after_s in (10.0, 100.0, 1000.0)] == [False] * 3
    slots[0] = 0
    assert [stops(after_s) for after_s in (1030.0, 1059.0, 1061.0)] == [False, False, True]
    slots[0] = 1
    assert not stops(1070.0)  # one is back
