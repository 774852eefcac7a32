"""The same initial networks in another way: what changes is the optimizer's luck."""

import dataclasses

import numpy as np
import pytest

from trainability.birth import outcome_changes, retrain
from trainability.errors import InputError
from trainability.trial import Runtime, run_trial


def test_as_declared_is_what_the_trial_did(tiny_study):
    cell = dataclasses.replace(tiny_study.cells()[0], batch_size=4)
    rows, _ = run_trial("tiny", cell, [1], Runtime())
    trained = retrain(cell, [1])
    assert np.array_equal(trained["success"], rows["success"])
    assert np.array_equal(trained["replicate"], rows["replicate"])
    assert np.array_equal(trained["final_loss"], rows["final_loss"])


def test_an_order_matters_to_minibatches_alone(tiny_study):
    cell = tiny_study.cells()[0]
    full = outcome_changes(retrain(cell, [0], orders=2, step_factors=[0.5]))
    assert list(full.index) == ["order 1", "order 2", "learning rate x 0.5"]
    assert (full.loc[["order 1", "order 2"], "agreement"] == 1).all()
    batches = retrain(dataclasses.replace(cell, batch_size=2), [0], orders=1)
    losses = batches.pivot(index="replicate", columns="way", values="final_loss")
    assert (losses["order 1"] != losses["as declared"]).mean() > 0.5
    changes = outcome_changes(batches)
    assert changes["agreement"].iloc[0] == pytest.approx(
        1 - changes["lost"].iloc[0] - changes["won"].iloc[0]
    )
    assert outcome_changes(retrain(cell, [0])).empty


def test_bad_ways_are_refused(tiny_study):
    with pytest.raises(InputError) as caught:
        retrain(tiny_study.cells()[0], [0], orders=-1, step_factors=[0.0])
    assert "orders must be an int >= 0, got -1" in str(caught.value)
    assert "step_factors must be" in str(caught.value)


def test_half_the_learning_rate_has_twice_the_steps(tiny_study):
    cell = tiny_study.cells()[0]
    optimizer = dataclasses.replace(
        cell.optimizer, learning_rate=cell.optimizer.learning_rate * 0.5
    )
    slower = dataclasses.replace(cell, optimizer=optimizer, max_steps=2 * cell.max_steps)
    ways = retrain(cell, [0], step_factors=[0.5])
    assert outcome_changes(retrain(cell, [0], step_factors=[0.5, 0.5]))["n"].tolist() == [256]
    halved = ways[ways["way"] == "learning rate x 0.5"]
    assert np.array_equal(halved["final_loss"], retrain(slower, [0])["final_loss"])
