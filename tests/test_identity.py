"""What is younger than the first release changes no id and no stream while it is at its default."""

import dataclasses
from dataclasses import dataclass

import example_cells
import numpy as np
import pytest

from trainability import Adam, Study, Tuning
from trainability.columns import VERSION
from trainability.identity import left_out, younger
from trainability.schemes import He, SignFlipped
from trainability.study import Cell
from trainability.study.records import from_record, strategy_types, to_record
from trainability.tasks import AbsoluteValue
from trainability.trial import draw


@dataclass(frozen=True)
class Plain(He):
    """A scheme, as it was."""


@dataclass(frozen=True)
class PlainAdam(Adam):
    """An optimizer, as it was."""


def a_younger(name, base):
    """A class of the same name, with a setting that the first release did not have."""
    return dataclass(frozen=True)(
        type(name, (base,), {"__annotations__": {"truncated": bool},
                             "truncated": younger(False, since=1)})
    )  # fmt: skip


YoungerScheme = a_younger("Plain", He)
YoungerAdam = a_younger("PlainAdam", Adam)


@dataclass(frozen=True, kw_only=True)
class YoungerCell(Cell):
    """A cell, with an axis that the first release did not have."""

    weather: object = younger("fair", since=1)


def a_cell(kind=Cell, **changes):
    return example_cells.a_cell(kind, **({"scheme": Plain()} | changes))


@pytest.mark.parametrize(
    ("old", "new", "other"),
    [
        ({}, {"scheme": YoungerScheme()}, {"scheme": YoungerScheme(truncated=True)}),
        (
            {"scheme": SignFlipped(Plain())},
            {"scheme": SignFlipped(YoungerScheme())},
            {"scheme": SignFlipped(YoungerScheme(truncated=True))},
        ),
        (
            {"optimizer": PlainAdam(learning_rate=0.01)},
            {"optimizer": YoungerAdam(learning_rate=0.01)},
            {"optimizer": YoungerAdam(learning_rate=0.01, truncated=True)},
        ),
        ({}, {"kind": YoungerCell}, {"kind": YoungerCell, "weather": "foul"}),
    ],
    ids=["scheme", "scheme within a scheme", "optimizer", "axis"],
)
def test_a_younger_setting_at_its_default_changes_nothing(old, new, other):
    old, new, other = a_cell(**old), a_cell(**new), a_cell(**other)
    assert (new.id, new.initialization, new.stream_identity) == (
        old.id, old.initialization, old.stream_identity)  # fmt: skip
    for a, b in zip(draw(new, [0]).weights, draw(old, [0]).weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert new.columns() == old.columns()
    assert other.id != old.id


def test_a_younger_setting_of_the_scheme_keys_its_streams():
    scheme = YoungerScheme(truncated=True)
    assert a_cell(scheme=scheme).stream_identity != a_cell().stream_identity
    assert str(scheme) == "Plain(truncated=True)" and str(YoungerScheme()) == "Plain()"


def test_a_declaration_says_a_younger_setting_only_where_it_is_not_at_its_default():
    """So that what was declared before there was such a setting reads as it did."""
    assert "truncated" not in to_record(YoungerScheme())
    assert to_record(YoungerScheme(truncated=True))["truncated"] is True
    assert from_record(to_record(He())) == He()


def test_what_was_there_from_the_beginning_is_never_left_out():
    for value, names in (
        (He(), {"distribution", "bias_std"}),
        (Adam(learning_rate=0.1), {"learning_rate", "beta1", "beta2", "epsilon"}),
        (AbsoluteValue(), {"n_train"}),
        (a_cell(), {"scheme", "width", "batch_size", "seed", "paired_over"}),
    ):
        assert not names & left_out(value)


def test_a_setting_that_is_younger_than_nothing_is_our_own_mistake():
    with pytest.raises(AssertionError, match="without a version"):
        younger(1, since=0)
    assert dataclasses.fields(YoungerScheme)[-1].default is False


def test_no_setting_is_of_a_version_that_no_file_has():
    ours = [kind for kind in strategy_types().values() if kind.__module__.startswith("train")]
    fields = [
        field for kind in [*ours, Study, Cell, Tuning] if dataclasses.is_dataclass(kind)
        for field in dataclasses.fields(kind)
    ]  # fmt: skip
    versions = {field.metadata.get("since", 0) for field in fields}
    assert {0, 1, 2, 3} <= versions and max(versions) <= VERSION
