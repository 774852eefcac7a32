import pandas as pd
import pytest

from trainability.analysis.laws import untrainable_never_succeed, verdict_table


def networks(untrainable: int, trainable: int, exceptions: int = 0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "trainable": [False] * untrainable + [True] * trainable,
            "success": [True] * exceptions
            + [False] * (untrainable - exceptions)
            + [True] * trainable,
        }
    )


def test_no_exception_bounds_their_rate_by_the_rule_of_three():
    verdict = untrainable_never_succeed(networks(3000, 100))
    assert verdict.holds and verdict.n == 3000 and verdict.statistic == 0
    # 1 - 0.05^(1/3000) = 0.000998
    assert verdict.verdict == (
        "Holds: none of 3,000 untrainable networks succeeded; "
        "the rate of exceptions is below 0.001 (95 % confidence)."
    )


def test_one_exception_breaks_the_law():
    verdict = untrainable_never_succeed(networks(3000, 100, exceptions=1))
    assert not verdict.holds and verdict.p_value == 0
    assert verdict.verdict == "Broken: 1 of 3,000 untrainable networks succeeded."


def test_without_untrainable_networks_nothing_is_claimed():
    verdict = untrainable_never_succeed(networks(0, 10))
    assert verdict.verdict.startswith("Not tested") and verdict.n == 0


def test_verdicts_make_a_table():
    table = verdict_table([untrainable_never_succeed(networks(5, 5))])
    assert list(table.columns) == [
        "law",
        "verdict",
        "holds",
        "n",
        "statistic",
        "p_value",
        "false_alarm_rate",
    ]
    assert table.loc[0, "false_alarm_rate"] == pytest.approx(1e-6)
