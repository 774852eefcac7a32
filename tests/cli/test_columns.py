"""`trainability columns`: whatever a file or a page shows can be looked up by its name."""

import json

import pytest
from storage.in_process import call
from synthetic_rows import store

from trainability import load
from trainability.findings import meanings
from trainability.results import COLUMNS
from trainability.storage import Storage


def looked_up(name):
    done = call("columns", name, "--json")
    assert done.code == 0, done
    return json.loads(done.out)["columns"]


def test_every_column_of_the_rows_is_listed_with_its_values():
    done = call("columns")
    for column in COLUMNS:
        assert f"\n{column.name}  rows" in f"\n{done.out}"
    [width] = [entry for entry in looked_up("width") if entry["where"] == "rows"]
    assert width["least"] == 1 and width["meaning"]
    assert "status  rows, string, ok or diverged" in call("columns", "status").out


def test_every_column_of_every_table_can_be_looked_up(tiny_study, tmp_path):
    storage = Storage(tmp_path)
    for cell in tiny_study.cells():
        store(storage, "tiny", cell, [0, 1])
    tables = load(tiny_study, storage).tables
    assert len(tables) > 10
    for name, table in tables.items():
        assert looked_up(name)[0]["name"] == f"{name}.csv"
        for column in table.columns:
            assert all(entry["meaning"] for entry in looked_up(column)), (name, column)


@pytest.mark.parametrize("name", meanings.METRICS)
def test_every_metric_can_be_looked_up(name):
    assert "MLflow" in [entry["where"] for entry in looked_up(name)]


def test_a_name_that_is_none_is_refused_with_one_that_is_close():
    done = call("columns", "succes_rate")
    assert done.code == 2 and "there is no column 'succes_rate'" in done.text
    assert "did you mean success_rate?" in " ".join(done.text.split())


def test_an_end_of_an_interval_is_told_with_what_it_is_the_end_of():
    [entry] = looked_up("q_low")
    assert entry["meaning"] == "The lower end of the 95 % interval of `q`."


def test_a_table_is_looked_up_with_what_its_columns_mean_in_it_alone():
    for name in ("boundaries", "boundaries.csv"):
        table, *columns = looked_up(name)
        assert table["name"] == "boundaries.csv"
        assert [entry["name"] for entry in columns] == list(meanings.OWN["boundaries"])
    where = [entry["where"] for entry in looked_up("statistic")]
    assert {"tables", "laws.csv", "pooled_comparisons.csv"} <= set(where)


@pytest.mark.parametrize("name", ["ta", "ML", "", "csv", ".csv"])
def test_a_part_of_a_name_is_no_name(name):
    assert call("columns", name).code == 2


def test_an_end_of_an_interval_is_one_of_tables_too_where_mlflow_has_it():
    assert [entry["where"] for entry in looked_up("success_rate_low")] == ["MLflow", "tables"]
