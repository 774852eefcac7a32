"""Laws of every axis that the catalog finds; a new axis needs no line here."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from html_page import Page
from synthetic_rows import MADE

from trainability import Adam, Study, Tuning
from trainability.analysis.comparisons import INITIALIZATION
from trainability.analysis.rates import success_rates
from trainability.cli.cells import distinguished
from trainability.columns import COLUMNS, VERSION
from trainability.errors import StudyError
from trainability.findings.labels import short
from trainability.findings.places import axis_columns
from trainability.identity import left_out
from trainability.losses import BinaryCrossEntropy
from trainability.report import write_report
from trainability.results import SCHEMA, validate
from trainability.schemes import He
from trainability.storage import Storage
from trainability.study import Cell, Published
from trainability.study.axes import AXES, AXIS, Axes, Axis, axis_types
from trainability.study.changes import PARTS, further_axes, with_axes
from trainability.study.records import from_record, to_record
from trainability.tasks import AbsoluteValue, TwoMoons
from trainability.tracking.mirror import _params
from trainability.tracking.naming import Names
from trainability.trial import Runtime, draw, run_trial
from trainability.tuning import Choice, SuccessRate

NUMBERS = {"task": AbsoluteValue(n_train=16), "tolerance": 1e-3}
CLASSES = {"task": TwoMoons(n_train=21), "target_accuracy": 0.9, "loss": BinaryCrossEntropy()}
NAMES = [name for name, axis in AXIS.items() if len(axis.examples())]
YOUNGER = [name for name in NAMES if AXIS[name].since]
ALONE = [name for name in NAMES if name not in Axes.__annotations__]
"""Those that are files alone: no line of `Study` or of a report names them."""
TORCH = Runtime(engine="torch")  # which compiles nothing
ODD = [object(), "no value of any axis \N{SNOWMAN}", float("nan"), [], {"a": 1}, int]


def study(name: str = "", axes: dict[str, Any] | None = None, **more: Any) -> Study:
    """Of numbers, or of classes if only they may have the axis."""
    fixed = {
        "name": "all", "question": "What if?", "scheme": He(bias_std=1.0), "width": 4,
        "optimizer": Adam(0.02), "max_steps": 5, "replicates": 256, "axes": axes or {},
    }  # fmt: skip
    given = {*more, *fixed["axes"]}
    for kind in (NUMBERS, CLASSES):
        own = {key: value for key, value in kind.items() if key not in given}
        try:
            return Study(**fixed | own | more)
        except StudyError:
            if kind is CLASSES:
                raise
    raise AssertionError


def values_of(name: str) -> list[Any]:
    """Examples of an axis; with one alone, as of a switch, its default as well."""
    values = list(AXIS[name].examples())
    return values if len(values) > 1 else [AXIS[name].default, *values]


def over(name: str, with_default: bool = False) -> Study:
    """All examples of an axis."""
    values = values_of(name)
    first = [AXIS[name].default] if with_default and AXIS[name].since else []
    values = [*(value for value in first if value not in values), *values]
    declared = study(axes={name: values}, **({"tolerance": 1e-3} if None in first else {}))
    assert len(declared.cells()) == len(values)
    return declared


def a_tuning(vary: dict[str, Any], **more: Any) -> Tuning:
    """Of the same task."""
    own = {"width": 4} if "width" in vary else {}
    return Tuning(
        name="t", question="Which?", budget=4096, vary=vary, scheme=He(), optimizer=Adam(0.02),
        max_steps=5, objective=SuccessRate() if own else SuccessRate(width=4), **NUMBERS,
        **own, **more,
    )  # fmt: skip


@pytest.fixture(params=AXES)
def axis(request) -> Axis:
    return AXIS[request.param]


@pytest.fixture(params=NAMES)
def name(request) -> str:
    return request.param


@pytest.mark.parametrize("kind", [Study, Cell, Tuning])
def test_declarations_have_it_as_a_field_that_says_the_same(axis, kind) -> None:
    field = kind.__dataclass_fields__[axis.name]
    assert axis.name in kind.__doc__ or kind.__dataclass_fields__[axis.name].type == "Any"
    if kind is Cell and not axis.since:
        assert field.default is dataclasses.MISSING
    elif axis.since or kind is Study:
        wanted = None if axis.name == "max_steps" else axis.default
        assert field.default is dataclasses.MISSING or field.default == wanted
    if kind is not Tuning:
        assert field.metadata.get("since", 0) == axis.since


def test_it_is_described_and_ordered(axis) -> None:
    assert axis.name.isidentifier() and axis.name == axis.name.lower()
    assert axis.meaning.endswith(".") and type(axis).__doc__ and axis.label.strip()
    assert list(Axes.__annotations__) == [n for n in AXES if n in Axes.__annotations__]
    assert list(AXES) == sorted(AXES, key=lambda n: (AXIS[n].since, AXES.index(n)))
    assert len(axis_types()) == len(AXIS)


def test_its_columns_are_those_of_the_rows_and_no_file_is_older_than_they_say(axis) -> None:
    declared = {column.name: column for column in COLUMNS}
    for column in axis.columns:
        entry = declared[column.name]
        assert entry.same_for_cell and axis.since <= entry.since <= VERSION
        assert dataclasses.replace(entry, type=column.type) == column
        assert str(entry.type) in (column.type, {"float64": "double"}.get(column.type))
        assert column.name in SCHEMA.names
    assert axis.columns[0].name == axis.name


@pytest.mark.parametrize("younger", YOUNGER)
def test_at_its_default_it_changes_nothing_and_is_not_mentioned(younger) -> None:
    plain = study()
    written = study(**{younger: AXIS[younger].default})
    assert written.to_json() == plain.to_json() and f'"{younger}"' not in plain.to_json()
    [cell], [other] = plain.cells(), written.cells()
    [varied] = study(axes={younger: [AXIS[younger].default]}).cells()
    assert cell == other == varied and cell.id == other.id == varied.id
    assert cell.stream_identity == varied.stream_identity and younger in left_out(cell)
    default = next(c.default for c in AXIS[younger].columns if c.name == younger)
    assert cell.columns()[younger] == default


def test_its_values_make_the_round_trip_and_cells_of_their_own(name) -> None:
    declared = over(name, with_default=True)
    assert Study.from_json(declared.to_json()) == declared
    assert len({cell.id for cell in declared.cells()}) == len(declared.cells())
    for value, cell in zip(values_of(name), over(name).cells(), strict=True):
        assert getattr(cell, name) == value == cell.declared(name)
        fixed = study(**{name: value})
        assert Study.from_json(fixed.to_json()) == fixed
        if name != "width":  # whose depth is found of all
            assert [one.id for one in fixed.cells()] == [cell.id]
        assert dataclasses.replace(cell).id == cell.id


def test_one_number_is_written_one_way(axis) -> None:
    """Else 1 and 1.0 would be two cells, and two columns of what is one number."""
    for number in (0, 1, 2):
        ways = [number, float(number), np.int64(number), np.float32(number), -0.0 + number]
        ways += [-0.0] if number == 0 else []
        settled = [axis.settled(way) for way in ways if axis.problems(way) == []]
        assert len({json.dumps(value) for value in settled}) <= 1


def test_json_brings_its_values_wherever_they_may_stand(name, monkeypatch) -> None:
    """By its `read`: beside a published number, among the values of a tuning."""
    values = values_of(name)
    for value in values:
        assert AXIS[name].read(value) == value
        assert AXIS[name].read(from_record(json.loads(json.dumps(to_record(value))))) == value
    plain_read, calls = AXIS[name].read, []
    monkeypatch.setattr(AXIS[name], "read", lambda data: calls.append(data) or plain_read(data))
    number = Published(source="s", quantity="success", value=0.5, where={name: values[0]})
    assert calls and number.where == {name: values[0]}
    if not AXIS[name].not_tuned:
        tuning = a_tuning({name: Choice(values)})
        calls.clear()
        assert Tuning.from_json(tuning.to_json()) == tuning
        assert all(value in calls for value in values)


def test_it_keys_the_random_streams_if_it_says_so(name) -> None:
    cells = over(name, with_default=True).cells()
    identities = {cell.stream_identity for cell in cells}
    assert len(identities) == (len(cells) if AXIS[name].keys_streams else 1)
    if AXIS[name].keys_streams:
        assert name in INITIALIZATION
    elif not AXIS[name].is_strategy and cells[-1].scheme is cells[-1].declared("scheme"):
        first, *rest = (draw(cell, [0]) for cell in cells)
        for other in rest:
            for a, b in zip(first.weights, other.weights, strict=True):
                np.testing.assert_array_equal(a, b)


def test_what_it_changes_says_what_it_was(name) -> None:
    for cell in over(name).cells():
        for part in PARTS:
            own, declared = getattr(cell, part), cell.declared(part)
            if own is not declared:
                assert AXIS[name].since and type(own).__name__.startswith("_")
                assert cell.columns()[part] == AXIS[part].written(declared)
                assert declared is None or str(own) == str(declared)
                assert dataclasses.replace(cell, max_steps=3).declared(part) is declared
                assert getattr(dataclasses.replace(cell), part) is own


def test_rows_and_tables_hold_it(name) -> None:
    declared = over(name)
    cell = declared.cells()[-1]
    rows, _ = run_trial("all", cell, [0], TORCH)
    validate(rows)
    wanted = AXIS[name].written(values_of(name)[-1])
    assert set(rows[name]) == {wanted}
    assert not (rows["success"] & ~rows["trainable"]).any()
    rates = success_rates(rows)
    assert name in axis_columns(rates) and rates[name].tolist() == [wanted]


def test_command_line_and_mlflow_tell_its_values_apart(name) -> None:
    declared = over(name)
    cells = declared.cells()
    columns = distinguished({cell.id: cell for cell in cells})
    [texts] = [texts for column, texts in columns.items() if column.name == AXIS[name].label]
    assert len(set(texts)) == len(cells)
    params = [{p.key: p.value for p in _params(cell)} for cell in cells]
    assert len({entry[name] for entry in params}) == len(cells)
    names = Names(declared)
    assert len({names.run(cell) for cell in cells}) == len(cells)


@pytest.mark.parametrize("listed", ["width", "batch_size", *ALONE])
def test_reports_list_it(listed, tmp_path) -> None:
    """The others are in reports of tests of their own, and a page takes seconds."""
    name, declared = listed, over(listed)
    storage = Storage(tmp_path / "results")
    for cell in declared.cells():
        rows, made = run_trial(declared.name, cell, [0], TORCH)
        storage.write_rows(declared.name, rows, MADE | made)
    report = write_report(declared, storage)
    assert report.findings.rates[name].nunique() == len(declared.cells())
    column = Page(report.page.read_text(encoding="utf-8")).column(AXIS[name].label)
    values = [cell.columns()[name] for cell in declared.cells()]
    if AXIS[name].is_strategy:
        values = [text.removesuffix("()") for text in short(values).values()]
    wanted = [value if isinstance(value, str) else f"{value:g}" for value in values]
    assert [text.removeprefix(f"{AXIS[name].label} ") for text in column] == wanted


def test_a_tuning_varies_it_or_says_why_not(name) -> None:
    if name == "target_accuracy":
        return  # as tests/tuning says
    values = values_of(name)
    if AXIS[name].not_tuned:
        with pytest.raises(StudyError, match=AXIS[name].not_tuned):
            a_tuning({name: Choice(values)})
        return
    tuning = a_tuning({name: Choice(values)})
    assert tuning.axes == [name] and Tuning.from_json(tuning.to_json()) == tuning
    settings = [tuning.space.settings({name: value}) for value in values]
    cells = [tuning.cell(chosen, tuning.widths[0]) for chosen in settings]
    assert [cell.declared(name) for cell in cells] == values


@pytest.mark.parametrize("younger", ALONE)
def test_a_tuning_may_be_at_a_fixed_value_of_it(younger) -> None:
    value = AXIS[younger].examples()[0]
    tuning = a_tuning({"scheme.bias_std": Choice([0.1, 1.0])}, **{younger: value})
    assert Tuning.from_json(tuning.to_json()) == tuning
    assert tuning.study().cells()[0].declared(younger) == value
    for settings in (None, tuning.space.settings({"scheme.bias_std": 1.0})):
        assert tuning.cell(settings, 4).columns()[younger] == AXIS[younger].written(value)


@pytest.mark.parametrize("taken", ["replicates", "cells", "fair"])
def test_an_axis_takes_no_name_that_a_declaration_has(taken, monkeypatch) -> None:
    """Else it would stand for the id of a cell, or for how many networks there are."""
    own = {name: "Any" for name in Study.__annotations__ if name not in further_axes(Study)}
    kind = type("Like", (), {"__annotations__": own, "cells": Study.cells})
    monkeypatch.setitem(AXIS, taken, SimpleNamespace(name=taken, default=0, since=1))
    if taken == "fair":
        assert "fair" in vars(with_axes(kind))["__annotations__"]
        return
    with pytest.raises(AssertionError, match=f"has a {taken}: give the axis another name"):
        with_axes(kind)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(type(odd).__name__))
def test_a_value_that_is_none_gets_one_message(axis, odd) -> None:
    [message] = axis.problems(odd)
    assert message.startswith(axis.name) and "got" in message and "\n" not in message
    with pytest.raises(StudyError, match=f"(?m)^.*{axis.name} must"):
        study(axes={}, **{axis.name: odd})
    with pytest.raises(StudyError, match=f"(?m)^.*{axis.name} must") as raised:
        study(axes={axis.name: [odd, odd]})
    assert str(raised.value).count(message) == 1


def test_its_examples_differ_and_are_no_default(name) -> None:
    values = [AXIS[name].default, *AXIS[name].examples()]
    assert all(a != b for a, b in itertools.combinations(values, 2)) and len(values) > 1
    for value in values[1:]:
        assert AXIS[name].problems(value) == [] and AXIS[name].settled(value) == value
        kind = type(AXIS[name])
        assert kind.over(value) == {name: [value]} and kind.fixed(value) == {name: value}


def test_a_study_file_can_t_declare_one() -> None:
    """Its column would be unknown to whoever reads the results without that file."""
    with pytest.raises(StudyError, match=r"Weather is an axis, which a study file can't declare"):
        type("Weather", (Axis,), {"__module__": "trainability_study_mine", "name": "weather"})
    assert "weather" not in {kind.name for kind in axis_types().values()}


@pytest.mark.parametrize("name", [name for name, axis in AXIS.items() if not axis.is_strategy])
def test_what_lists_show_as_a_value_can_be_written_in_a_study(name):
    texts = AXIS[name].written_examples
    assert texts
    for text in texts:
        assert not AXIS[name].problems(ast.literal_eval(text)), text


def test_every_axis_shows_values():
    assert all(axis.written_examples for axis in AXIS.values())
