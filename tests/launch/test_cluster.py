"""Which nodes a study may use, and what keeps a node from it."""

import pytest

from trainability.errors import InputError
from trainability.launch import Options
from trainability.launch import cluster as cluster_module
from trainability.launch.cluster import connected, count_slots, find_nodes, find_obstacle
from trainability.plan import Slots
from trainability.storage import Storage

NODES = [
    {"Alive": True, "Labels": {"zone": "a"}, "Resources": {"CPU": 4.0}},
    {"Alive": True, "Labels": {"zone": "b", "disk": "x"}, "Resources": {"CPU": 8.0, "GPU": 2.0}},
    {"Alive": True, "Labels": {"zone": "b"}, "Resources": {"CPU": 1.0, "GPU": 4.0}},
    {"Alive": False, "Labels": {"zone": "b"}, "Resources": {"CPU": 64.0, "GPU": 8.0}},
]


@pytest.fixture
def nodes(monkeypatch):
    monkeypatch.setattr(cluster_module.ray, "nodes", lambda: NODES)


@pytest.mark.parametrize(
    ("options", "slots"),
    [
        ({}, 13),
        ({"cpus_per_trial": 2}, 2 + 4),
        ({"cpus_per_trial": 0.5}, 26),
        ({"gpus_per_trial": 1}, 2 + 1),
        ({"gpus_per_trial": 0.25, "cpus_per_trial": 0.5}, 8 + 2),
        ({"labels": {"zone": "b"}}, 9),
        ({"labels": {"zone": "b", "disk": "x"}}, 8),
        ({"max_concurrent": 3}, 3),
        ({"max_concurrent": 99}, 13),
    ],
)
def test_slots_are_what_fits_on_live_nodes_with_the_labels(nodes, options, slots):
    asked = Options(**options)
    assert count_slots(find_nodes(asked), asked).n == slots


def test_a_slot_is_as_fast_as_what_it_gets(nodes):
    for options, speed in [({"cpus_per_trial": 4}, 4.0), ({"cpus_per_trial": 0.5}, 1.0)]:
        asked = Options(**options)
        assert count_slots(find_nodes(asked), asked).speed == speed
    asked = Options(gpus_per_trial=0.5)
    assert count_slots(find_nodes(asked), asked) == Slots(4 + 1, speed=50.0, unit_blocks=256)


def test_what_no_node_can_give_is_refused_with_every_problem(nodes):
    with pytest.raises(InputError, match=r"(?s)99 CPU.* more than 8.*5 GPU.*more than 4"):
        find_nodes(Options(cpus_per_trial=99, gpus_per_trial=5))
    with pytest.raises(InputError, match="no node of the cluster has all that a trial asks for"):
        find_nodes(Options(cpus_per_trial=8, gpus_per_trial=4))
    with pytest.raises(InputError, match="has the labels zone=c; there are disk=x, zone=a, zone=b"):
        find_nodes(Options(labels={"zone": "c"}))


def test_a_node_with_another_version_or_without_gpu_support_is_named(tmp_path, monkeypatch):
    storage = Storage(tmp_path)
    storage.write_bytes("token", b"")
    installed = cluster_module.version("trainability")
    assert find_obstacle(storage, "token", "cpu", installed) is None
    assert "install the same version" in str(find_obstacle(storage, "token", "cpu", "0.0.1"))
    assert "not shared" in str(find_obstacle(storage, "other", "cpu", installed))
    monkeypatch.setattr("torch.version.cuda", None)
    monkeypatch.setattr("torch.version.hip", None)
    assert "without GPU support" in str(find_obstacle(storage, "token", "cuda", installed))


@pytest.mark.parametrize("address", ["127.0.0.1:6379", "ray://127.0.0.1:10001"])
@pytest.mark.parametrize("error", [ConnectionError, Exception])
def test_a_cluster_that_does_not_let_us_in_is_refused(address, error, monkeypatch):
    monkeypatch.setattr(cluster_module.ray, "is_initialized", lambda: False)
    monkeypatch.setattr(cluster_module, "probe", lambda address: None)

    def refuse(**_):
        raise error("wrong token")

    monkeypatch.setattr(cluster_module.ray, "init", refuse)
    origin = r"\(from --address\)"
    with (
        pytest.raises(InputError, match=f"no Ray cluster at {address} {origin}: wrong token; want"),
        connected(Options(address=address)),
    ):
        pass
