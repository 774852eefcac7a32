"""Values: what is refused, how it is shown, and that one number is one cell."""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import pytest

from trainability import Adam, Study
from trainability.checks import (
    LARGEST_INT,
    int_problem,
    name_problem,
    number_problem,
    shown,
    text_problem,
)
from trainability.domains import Box
from trainability.errors import StudyError
from trainability.schemes import He, Scheme
from trainability.study.records import to_record
from trainability.tasks import AbsoluteValue, BrokenAbsoluteValue, Function, best_loss
from trainability.theory.laws import Gaussian


@dataclass(frozen=True)
class Scaled(Scheme):
    """A scheme of a user's that checks nothing."""

    scale: float = 0.5
    n: int = 1
    extra: object = None

    def draw(self, layer, rng):
        return He().draw(layer, rng)

    def law(self, fan_in, fan_out):
        return Gaussian(self.scale, self.scale)


def a_study(**changes):
    settings = dict(
        name="tiny",
        question="Is it small?",
        task=AbsoluteValue(n_train=16),
        axes={"width": [2]},
        scheme=He(),
        optimizer=Adam(learning_rate=1.0),
        max_steps=20,
        tolerance=1e-3,
        replicates=256,
    )
    return Study(**(settings | changes))


def the_cell(**changes):
    return a_study(**changes).cells()[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"optimizer": Adam(learning_rate=1)}, {"optimizer": Adam(learning_rate=1.0)}),
        (
            {"optimizer": Adam(learning_rate=np.float64(0.5))},
            {"optimizer": Adam(learning_rate=0.5)},
        ),
        (
            {"optimizer": Adam(learning_rate=0.5, beta1=-0.0)},
            {"optimizer": Adam(learning_rate=0.5, beta1=0)},
        ),
        ({"scheme": He(bias_std=1)}, {"scheme": He(bias_std=1.0)}),
        ({"scheme": He(bias_std=np.float32(0.5))}, {"scheme": He(bias_std=0.5)}),
        ({"scheme": Scaled(scale=2)}, {"scheme": Scaled(scale=2.0)}),
        ({"scheme": Scaled(scale=-0.0)}, {"scheme": Scaled(scale=0.0)}),
        ({"scheme": Scaled(n=np.int64(3))}, {"scheme": Scaled(n=3)}),
        ({"axes": {"width": np.arange(2, 3).tolist()}}, {"axes": {"width": [np.int64(2)]}}),
        ({"max_steps": np.int32(20), "seed": np.int8(3)}, {"seed": 3}),
    ],
)
def test_one_number_is_one_cell(one, other):
    one, other = the_cell(**one), the_cell(**other)
    assert one.id == other.id
    assert one.columns() == other.columns()
    assert one.stream_identity == other.stream_identity


def test_an_int_that_is_declared_int_stays_one():
    assert to_record(Scaled(scale=1, n=1)) == {
        "type": "Scaled",
        "scale": 1.0,
        "n": 1,
        "extra": None,
    }
    assert str(Scaled(scale=1, n=2)) == "Scaled(scale=1.0, n=2)"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 2**63}, "seed must be an int from 0 to 9,223,372,036,854,775,807, got 9223"),
        ({"seed": 10**5000}, r"seed must be an int .*, got an int of 16,610 bits"),
        ({"replicates": 10**12}, "replicates must be an int from 1 to 256,000,000"),
        ({"max_steps": 10**10}, "max_steps must be an int from 1 to 1,000,000,000"),
        ({"width": 10**7, "axes": {}}, "width must be an int from 1 to 1,000,000"),
        ({"depth": 10**5}, "depth must be an int from 2 to 10,000"),
        ({"axes": {"width": range(1, 10**9)}}, "at most 100,000 cells, got 999,999,999"),
        ({"axes": {"width": range(1, 10**30)}}, "at most 100,000 cells"),
        ({"width": 10**5, "depth": 5, "axes": {}}, "at most 33,554,432 weights and biases"),
        (
            {"axes": {"width": list(range(1, 101))}, "replicates": 256 * 10**6},
            "at most 2,560,000,000 networks, got 100 cells of 256,000,000",
        ),
        ({"tolerance": 10**400}, "tolerance must be a finite number > 0, got 1000"),
        ({"tolerance": 1e-50}, "tolerance must be a finite number > 0 that float32 holds"),
        ({"tolerance": math.nan}, "tolerance must be a finite number > 0, got nan"),
        ({"name": "x" * 300}, "name must have at most 200 characters"),
        ({"name": "con"}, "none of Windows' own names"),
        ({"name": "a\n"}, "name must be lower-case letters"),
        ({"question": "\ud800"}, "question must hold no control characters"),
        ({"question": "x" * 10**6}, "question must have at most 4,000 characters"),
        ({"scheme": Scaled(scale=math.inf)}, "Scaled scale must be finite, got inf"),
        ({"scheme": Scaled(scale=True)}, "Scaled scale must be a number, got True"),
        ({"scheme": Scaled(extra=np.zeros(3))}, "Scaled extra must be data"),
        ({"scheme": Scaled(n=10**400)}, "Scaled n must be an int from"),
        ({"axes": {"tolerance": [1e-3, 0.001]}, "width": 2}, "tolerance holds a value twice"),
        ({"axes": {3: [1]}}, "unknown axis 3"),
    ],
)
def test_what_rows_streams_and_memory_can_not_hold_is_refused(changes, message):
    with pytest.raises(StudyError, match=message):
        a_study(**changes)


def test_values_that_a_table_could_not_tell_apart_are_refused():
    tasks = [
        Function("f", function, Box(1, 1.0), n_train=9)
        for function in (lambda x: x[:, 0], lambda x: x[:, 0] ** 2)
    ]
    with pytest.raises(StudyError, match="axis task has different values that are written alike"):
        a_study(axes={"task": tasks}, width=2, tolerance=1e-9)


def test_a_scheme_that_is_no_dataclass_is_refused():
    class Bare(Scheme):
        def draw(self, layer, rng):
            raise NotImplementedError

    with pytest.raises(StudyError, match="scheme must be a frozen dataclass"):
        a_study(scheme=Bare())


def test_the_largest_seed_is_a_seed():
    assert the_cell(seed=LARGEST_INT).columns()["seed"] == LARGEST_INT


class Mute:
    def __repr__(self):
        raise RuntimeError("no repr")


def test_a_message_shows_any_value_in_a_line():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    for value in (
        Mute(),
        [Mute()],
        10**10_000,
        "x" * 10**6,
        nested,
        list(range(10**5)),
        b"x" * 999,
    ):
        text = shown(value)
        assert 0 < len(text) <= 200
        assert "\n" not in text
    assert shown("a") == "'a'"
    assert shown(He(bias_std=0.5)) == "He(distribution='normal', bias_std=0.5)"


def test_checks_give_no_problem_or_one():
    assert int_problem("n", 3, 1) == number_problem("He", "b", 0.5, above=0) == []
    assert name_problem("name", "a-b_3") == text_problem("question", "Is it $x$?", "'a'") == []
    for value in (None, "3", 3.0, True, 0, 2**63, np.bool_(True), Mute()):
        assert len(int_problem("n", value, 1)) == 1
    for value in (None, "3", True, math.nan, 1e38, 1e-38, 10**400, 1j, Mute()):
        assert len(number_problem("He", "b", value, above=0)) == 1


def test_the_bound_on_many_points_is_below_the_exact_one_and_near_it():
    task = BrokenAbsoluteValue(n_train=512)
    exact = task.best_loss_below_need()
    more = BrokenAbsoluteValue(n_train=600)
    assert 0.8 * exact < more.best_loss_below_need() < 1.05 * exact
    with pytest.raises(StudyError, match="at most 5,000 points of one input, got 5,001"):
        a_study(task=dataclasses.replace(task, n_train=5001))
    x = np.linspace(-1, 1, 600)[:, None]
    assert best_loss(x, np.maximum(x, 0) - np.maximum(x - 0.5, 0), 2) < 1e-9
