"""Choices: values between which nothing lies, each told apart from all others."""

import numpy as np
import pytest

from trainability.activations import LeakyReLU, ReLU
from trainability.errors import InputError
from trainability.optimizers import Adam
from trainability.penalties import L2
from trainability.tuning import Choice

ALL = [
    Choice([ReLU(), LeakyReLU(0.1)]),
    Choice([None, L2(1e-4), L2(1e-3)]),
    Choice(["normal", "uniform"]),
    Choice([True, False]),
    Choice([0.1, 3, 7]),
    Choice([(8, 4), 8, (4, 4)]),
    Choice(range(2, 9)),
]


@pytest.mark.parametrize("choice", ALL, ids=str)
def test_every_value_is_offered_alike_and_found_again(choice):
    offered = [choice.at(share) for share in np.linspace(0, 1, 210 * 12, endpoint=False)]
    counts = [sum(value == other for other in offered) for value in choice.values]
    assert max(counts) - min(counts) <= 1
    for value in choice.values:
        assert choice.at(choice.place(value)) == value
        assert choice.holds(value)
        assert choice.from_data(choice.to_data(value)) == value
    assert not choice.holds("nothing of it")
    assert len({choice.text(value) for value in choice.values}) == len(choice.values)


def test_lists_are_tuples_and_numpy_numbers_are_numbers():
    choice = Choice([[8, 4], np.int64(8)])
    assert choice.values == ((8, 4), 8)
    assert type(choice.values[1]) is int
    assert choice.holds([8, 4])
    assert hash(choice) == hash(Choice([(8, 4), 8]))


@pytest.mark.parametrize("data", [2, -1, True, 0.0, "0", None])
def test_a_record_of_no_value_is_refused(data):
    with pytest.raises(ValueError, match="no number of a value"):
        Choice(["a", "b"]).from_data(data)


class Rough:
    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([ReLU()], "a list of two or more values, 1,000 at most"),
        ([], "a list of two or more values"),
        ("abc", "a list of two or more values"),
        (ReLU(), "a list of two or more values"),
        ({"a": 1, "b": 2}, "a list of two or more values"),
        (range(10**30), "a list of two or more values"),
        ([1, 1.0], r"holds a value twice: 1\.0"),
        ([1, True], "holds a value twice: True"),
        ([0.0, -0.0], r"holds a value twice: -0\.0"),
        ([Adam(1), Adam(1.0)], "holds a value twice: Adam"),
        ([(8, 4), [8, 4]], r"holds a value twice: \(8, 4\)"),
        ([1, "1"], "different values that are written alike, 1"),
        ([None, "none"], "different values that are written alike, none"),
        ([0.1, 0.1 + 1e-9], "different values that are written alike, 0.1"),
        ([0.1, float("nan")], "must be finite, got nan"),
        ([0.1, float("inf")], "must be finite, got inf"),
        ([ReLU(), Rough()], "must be data that can be compared and written"),
        ([np.zeros(3), np.ones(3)], "must be data that can be compared and written"),
    ],
)
def test_what_is_wrong_is_said(values, message):
    with pytest.raises(InputError, match=message):
        Choice(values)
