"""Losses and steps of small trainings are what they were, on every engine."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import training_by_loop as loop

from trainability.optimizers import SGD, Adam
from trainability.training import engine_type

OPTIMIZERS = {"sgd": SGD(0.05), "momentum": SGD(0.02, momentum=0.9), "adam": Adam(0.01)}
ENGINES = {name: engine_type(name)("cpu") for name in ("torch", "fused-cpu", "graph-gpu")}
GOLDEN = json.loads((Path(__file__).parent / "golden" / "trainings.json").read_text())


def label(entry) -> str:
    return "-".join(str(entry[key]) for key in ("engine", "sizes", "optimizer", "batch_size"))


@pytest.mark.parametrize("entry", GOLDEN, ids=label)
def test_a_training_is_what_it_was(entry) -> None:
    """Exactly so on the fused engine, whose operations IEEE 754 fixes. Torch adds up in the order
    of the machine's library: 40 steps of these networks amplify its rounding less than 100 times.
    """
    sizes, engine = tuple(entry["sizes"]), ENGINES[entry["engine"]]
    task = loop.problem(sizes, 6, OPTIMIZERS[entry["optimizer"]], batch_size=entry["batch_size"])
    training = engine.start(loop.ensemble(sizes, 6), task)
    for step in (0, 40):
        training.advance(step)
        wanted = np.array(entry[f"loss_at_{step}"], dtype=np.float32)
        if engine.name == "fused-cpu":
            np.testing.assert_array_equal(training.loss, wanted)
        else:
            np.testing.assert_allclose(training.loss, wanted, rtol=100 * 2.0**-24)


@pytest.mark.parametrize(
    "entry", [entry for entry in GOLDEN if entry["engine"] == "fused-cpu"], ids=label
)
def test_a_training_stops_where_it_did(entry) -> None:
    sizes, engine = tuple(entry["sizes"]), ENGINES[entry["engine"]]
    task = loop.problem(
        sizes,
        6,
        OPTIMIZERS[entry["optimizer"]],
        batch_size=entry["batch_size"],
        tolerance=entry["tolerance"],
    )
    training = engine.start(loop.ensemble(sizes, 6), task)
    training.advance(64)
    assert training.steps.tolist() == entry["steps"]
    assert training.succeeded.tolist() == entry["succeeded"]
