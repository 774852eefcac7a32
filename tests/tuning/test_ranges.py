"""Ranges: places and values are inverse, and proposed values can be typed."""

import numpy as np
import pytest

from trainability.errors import InputError
from trainability.tuning import Range


@pytest.mark.parametrize("values", [Range(0.013, 8.1, log=True), Range(-3.0, 5.5)])
def test_at_is_the_inverse_of_place_up_to_three_digits(values):
    for share in np.linspace(0, 1, 37):
        value = values.at(share)
        assert values.low <= value <= values.high
        assert value in (values.low, values.high) or value == float(f"{value:.2e}")
        # Rounding to three digits moves a value by half a unit of the third, at most .5 %.
        assert values.at(values.place(value)) == value
        exact = values.low + share * (values.high - values.low)
        if values.log:
            exact = values.low * (values.high / values.low) ** share
        assert value == pytest.approx(exact, rel=5.1e-3)


@pytest.mark.parametrize(
    ("values", "least"),
    [
        (Range(0.99, 0.99999), 990),
        (Range(0.9999, 0.99999, log=True), 890),
        (Range(1e6, 1e6 + 1), 100),
        (Range(-7.02, -7.01), 1000),
        (Range(0.9, 0.999), 900),
    ],
)
def test_a_narrow_range_far_from_0_offers_values_all_along(values, least):
    offered = sorted({values.at(share) for share in np.linspace(0, 1, 20_001)})
    assert len(offered) > least
    gaps = np.diff([values.place(value) for value in offered])
    # A hundredth of the span, and what rounding of the places adds.
    assert gaps.max() <= 0.01 * 1.001
    assert all(values.at(values.place(value)) == value for value in offered)


def test_a_range_that_float32_does_not_hold_is_refused():
    with pytest.raises(InputError, match="2 problems"):
        Range(-1.5e308, 1.5e308)


def test_ends_are_kept_and_what_lies_outside_is_clipped():
    values = Range(0.01234567, 1.0, log=True)
    assert values.at(0.0) == 0.01234567
    assert values.at(-0.5) == 0.01234567
    assert values.at(1.5) == 1.0


def test_a_range_refuses_all_that_is_wrong_at_once():
    with pytest.raises(InputError, match="low must be a finite number > 0, got 0"):
        Range(0, 1, log=True)
    with pytest.raises(InputError, match="low must be below high, got 2 and 1"):
        Range(2, 1)
    with pytest.raises(InputError, match="2 problems") as error:
        Range("a", float("inf"))  # type: ignore[arg-type]
    assert "Range high must be a finite number" in str(error.value)


@pytest.mark.parametrize(
    "values", [Range(0.01236, 8.12345, log=True), Range(-3.33333, 5.55555), Range(0.0123, 0.98745)]
)
def test_both_ends_are_offered_whatever_their_digits(values):
    assert (values.at(0.0), values.at(1.0)) == (values.low, values.high)
    assert (values.grid(11)[0], values.grid(11)[-1]) == (values.low, values.high)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (Range(0.1, 0.5, step=0.1), [0.1, 0.2, 0.3, 0.4, 0.5]),
        (Range(-1, 1, step=0.5), [-1.0, -0.5, 0.0, 0.5, 1.0]),
        (Range(0.9, 0.99, step=0.03), [0.9, 0.93, 0.96, 0.99]),
    ],
)
def test_steps_are_all_that_is_offered(values, wanted):
    offered = [values.at(share) for share in np.linspace(0, 1, 5001)]
    assert sorted(set(offered)) == wanted == values.grid(100)
    assert [values.at(values.place(value)) for value in wanted] == wanted
    assert all(values.holds(value) for value in wanted)
    assert not values.holds(wanted[0] + values.step / 3)


def test_one_number_is_one_however_it_is_written():
    assert Range(1, 2) == Range(1.0, np.float64(2)) == Range(np.int64(1), 2, step=None)
    assert Range(0, 1).low == 0.0 and str(Range(-0.0, 1)) == "Range(low=0.0, high=1.0)"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Range(1, 1), "low must be below high, got 1 and 1: one value does not vary"),
        (lambda: Range(1, 1.0), "one value does not vary"),
        (lambda: Range(2, 1), r"wanted Range\(1, 2\)\?"),
        (lambda: Range(float("nan"), 1), "low must be a finite number, got nan"),
        (lambda: Range(0, float("inf")), "high must be a finite number, got inf"),
        (lambda: Range(-1, 1, log=True), "low must be a finite number > 0, got -1: log=True takes"),
        (lambda: Range(-0.0, 1, log=True), r"low must be a finite number > 0, got -0\.0"),
        (lambda: Range(0, 1, step=0), "step must be a finite number > 0, got 0"),
        (lambda: Range(0, 1, step=0.3), "high must be low plus a multiple of step.*end it at 0.9"),
        (lambda: Range(0.1, 1, log=True, step=0.1), "no steps where log is True"),
        (lambda: Range(0, 1, log=1), "log must be True or False, got 1"),
        (lambda: Range(True, 2), "low must be a finite number, got True"),
        (lambda: Range(0, 10**400), "high must be a finite number"),
    ],
)
def test_what_is_wrong_with_a_range_is_said(make, message):
    with pytest.raises(InputError, match=message):
        make()
