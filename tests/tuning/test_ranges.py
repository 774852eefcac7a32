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
