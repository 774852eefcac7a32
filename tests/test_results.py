"""What a valid table of rows is."""

import dataclasses

import numpy as np
import pytest

from trainability.results import SCHEMA, table_of, validate
from trainability.study import Study
from trainability.trial import Runtime, run_trial


@pytest.fixture(scope="module")
def rows(tiny_study: Study):
    study = dataclasses.replace(
        tiny_study, axes={"width": [4]}, scheme=tiny_study.axes["scheme"][1]
    )
    return run_trial(study.name, study.cells()[0], [0], Runtime())[0]


def test_the_rows_of_a_trial_are_valid(rows):
    validate(rows)
    assert table_of(rows).schema.names == SCHEMA.names


def test_a_loss_equal_to_the_tolerance_in_float32_is_a_success(rows):
    """.01 in float32 is below .01, .001 is above: engines compare in float32."""
    for tolerance in (1e-2, 1e-3):
        changed = rows.assign(tolerance=tolerance, final_loss=np.float32(tolerance), success=True)
        changed["final_loss"] = changed["final_loss"].astype("float32")
        validate(changed)


def test_what_is_above_the_tolerance_did_not_succeed(rows):
    above = np.nextafter(np.float32(1e-3), np.float32(1))
    changed = rows.assign(tolerance=1e-3, final_loss=above, success=True)
    changed["final_loss"] = changed["final_loss"].astype("float32")
    with pytest.raises(AssertionError, match="success above tolerance"):
        validate(changed)
