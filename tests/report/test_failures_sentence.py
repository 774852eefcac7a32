"""Why networks fail: of how many the sentence speaks."""

from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from trainability.findings.study import Findings
from trainability.report.sentences import failures_sentence


def said(n_failed: int, n_trainable_failed: int, has_bound: bool) -> str:
    rates = pd.DataFrame({"n": [2048], "successes": [2048 - n_failed]})
    failures = pd.DataFrame(
        {"reason": ["diverged", "lost neurons"], "count": [n_trainable_failed, 0]}
    )
    findings = SimpleNamespace(rates=rates, failures=failures, has_bound=has_bound)
    return failures_sentence(cast("Findings", findings))


@pytest.mark.parametrize("has_bound", [False, True])
def test_only_those_that_were_trainable_are_called_so(has_bound):
    """Of copies of a module theory bounds nothing, and yet some of them are untrainable."""
    sentence = said(1309, 966, has_bound)
    assert sentence == (
        "Of 966 networks that failed although they were trainable at birth, 100 % diverged."
    )
    one = said(2, 1, has_bound)
    assert one.startswith("Of the one network that failed although it was trainable at birth, ")


def test_where_every_network_that_failed_was_trainable_nothing_is_said_of_it():
    assert said(966, 966, False) == "Of 966 networks that failed, 100 % diverged."
    assert said(966, 966, True).startswith("Of 966 networks that failed although they were train")
    assert said(343, 0, False) == ""
