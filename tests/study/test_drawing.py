"""What schemes of users draw wrongly is refused with the study, before anything is trained."""

from dataclasses import dataclass

import numpy as np
import pytest

from trainability import Adam, Study
from trainability.errors import StudyError
from trainability.schemes import He, Scheme, SignFlipped
from trainability.tasks import AbsoluteValue


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
            case "alike":
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
def test_a_scheme_that_draws_wrongly_is_refused_once(fault, message):
    assert study(Users()).cells()
    with pytest.raises(StudyError, match=message) as refused:
        study(Users(), Users(fault), He())
    assert str(refused.value).count("Users(fault=") == 1
    with pytest.raises(StudyError, match=message):
        study(SignFlipped(Users(fault)))  # ours, around one of the user's


def test_networks_that_begin_alike_may_part_by_their_minibatches():
    assert study(Users("alike"), batch_size=5).cells()
    with pytest.raises(StudyError, match="alike"):
        study(Users("alike"), axes={"batch_size": [5, None], "scheme": [Users("alike")]}, width=2)


def test_networks_too_large_to_draw_twice_are_not_looked_at(monkeypatch):
    monkeypatch.setattr("trainability.study.drawing._MOST_NUMBERS", 4 * 13 - 1)
    assert study(Users("raises")).cells()  # the smallest has 13 weights and biases
    monkeypatch.setattr("trainability.study.drawing._MOST_NUMBERS", 4 * 13)
    with pytest.raises(StudyError, match="ZeroDivisionError"):
        study(Users("raises"))
