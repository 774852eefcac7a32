"""Trials on the two nodes of the shared Ray: where they run, with what, on which storage."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import ray
from launching import run
from ray import cloudpickle, tune

from trainability import plan
from trainability.errors import InputError
from trainability.launch import Options, gpus
from trainability.launch.shipping import ship_user_code
from trainability.schemes import UnitSphere
from trainability.storage import Storage

pytestmark = pytest.mark.usefixtures("ray_session")


@dataclasses.dataclass(frozen=True)
class Spy(UnitSphere):
    """Notes where and when each draw happened; goes on when so many processes are drawing."""

    folder: str = ""
    tag: int = 0
    together: int = 1

    def draw(self, layer, rng):
        begun = time.time()
        folder = Path(self.folder)
        (folder / f"{os.getpid()}.here").touch()
        while len(list(folder.glob("*.here"))) < self.together:
            assert time.time() < begun + 100, "drawing alone"
            time.sleep(0.05)
        time.sleep(0.1)
        node = next(
            n for n in ray.nodes() if n["NodeID"] == ray.get_runtime_context().get_node_id()
        )
        note = {
            "zone": node["Labels"]["zone"],
            "gpus": ray.get_gpu_ids(),
            "visible": os.environ.get("CUDA_VISIBLE_DEVICES"),
            "pid": os.getpid(),
            "trial": tune.get_context().get_trial_id(),
            "begun": begun,
            "ended": time.time(),
        }
        Path(self.folder, f"{note['trial']}-{begun}.json").write_text(json.dumps(note))
        return super().draw(layer, rng)


@pytest.fixture
def spied(tiny_study, tmp_path, monkeypatch):
    """Launch two cells as two trials, and return the notes of their draws."""
    # However small, a unit is a trial of its own.
    monkeypatch.setattr(plan, "LEAST_OPERATIONS", 0.0)
    monkeypatch.setattr(plan, "TRIAL_OPERATIONS", 1.0)
    notes = tmp_path / "notes"
    notes.mkdir()

    def launched(together=1, **options):
        study = dataclasses.replace(
            tiny_study,
            axes={"scheme": [Spy(str(notes), tag, together) for tag in (1, 2)], "width": [2]},
            replicates=256,
        )
        outcome, _, text = run(study, tmp_path / "results", **options)
        assert not outcome.missing, text
        placed = [json.loads(path.read_text()) for path in notes.glob("*.json")]
        assert len({note["trial"] for note in placed}) == 2
        return placed

    return launched


def overlap(notes) -> bool:
    """Whether two trials worked at the same time."""
    first, second = (
        [note for note in notes if note["trial"] == trial]
        for trial in {note["trial"] for note in notes}
    )
    return min(n["begun"] for n in first) < max(n["ended"] for n in second) and min(
        n["begun"] for n in second
    ) < max(n["ended"] for n in first)


def test_labels_choose_the_node(spied):
    assert {note["zone"] for note in spied(labels={"zone": "a"})} == {"a"}


def test_two_halves_of_a_gpu_are_on_the_gpu_s_node_at_the_same_time(spied):
    notes = spied(together=2, gpus_per_trial=0.5, cpus_per_trial=0.5, device="cpu")
    assert {note["zone"] for note in notes} == {"b"}
    assert all(note["gpus"] == [0] and note["visible"] == "0" for note in notes)
    assert overlap(notes)


def test_gpus_are_used_unasked_where_the_work_is_done_sooner_there(spied, monkeypatch):
    """On a GPU that stands for one: what trains is the CPU."""
    monkeypatch.setattr(gpus, "START_S", 0.0)
    monkeypatch.setattr(Options, "torch_device", "cpu")
    notes = spied()
    assert {note["zone"] for note in notes} == {"b"}
    assert {tuple(note["gpus"]) for note in notes} == {(0,)}


def test_a_gpu_that_torch_can_not_use_is_left_alone_unless_asked_for(
    tiny_study, tmp_path, monkeypatch
):
    monkeypatch.setattr(gpus, "START_S", 0.0)
    outcome, _, text = run(tiny_study, tmp_path)
    assert not outcome.missing
    assert "no GPU is used: node 127.0.0.1: torch" in text


def test_no_more_trials_run_at_once_than_allowed(spied):
    assert not overlap(spied(max_concurrent=1))


def test_trials_in_turn_share_a_process(spied):
    """Starting one costs seconds; `tests/scale/sleeping_trials.py` tells what is left of them."""
    assert len({note["pid"] for note in spied(labels={"zone": "a"})}) == 1


def test_a_gpu_that_torch_can_not_use_is_refused_before_training(tiny_study, tmp_path):
    with pytest.raises(InputError, match="node 127.0.0.1: torch .* is built without GPU support"):
        run(tiny_study, tmp_path, gpus_per_trial=1)
    assert Storage(tmp_path).block_files("tiny") == []


class PerNode(Storage):
    """A folder that is another one on the node with a disk of its own."""

    def __reduce__(self):
        return (_on_this_node, (self.address,))


def _on_this_node(address):
    return Storage(os.environ.get("OWN_DISK", address))


def test_a_storage_that_is_not_shared_is_refused_before_training(tiny_study, tmp_path):
    with pytest.raises(InputError, match="node 127.0.0.1: storage .* is gone, or not shared"):
        run(tiny_study, PerNode(tmp_path))
    assert Storage(tmp_path).block_files("tiny") == []
    # Nodes that are not used need not see it.
    outcome, _, _ = run(
        dataclasses.replace(tiny_study, replicates=256, axes={"width": [2]}, scheme=UnitSphere()),
        PerNode(tmp_path),
        labels={"zone": "a"},
    )
    assert not outcome.missing
    assert [path for path in tmp_path.glob("tiny/.launch-*")] == []


def test_what_a_study_file_imports_travels_with_it(tmp_path, tiny_study, monkeypatch):
    """A worker on another machine has neither the study file nor the user's modules beside it."""
    (tmp_path / "my_slopes.py").write_text("SLOPE = 3.0\n\ndef slope(): return SLOPE\n")
    (tmp_path / "my_schemes.py").write_text(
        "from dataclasses import dataclass\n"
        "from my_slopes import slope\n"
        "from trainability.lazy import numpy as np\n"  # as in what of ours one copies
        "from trainability.schemes import UnitSphere\n\n"
        "@dataclass(frozen=True)\n"
        "class Mine(UnitSphere):\n"
        "    def gain(self): return float(np.float64(slope()))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    from my_schemes import Mine

    cell = dataclasses.replace(tiny_study.cells()[0], scheme=Mine())
    ship_user_code([cell])
    (tmp_path / "cell.pickle").write_bytes(cloudpickle.dumps(cell))
    code = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')).scheme.gain())"
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "cell.pickle"],
        capture_output=True,
        text=True,
        cwd="/",
    )
    assert done.stdout == "3.0\n", done.stderr
