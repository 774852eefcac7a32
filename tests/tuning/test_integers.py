"""Integers: every value has its part of the way, ends and steps included."""

import numpy as np
import pytest

from trainability.errors import InputError
from trainability.tuning import Integers

ALL = [
    Integers(2, 8),
    Integers(-3, 4),
    Integers(1, 64, log=True),
    Integers(2, 64, log=True),
    Integers(2, 20, step=3),
    Integers(0, 1),
]


@pytest.mark.parametrize("values", ALL, ids=str)
def test_every_value_is_offered_and_has_its_place(values):
    wanted = list(range(values.low, values.high + 1, values.step))
    offered = [values.at(share) for share in np.linspace(0, 1, 20_001)]
    assert sorted(set(offered)) == wanted
    assert offered == sorted(offered)
    assert all(type(value) is int for value in offered)
    assert [values.at(values.place(value)) for value in wanted] == wanted
    assert all(0 <= values.place(value) <= 1 for value in wanted)
    assert values.grid(10**6) == wanted


def test_values_have_equal_parts_or_parts_of_equal_ratios():
    shares = np.linspace(0, 1, 100_000, endpoint=False)
    counts = np.bincount([Integers(2, 8).at(share) for share in shares])[2:]
    assert counts.max() - counts.min() <= 1
    counts = np.bincount([Integers(1, 4, log=True).at(share) for share in shares])[1:]
    # The part of k reaches from log(k - 1/2) to log(k + 1/2), of log(4.5) - log(0.5) = log 9.
    parts = np.log([3, 5 / 3, 7 / 5, 9 / 7]) / np.log(9)
    np.testing.assert_allclose(counts / len(shares), parts, atol=2e-5)


def test_beyond_the_ends_are_the_ends():
    assert [Integers(2, 8).at(share) for share in (-1, 0, 1, 2)] == [2, 2, 8, 8]


def test_a_coarse_grid_keeps_its_ends():
    for values in (Integers(1, 1000), Integers(1, 1000, log=True), Integers(0, 900, step=3)):
        grid = values.grid(41)
        assert (grid[0], grid[-1]) == (values.low, values.high)
        assert 20 < len(grid) <= 41
        assert all(values.holds(value) for value in grid)


@pytest.mark.parametrize("value", [8.0, True, "3", None, 3, 22, 1, np.float64(2)])
def test_what_is_not_one_of_its_values(value):
    assert not Integers(2, 20, step=3).holds(value) or value in (2, 5)


def test_numpy_numbers_are_numbers():
    values = Integers(np.int64(2), np.int32(20), step=np.int16(3))
    assert values == Integers(2, 20, step=3)
    assert type(values.low) is int
    assert values.holds(np.int64(5))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Integers(2, 2), "low must be below high, got 2 and 2: one value does not vary"),
        (lambda: Integers(8, 2), r"got 8 and 2; wanted Integers\(2, 8\)\?"),
        (lambda: Integers(0, 8, log=True), "low must be an int >= 1, got 0: log=True takes"),
        (lambda: Integers(-2, 8, log=True), "low must be an int >= 1, got -2"),
        (lambda: Integers(2.0, 8), "low must be an int >= .*, got 2.0"),
        (lambda: Integers(True, 8), "low must be an int >= .*, got True"),
        (lambda: Integers(2, float("nan")), "high must be an int >= .*, got nan"),
        (lambda: Integers(2, float("inf")), "high must be an int >= .*, got inf"),
        (lambda: Integers(2, 10**400), "high must be an int from"),
        (lambda: Integers(2, 8, step=0), "step must be an int >= 1, got 0"),
        (lambda: Integers(2, 8, step=4), "high must be low plus a multiple of step.*end it at 6"),
        (lambda: Integers(2, 8, step=40), "a step of at most 6"),
        (lambda: Integers(2, 8, log=True, step=2), "no steps where log is True"),
        (lambda: Integers(2, 8, log="yes"), "log must be True or False, got 'yes'"),
    ],
)
def test_what_is_wrong_is_said(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(InputError, match="4 problems"):
        Integers("a", None, log=2, step=-1)  # type: ignore[arg-type]
