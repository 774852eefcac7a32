"""What schemes of users draw wrongly is refused before anything is trained or written."""

import dataclasses
import re
from dataclasses import dataclass

import numpy as np
import pytest
from synthetic_rows import store

from trainability import Adam, Study, Tuning, load, run, tune
from trainability.errors import InputError
from trainability.schemes import He, Scheme, SignFlipped
from trainability.storage import Storage
from trainability.study import drawing
from trainability.study.drawing import drawing_problems
from trainability.tasks import AbsoluteValue
from trainability.tuning import Range, SuccessRate


@dataclass(frozen=True)
class Users(Scheme):
    """He's, after what a beginner may do to it."""

    fault: str = "none"

    def draw(self, layer, rng):
        weights, biases = He().draw(layer, rng)
        match self.fault:
            case "shape":
                weights = weights.transpose(0, 2, 1)
            case "nan in the last layer" if layer.index == layer.depth:
                weights[0, 0, 0] = np.nan
            case "raises":
                raise ZeroDivisionError("division by zero")
            case "own numbers":
                weights = np.random.default_rng().standard_normal(weights.shape)
            case "signs":
                weights, biases = rng.choice([-1.0, 1.0], weights.shape), np.zeros_like(biases)
            case "raises for many" if len(weights) > 2:
                raise ValueError("many")
            case "alike" | "raises for many":
                weights, biases = np.ones_like(weights), np.zeros_like(biases)
        return weights, biases


def study(*schemes, **changes):
    return Study(
        **{
            "name": "users",
            "question": "Is it seen in time?",
            "task": AbsoluteValue(n_train=20),
            "axes": {"scheme": list(schemes), "width": [2, 4]},
            "depth": 3,
            "optimizer": Adam(learning_rate=0.01),
            "max_steps": 10,
            "tolerance": 1e-3,
            "replicates": 256,
        }
        | changes
    )


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("shape", r"must draw finite weights of shape \(2, 2, 1\) for layer 1 of 3, got shape"),
        ("nan in the last layer", "layer 3 of 3, got 1 of 4 that are NaN or infinite"),
        ("raises", r"can't draw a network of layers \(1, 2, 2, 1\): ZeroDivisionError: division"),
        ("own numbers", "draws other networks each time, from the same random stream"),
        ("alike", "draws all networks alike, and nothing in their training is random"),
    ],
)
def test_a_scheme_that_draws_wrongly_is_found_once(fault, message):
    assert drawing_problems(study(Users()).cells()) == []
    [problem] = drawing_problems(study(Users(), Users(fault), He()).cells())
    assert re.search(message, problem)
    inside = SignFlipped(Users(fault))  # ours, around one of the user's
    [problem] = drawing_problems(study(inside).cells())
    assert re.search(message, problem)


def test_networks_that_begin_alike_may_part_by_their_minibatches():
    assert drawing_problems(study(Users("alike"), batch_size=5).cells()) == []
    both = {"batch_size": [5, None], "scheme": [Users("alike")]}
    [problem] = drawing_problems(study(axes=both, width=2).cells())
    assert "alike" in problem


def test_two_networks_that_are_alike_by_chance_are_no_reason():
    """Of networks of width 1 with signs for weights, every fourth is like another one."""
    for seed in range(40):
        signs = study(Users("signs"), axes={"scheme": [Users("signs")], "width": [1]}, depth=2)
        assert drawing_problems(dataclasses.replace(signs, seed=seed).cells()) == []


def test_networks_too_large_to_draw_twice_are_not_looked_at(monkeypatch):
    cells = study(Users("raises")).cells()
    monkeypatch.setattr(drawing, "_MOST_NUMBERS", 4 * 13 - 1)
    assert drawing_problems(cells) == []  # the smallest has 13 weights and biases
    monkeypatch.setattr(drawing, "_MOST_NUMBERS", 4 * 13)
    assert len(drawing_problems(cells)) == 1


def test_it_is_refused_before_anything_is_written_and_what_is_stored_is_read(tmp_path):
    wrong = study(Users("shape"), Users())
    with pytest.raises(InputError, match=r"must draw finite weights of shape \(2, 2, 1\)"):
        run(wrong, tmp_path / "results", progress=False)
    assert not list(tmp_path.iterdir())
    for cell in wrong.cells():
        store(Storage(tmp_path), "users", cell, [0])
    assert len(load(wrong, tmp_path).rows) == 4 * 256
    searched = Tuning(
        name="wrong",
        question="Is it?",
        task=wrong.task,
        scheme=Users("nan in the last layer"),
        optimizer=wrong.optimizer,
        vary={"optimizer.learning_rate": Range(0.01, 1.0, log=True)},
        objective=SuccessRate(width=3),
        max_steps=10,
        tolerance=1e-3,
    )
    with pytest.raises(InputError, match="NaN or infinite"):
        tune(searched, tmp_path / "tuned", progress=False)
    assert not (tmp_path / "tuned").exists()


def test_whatever_more_networks_raise_is_told():
    [problem] = drawing_problems(study(Users("raises for many")).cells())
    assert "ValueError: many" in problem
