"""A trial is pure: the same cell gives the same rows, and the rows obey the laws."""

import threading

import example_cells
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import binomtest

from trainability import SGD, Adam
from trainability.families import family_of
from trainability.schemes import DataDependent, He, UnitSphere
from trainability.study import Cell
from trainability.tasks import AbsoluteValue
from trainability.theory import born_dead_probability
from trainability.training.cpu import tiles
from trainability.training.cpu.fused_cpu_engine import FusedCpuTraining
from trainability.training.torch_engine import TorchTraining
from trainability.trial import Runtime, checkpoints, collapsed, draw, run_trial

ALPHA = 1e-6


def a_cell(**changes) -> Cell:
    settings = dict(
        task=AbsoluteValue(n_train=20),
        optimizer=Adam(learning_rate=0.02),
        max_steps=300,
        tolerance=1e-2,
    )
    return example_cells.a_cell(**(settings | changes))


@pytest.mark.parametrize("engine", ["auto", "torch"])
@pytest.mark.parametrize("batch_size", [None, 5])
def test_rows_do_not_depend_on_how_blocks_are_grouped(engine, batch_size):
    cell = a_cell(batch_size=batch_size, max_steps=60)
    together = run_trial("s", cell, [0, 1, 2], Runtime(engine=engine))[0]
    apart = [
        run_trial("s", cell, [block], Runtime(engine=engine, threads=2))[0] for block in (2, 0, 1)
    ]
    joined = pd.concat(apart).sort_values("replicate", ignore_index=True)
    pd.testing.assert_frame_equal(together, joined, check_exact=True)


def test_engines_start_from_the_same_networks():
    fast = run_trial("s", a_cell(max_steps=1), [0], Runtime())[0]
    plain = run_trial("s", a_cell(max_steps=1), [0], Runtime(engine="torch"))[0]
    for column in ("active_init", "permanent_init", "born_dead", "trainable"):
        assert fast[column].map(str).equals(plain[column].map(str))
    # One float32 forward pass: a few roundings apart.
    np.testing.assert_allclose(fast["initial_loss"], plain["initial_loss"], rtol=1e-5)


def test_initialization_depends_on_identity_alone():
    first, again = draw(a_cell(), [0]), draw(a_cell(optimizer=SGD(learning_rate=1.0)), [1, 0])
    assert all((a == b[256:]).all() for a, b in zip(first.weights, again.weights, strict=True))
    other = draw(a_cell(seed=1), [0])
    assert not any((a == b).all() for a, b in zip(first.weights, other.weights, strict=True))


@pytest.mark.parametrize("scheme", [UnitSphere(), He(bias_std=1.0), DataDependent()], ids=str)
@pytest.mark.parametrize("depth", [2, 3])
def test_rows_obey_the_laws(scheme, depth):
    cell = a_cell(scheme=scheme, depth=depth)
    rows = run_trial("s", cell, [0, 1], Runtime())[0]
    assert not (rows["success"] & ~rows["trainable"]).any()
    for when in ("init", "final"):
        total = sum(
            np.stack(rows[f"{state}_{when}"].to_list())
            for state in ("active", "tentative", "permanent")
        )
        assert (total == cell.width).all()
    assert (rows["final_loss"][rows["success"]] <= cell.tolerance).all()
    assert (rows["final_loss"][~rows["success"]] > cell.tolerance).all()
    assert (rows["steps"][~rows["success"]] == cell.max_steps).all()
    curves = np.array(rows["loss_curve"].to_list())
    assert curves.shape == (512, len(checkpoints(cell.max_steps)))
    assert (curves[:, 0] == rows["initial_loss"]).all()
    assert (curves[:, -1] == rows["final_loss"]).all()
    assert rows["born_dead"].equals(rows["active_init"].map(lambda counts: min(counts) == 0))


def test_active_neurons_at_birth_follow_theory():
    cell = a_cell(max_steps=1)
    rows = run_trial("s", cell, range(8), Runtime())[0]
    active = int(np.stack(rows["active_init"].to_list()).sum())
    p = float(born_dead_probability(cell.scheme, cell.task.domain, cell.width))
    assert binomtest(active, 2048 * cell.width, 1 - p).pvalue > ALPHA


def test_collapse_is_a_constant_output():
    """Half of the networks by hand: dead, or two neurons that cancel; the others vary."""
    cell = a_cell(width=2)
    x, y = cell.task.data()
    networks = draw(cell, [0])
    dead, canceling = networks.biases[0][:64], networks.weights[1][64:128]
    dead[:], canceling[:] = -9.0, 0.0
    varying = torch.as_tensor(np.ptp(networks(torch.as_tensor(x)).numpy(), axis=1)[128:, 0] > 0.5)
    variances = family_of(cell).variances
    flat = collapsed(variances(networks, x), y)
    assert flat[:128].all()
    assert not flat[128:][varying.numpy()].any() and varying.sum() > 32
    # The spread counts, not the level; and a hundredth of the targets' is the border.
    networks.biases[1][:] = 1e3
    assert collapsed(variances(networks, x), y)[:128].all()
    line = networks[np.arange(1)]
    line.weights[0][:], line.biases[0][:] = torch.tensor([[1.0], [0.0]]), 9.0
    for scale, constant in ((0.9, True), (1.1, False)):
        slope = scale * 0.01 * y.std() / x.std()
        line.weights[1][:], line.biases[1][:] = torch.tensor([[float(slope), 0.0]]), 0.0
        assert collapsed(variances(line, x), y).tolist() == [constant]


def test_untrainable_networks_that_learn_nothing_collapse():
    """Without an active neuron a network is constant before training and after it."""
    rows = run_trial("s", a_cell(width=2), [0, 1], Runtime())[0]
    assert rows["collapsed"][rows["born_dead"]].all() and rows["born_dead"].any()
    assert not rows["collapsed"][rows["success"]].any()
    curve = np.stack(rows["collapsed_curve"].to_list())
    assert curve.shape[1] == len(checkpoints(a_cell().max_steps))
    assert np.array_equal(curve[:, -1], rows["collapsed"])
    # At birth by the definition itself; later some collapse that were not born so.
    cell = a_cell(width=2)
    family, (x, y) = family_of(cell), cell.task.data()
    assert np.array_equal(curve[:, 0], collapsed(family.variances(family.draw([0, 1]), x), y))
    assert (curve[:, -1] & ~curve[:, 0]).any()
    lost = run_trial("s", a_cell(optimizer=SGD(learning_rate=1e30)), [0], Runtime())[0]
    last = [entries[-1] for entries in lost["collapsed_curve"]]
    assert [flat is None for flat in last] == lost["collapsed"].isna().tolist()
    assert (lost["collapsed"].isna() == (lost["status"] == "diverged")).all()


def test_a_diverged_network_is_a_row():
    """With a learning rate of 1e30 every network with an active neuron overflows at once."""
    rows = run_trial("s", a_cell(optimizer=SGD(learning_rate=1e30)), [0], Runtime())[0]
    lost = rows[rows["status"] == "diverged"]
    assert len(rows) == 256 and len(lost) > 200
    assert not lost["success"].any()
    assert lost["active_final"].isna().all() and (lost["n_revived"] == 0).all()
    assert np.isnan(np.array(lost["loss_curve"].to_list(), dtype=float)[:, -1]).all()


@pytest.mark.parametrize("engine", ["fused-cpu", "torch"])
@pytest.mark.parametrize("batch_size", [None, 5])
def test_progress_is_told_while_networks_train_and_changes_no_row(engine, batch_size, monkeypatch):
    """Every tile of the last stretch waits until progress was told during it."""
    cell = a_cell(batch_size=batch_size, max_steps=60, tolerance=1e-4)
    quiet = run_trial("s", cell, [0], Runtime(engine=engine))[0]
    progressed = threading.Semaphore(0)
    monkeypatch.setattr(tiles, "_PROGRESS_EVERY_S", 0.001)
    kind = {"torch": TorchTraining, "fused-cpu": FusedCpuTraining}
    train = kind[engine]._train

    def waiting(self, rows, start, stop):
        if start >= 50:
            while progressed.acquire(blocking=False):
                pass  # told before this tile
            assert progressed.acquire(timeout=60), "nothing is told while a tile trains"
        train(self, rows, start, stop)

    monkeypatch.setattr(kind[engine], "_train", waiting)
    steps = []

    def progress(since):
        steps.append(since)
        progressed.release()

    rows, provenance = run_trial("s", cell, [0], Runtime(engine=engine), progress)
    pd.testing.assert_frame_equal(rows, quiet, check_exact=True)
    assert min(steps) >= 0 and sum(steps) == int(provenance["network_steps"])
    assert len(steps) > 2 * len(checkpoints(60))
