"""Ids, random streams, first weights and minibatch orders are those of the first release."""

import json

import numpy as np
import pytest
from golden_values import FILE, cells, orders, value_of

GOLDEN = json.loads(FILE.read_text())
CELLS = list(cells())
ROUNDED = {"first_weights", "last_bias", "absolute_sums"}
LINEAR_ALGEBRA = ("Orthogonal", "RotatedAbsoluteValues", "DataDependent", "UnitSphere")
"""Their last bits are those of a library: LAPACK's, or NumPy's sums."""


def test_no_golden_cell_is_left_out():
    assert len(CELLS) == len(GOLDEN["cells"]) > 60
    assert len({entry["id"] for entry in GOLDEN["cells"]}) > 50


@pytest.mark.parametrize("place", range(len(CELLS)))
def test_what_identifies_a_cell_and_its_first_networks_never_change(place):
    golden, now = GOLDEN["cells"][place], value_of(CELLS[place])
    exact = set(golden) - ROUNDED
    if any(name in golden["cell"] for name in LINEAR_ALGEBRA):
        exact -= {"parameters"}
    assert {key: now[key] for key in exact} == {key: golden[key] for key in exact}
    for key in ROUNDED:
        np.testing.assert_allclose(now[key], golden[key], rtol=1e-6, atol=1e-7)


def test_minibatch_orders_never_change():
    assert list(orders()) == GOLDEN["orders"]
