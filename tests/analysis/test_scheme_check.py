"""Schemes against theory: tested for equality where theory is exact, one-sided where it bounds."""

import pytest

from trainability.analysis.scheme_check import check_scheme
from trainability.domains import Ball, Box, Points
from trainability.schemes import He, SignFlipped

LINE, PLANE, DATA = Box(1, 1.0), Ball(2, 1.0), Points([[0.3, 1.0], [-1.0, 0.2], [0.5, -0.5]])


@pytest.mark.parametrize("domain", [LINE, PLANE, DATA], ids=str)
@pytest.mark.parametrize("scheme", [He(bias_std=1.0), SignFlipped(He(bias_std=1.0))], ids=str)
def test_theory_is_a_bound_only_where_it_looks_at_too_few_points(scheme, domain):
    check = check_scheme(scheme, domain, 2, 3, 512)
    laws = [verdict.law for verdict in check.verdicts if verdict.law.startswith("Networks are")]
    is_bound = domain is PLANE
    most = "at most " if is_bound else ""
    assert laws == [f"Networks are born dead {most}as often as theory says."] and check.passed
    assert check.rates["born_dead_is_upper_bound"].tolist() == [is_bound]


def test_a_scheme_that_looks_at_data_is_held_against_theory_for_the_same_data():
    check = check_scheme(SignFlipped(He()), LINE, 1, 3, 2048)
    assert check.passed and check.rates["born_dead_method"].tolist() == ["sampling"]
