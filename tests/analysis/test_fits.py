import numpy as np
import pandas as pd
import pytest

from trainability.analysis.fits import effective_activity
from trainability.errors import InputError


def rates_of(width: list[int], successes: list[int], n: int, need: int = 2) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "scheme": "UnitSphere()",
            "depth": 2,
            "width": width,
            "need": need,
            "n": n,
            "successes": successes,
        }
    )


def test_one_cell_of_width_two_gives_the_square_root():
    fit = effective_activity(rates_of([2], [355], 1000)).iloc[0]
    # 1e-6: fminbound's tolerance is 1e-9 in logit q, q' <= 1/4, and the optimum is flat.
    assert fit["q"] == pytest.approx(0.355**0.5, abs=1e-6)
    assert fit["q_low"] < fit["q"] < fit["q_high"]
    assert fit["degrees_of_freedom"] == 0 and np.isnan(fit["p_value"])


def test_the_limits_stay_inside_the_unit_interval_at_the_ends():
    none = effective_activity(rates_of([2, 4], [0, 0], 100)).iloc[0]
    assert none["q"] == none["q_low"] == 0 < none["q_high"] < 0.1
    always = effective_activity(rates_of([2, 4], [100, 100], 100)).iloc[0]
    assert always["q"] == always["q_high"] == 1 > always["q_low"] > 0.9


def test_deep_cells_are_refused():
    with pytest.raises(InputError, match="shallow networks; select the cells of depth 2"):
        effective_activity(rates_of([2], [1], 10).assign(depth=3))
