"""Copies of a module: drawn, run and trained as a loop over single modules would."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from example_modules import Deciding, Normalized, cell_of, mlp

from trainability import Adam, Module
from trainability.families import family_of
from trainability.networks.copies import Copies
from trainability.penalties import L1, L2, Jumpstart
from trainability.schemes import DataDependent, He, RandomizedAsymmetric, TorchOwn
from trainability.seeds import batch_order
from trainability.training import Problem
from trainability.trial import Runtime, run_trial


@pytest.mark.parametrize("scheme", [He(bias_std=0.1), RandomizedAsymmetric()], ids=str)
def test_a_module_that_is_fully_connected_has_its_first_weights_exactly(scheme):
    module = cell_of(Module(mlp), width=4, scheme=scheme)
    plain = cell_of(None, width=4, depth=3, scheme=scheme)
    assert module.id != plain.id
    copies = family_of(module).draw([1])
    ensemble = family_of(plain).draw([1])
    for ours, theirs in zip(copies.trained, ensemble.parameters, strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("batch_size", [None, 3])
def test_its_rows_agree_with_the_torch_engine_within_rounding(batch_size):
    more = {"width": 4, "batch_size": batch_size, "max_steps": 30}
    ours, _ = run_trial("s", cell_of(Module(mlp), **more), [0], Runtime())
    theirs, _ = run_trial("s", cell_of(None, depth=3, **more), [0], Runtime(engine="torch"))
    np.testing.assert_allclose(ours["final_loss"], theirs["final_loss"], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(ours["initial_loss"], theirs["initial_loss"], rtol=1e-5)
    near = abs(theirs["final_loss"] - 1e-2) < 1e-4  # where rounding decides
    assert (ours["success"] == theirs["success"])[~near].all()
    assert (ours["steps"] == theirs["steps"])[~near].mean() > 0.98
    # Deaths are counted on the points here, and on the interval there: the same at birth for
    # most; who is dead on the interval is dead on its points.
    dead, dead_on_points = (
        np.stack(rows["tentative_init"].tolist()) + np.stack(rows["permanent_init"].tolist())
        for rows in (theirs, ours)
    )
    assert (dead_on_points >= dead).all()
    assert (dead_on_points == dead).mean() > 0.5


def by_loop(copies: Copies, problem: Problem, n_steps: int, seed_rows: int):
    """The first copies trained one after the other by torch's own optimizer."""
    trained = []
    for row in range(seed_rows):
        module = Normalized(p=0.0)
        module.load_state_dict(
            {
                name: tensor[row]
                for names, tensors in (
                    (copies.layout.trained, copies.trained), (copies.layout.kept, copies.kept)
                )
                for name, tensor in zip(names, tensors, strict=True)
            }
        )  # fmt: skip
        optimizer = torch.optim.SGD(module.parameters(), lr=0.05)
        order = batch_order(problem.order_keys[row : row + 1], 0, len(problem.x))[0]
        module.train()
        for step in range(n_steps):
            at = order[3 * step : 3 * step + 3]
            optimizer.zero_grad()
            x, y = (torch.from_numpy(table[at]) for table in (problem.x, problem.y))
            (module(x) - y).square().mean().backward()
            optimizer.step()
        trained.append(module.eval())
    return trained


def test_normalized_copies_train_as_torch_trains_them_and_own_their_buffers():
    cell = cell_of(Module(Normalized, p=0.0), batch_size=3)
    family = family_of(cell)
    copies = family.draw([0])
    x, y = cell.task.data()
    keys = np.arange(256, dtype=np.uint64)
    problem = Problem(x, y, cell.optimizer, -np.inf, 3, keys)
    training, name = family.start(copies, problem, "auto", 1)
    training.advance(2)
    after = training.ensemble()
    assert name == "module"
    running = dict(zip(after.layout.kept, after.kept, strict=True))
    assert running["norm.num_batches_tracked"].tolist() == [2] * 256
    outputs = after(torch.from_numpy(x))
    for row, module in enumerate(by_loop(copies, problem, 2, 5)):
        state = module.state_dict()
        for name, tensor in running.items():
            torch.testing.assert_close(tensor[row], state[name], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(
            outputs[row], module(torch.from_numpy(x)).detach(), rtol=1e-3, atol=1e-5
        )
        with torch.no_grad():
            loss = float((module(torch.from_numpy(x)) - torch.from_numpy(y)).square().mean())
        assert training.loss[row] == pytest.approx(loss, rel=1e-3)


@pytest.mark.parametrize("penalty", [Jumpstart(0.01), L2(0.01), L1(0.01)], ids=str)
def test_penalties_move_copies_as_they_move_fully_connected_networks(penalty):
    more = {"width": 4, "penalty": penalty, "max_steps": 10, "tolerance": 1e-6}
    ours, _ = run_trial("s", cell_of(Module(mlp), **more), [0], Runtime())
    theirs, _ = run_trial("s", cell_of(None, depth=3, **more), [0], Runtime(engine="torch"))
    np.testing.assert_allclose(ours["final_loss"], theirs["final_loss"], rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize("stacked", [True, False])
def test_what_is_dropped_out_comes_from_the_copy_alone(stacked):
    cell = cell_of(Module(Normalized))
    family = family_of(cell)
    copies = family.draw([0])
    copies.layout.stacked = stacked
    x = torch.from_numpy(cell.task.data()[0])
    keys = torch.arange(8)
    part = [[t[:8] for t in group] for group in (copies.trained, copies.kept)]
    alone = [[t[3:4] for t in group] for group in (copies.trained, copies.kept)]
    all_of_them, _, _ = copies.layout.run(*part, x, training=True, keys=keys)
    one, _, _ = copies.layout.run(*alone, x, training=True, keys=keys[3:4])
    torch.testing.assert_close(all_of_them[3], one[0])
    again, _, _ = copies.layout.run(*part, x, training=True, keys=keys + 100)
    assert not torch.allclose(all_of_them, again)
    copies.layout.stacked = True
    stacked_too, _, _ = copies.layout.run(*part, x, training=True, keys=keys)
    torch.testing.assert_close(all_of_them, stacked_too)


def test_dropout_drops_its_share():
    from trainability.networks.chance import Dropout

    n, p = 200_000, 0.3
    with Dropout(torch.tensor(5)):
        dropped = torch.nn.functional.dropout(torch.ones(n), p)
    share = float((dropped == 0).double().mean())
    # 5.2 standard deviations: false alarm 2e-7
    assert abs(share - p) < 5.2 * (p * (1 - p) / n) ** 0.5
    assert dropped.max() == pytest.approx(1 / (1 - p))


def test_a_module_that_decides_by_its_numbers_is_trained_copy_by_copy_and_says_so():
    cell = cell_of(Module(Deciding), max_steps=2)
    assert "torch.vmap can't run it" in cell.blueprint.not_stacked
    rows, provenance = run_trial("s", cell, [0], Runtime())
    assert "copy by copy" in provenance["engine"]
    assert (rows["final_loss"] < rows["initial_loss"]).mean() > 0.9


def test_torch_own_leaves_what_the_function_draws_and_each_copy_has_its_own():
    copies = family_of(cell_of(Module(mlp), width=4, scheme=TorchOwn())).draw([0])
    weight = copies.trained[0]
    assert len(torch.unique(weight)) == weight.numel()
    assert float(weight.abs().max()) <= 1
    again = family_of(cell_of(Module(mlp), width=4, scheme=TorchOwn())).draw([0])
    assert torch.equal(weight, again.trained[0])


def test_a_data_dependent_scheme_leaves_no_neuron_dead():
    cell = cell_of(Module(mlp), width=4, scheme=DataDependent(), max_steps=1)
    family = family_of(cell)
    census = family.census(family.draw([0]), at_birth=True)
    assert (census.active[:, 0] == 4).all()


def test_rows_do_not_depend_on_the_blocks_beside():
    cell = cell_of(Module(Normalized), max_steps=3, optimizer=Adam(learning_rate=1e-2))
    both, _ = run_trial("s", cell, [0, 1], Runtime())
    second, _ = run_trial("s", cell, [1], Runtime())
    assert both.iloc[256:].reset_index(drop=True).equals(second)


def test_paired_by_shape_not_by_name():
    assert (
        cell_of(Module(Normalized)).stream_identity
        == cell_of(Module(Normalized, p=0.1)).stream_identity
    )
    assert cell_of(Module(Normalized)).id != cell_of(Module(Normalized, p=0.1)).id
    assert He() == He()
