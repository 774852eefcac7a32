"""Names of MLflow runs and keys of metrics: short, apart, and such as MLflow allows."""

import dataclasses

import pytest
from mlflow.utils.validation import _validate_metric_name

from trainability import SGD, Adam
from trainability.schemes import He, UnitSphere
from trainability.tracking.naming import Names


def names_of(study, **axes):
    study = dataclasses.replace(study, axes=axes, depth=None)
    names = Names(study)
    return names, study.cells()


def test_a_name_begins_with_the_width_so_that_by_name_is_by_width(tiny_study):
    names, cells = names_of(tiny_study, scheme=[UnitSphere(), He(bias_std=1.0)], width=[2, 16])
    texts = ["w02 UnitSphere", "w16 UnitSphere", "w02 He(bias_std=1)", "w16 He(bias_std=1)"]
    assert [names.run(cell) for cell in cells] == texts
    names, cells = names_of(tiny_study, scheme=[He()], width=[2, 128])
    assert [names.run(cell) for cell in cells] == ["w002 He", "w128 He"]


def test_a_network_of_several_widths_says_them_all(tiny_study):
    names, [cell] = names_of(tiny_study, scheme=[He()], width=[(8, 4)])
    assert names.run(cell) == "w8-4 He"


def test_a_series_says_what_else_tells_cells_apart(tiny_study):
    names, cells = names_of(
        tiny_study,
        scheme=[He()],
        width=[2],
        depth=[3, 4],
        optimizer=[Adam(learning_rate=0.1), SGD(learning_rate=0.1)],
    )
    series = [names.series(cell) for cell in cells]
    assert series[0] == "He, depth 3, Adam"
    assert len(set(series)) == 4


def test_a_cell_that_was_not_declared_says_in_what_it_differs(tiny_study):
    """As a candidate of a tuning does."""
    names, [cell] = names_of(tiny_study, scheme=[He()], width=[2])
    other = dataclasses.replace(cell, optimizer=Adam(learning_rate=0.5))
    assert names.run(other) == "w02 He, Adam(learning_rate=0.5)"
    assert names.key(other) is None and names.key(cell) == "He"


@pytest.mark.parametrize(
    "schemes",
    [
        [He(bias_std=1.0), He(bias_std=0.5)],
        [He(bias_std=1.00000001), He(bias_std=1.0)],
        [UnitSphere()],
    ],
)
def test_keys_are_apart_and_mlflow_takes_them(tiny_study, schemes):
    names, _ = names_of(tiny_study, scheme=schemes, width=[2])
    assert len(set(names.keys)) == len(schemes)
    for key in names.keys:
        _validate_metric_name(f"success_rate_high/{key}")


def test_keys_that_mlflow_would_write_alike_or_too_long_get_digits():
    from trainability.tracking.naming import _distinct_keys

    series = ["A(x=1)", "A(x,1)", "b" * 400, "b" * 401]
    keys = _distinct_keys(series)
    assert len(set(keys.values())) == 4 and max(map(len, keys.values())) < 200
    assert list(keys) == series
