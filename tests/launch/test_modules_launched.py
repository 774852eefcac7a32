"""Studies of a module, whoever runs their trials and whatever ends them: the same rows."""

import os
import signal

import pytest
from commands import n_block_files, start, stored, undisturbed, wait_for_blocks

STUDY = '''"""Small convolutional networks on digits, with layers from another file."""

import os
import time

import own_layers
import torch
from torch import nn

from trainability import SGD, Module, Study
from trainability.losses import CrossEntropy
from trainability.schemes import He, TorchOwn
from trainability.tasks import Digits

SHIFT = torch.tensor([0.5])


class Shifted(nn.Module):
    def forward(self, x):
        return x - SHIFT


def cnn(channels: int, batch_norm: bool) -> nn.Module:
    time.sleep(float(os.environ.get("PACE_S", 0)))
    norm = [nn.BatchNorm2d(channels)] if batch_norm else []
    return nn.Sequential(
        Shifted(), nn.Conv2d(1, channels, 3, padding=1), *norm, own_layers.activation(),
        nn.MaxPool2d(4), nn.Flatten(), nn.Dropout(0.1), nn.Linear(4 * channels, 10),
    )


STUDY = Study(
    name="slow",
    question="Does it come through?",
    task=Digits(n_pictures=40),
    axes={
        "scheme": [He(), TorchOwn()],
        "network": Module.grid(cnn, channels=2, batch_norm=[False, True]),
    },
    optimizer=SGD(learning_rate=0.1),
    loss=CrossEntropy(),
    batch_size=10,
    max_steps=6,
    target_accuracy=0.9,
    replicates=256 * N_BLOCKS,
)
'''
LAYERS = """
import os
from pathlib import Path

from torch import nn

if "IMPORTED_BY" in os.environ:
    Path(os.environ["IMPORTED_BY"], str(os.getpid())).touch()


def activation():
    return nn.ReLU()
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_layers.py").write_text(LAYERS)

    def write(n_blocks):
        path = tmp_path / "slow.py"
        path.write_text(STUDY.replace("N_BLOCKS", str(n_blocks)))
        return path

    return write


def test_killed_and_interrupted_a_study_of_a_module_ends_with_the_same_rows(study, tmp_path):
    path, storage = study(n_blocks=2), tmp_path / "results"
    ends = ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143))
    for before, (end, code) in enumerate(ends):
        driver = start(path, storage, "--no-ray", PACE_S="0.005")
        wait_for_blocks(storage, n_block_files(storage) + 1, driver, seconds=300)
        os.killpg(driver.pid, end)
        text, _ = driver.communicate(timeout=120)
        assert driver.returncode == code, text
        assert before < n_block_files(storage) < 8
    driver = start(path, storage, "--no-ray")
    text, _ = driver.communicate(timeout=500)
    assert driver.returncode == 0, text
    assert stored(storage) == undisturbed(path)


def test_on_ray_the_rows_are_the_same_and_workers_import_none_of_the_user_s_files(study, tmp_path):
    path, storage, seen = study(n_blocks=1), tmp_path / "results", tmp_path / "seen"
    seen.mkdir()
    driver = start(path, storage, "--max-concurrent", "2", IMPORTED_BY=str(seen))
    text, _ = driver.communicate(timeout=500)
    assert driver.returncode == 0, text
    assert [entry.name for entry in seen.iterdir()] == [str(driver.pid)]
    assert stored(storage) == undisturbed(path)
