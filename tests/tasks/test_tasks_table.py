"""Real data: what is read, how it is standardized, and what every kind of bad file says."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainability.domains import Points
from trainability.errors import DataError
from trainability.tasks import Table

A = [1.0, 2.0, 4.0, 8.0]
B = [0.5, -1.0, 3.0, 1e300]
Y = [3, 1, 2, 5]


def written(folder, suffix, **columns):
    """A file of this kind with these columns."""
    path = folder / f"data{suffix}"
    if suffix == ".npz":
        np.savez(path, **{name: np.asarray(values) for name, values in columns.items()})
    elif suffix == ".parquet":
        pd.DataFrame(columns).to_parquet(path)
    else:
        pd.DataFrame(columns).to_csv(path, index=False)
    return str(path)


each_kind = pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])


def read(path, features=("a", "b"), target="y", **settings):
    return Table(path, features=features, target=target, **settings).data()


@each_kind
def test_columns_are_read_and_standardized(tmp_path, suffix):
    x, y = read(written(tmp_path, suffix, a=A, y=Y, b=B))
    assert x.shape == (4, 2) and y.shape == (4, 1)
    for column, values in ((x[:, 0], A), (x[:, 1], B), (y[:, 0], Y)):
        scaled = np.array(values) / max(values)
        assert np.allclose(column, (scaled - scaled.mean()) / scaled.std(), atol=1e-6)


@each_kind
def test_all_kinds_of_file_give_the_same_task(tmp_path, suffix):
    reference = Table(written(tmp_path, ".csv", a=A, b=B, y=Y), features=["a", "b"], target="y")
    task = Table(written(tmp_path, suffix, b=B, a=A, y=Y), features=["a", "b"], target=["y"])
    assert task.fingerprint() == reference.fingerprint()


def test_rows_are_taken_from_the_top_and_standardized_by_themselves(tmp_path):
    path = written(tmp_path, ".csv", a=[*A, np.nan], b=[1, 2, 3, 4, 5], y=[*Y, 9])
    task = Table(path, features=["a", "b"], target="y", rows=4)
    assert task.n_train == 4
    assert isinstance(task.domain, Points)
    assert np.allclose(task.data()[0].mean(axis=0), 0, atol=1e-6)
    assert np.allclose(task.data()[0].std(axis=0), 1, atol=1e-6)


def test_several_targets_are_several_outputs(tmp_path):
    path = written(tmp_path, ".npz", a=A, b=B, y=Y)
    assert Table(path, features=["a"], target=["y", "b"]).d_out == 2


def test_booleans_and_decimals_of_parquet_are_numbers(tmp_path):
    path = written(tmp_path, ".parquet", a=[True, False, True, True], b=[1, 2, 3, 4], y=Y)
    assert read(path)[0].shape == (4, 2)


def test_quotes_blank_lines_spaces_and_a_byte_order_mark_do_no_harm(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text('\ufeffa, "b",y\n1,2,3\n\n"2", 5,4\n', encoding="utf-8")
    assert read(str(path))[0].shape == (2, 2)


def test_the_constant_has_loss_1(tmp_path):
    for task in (Table(dataset="diabetes", rows=30), Table(dataset="digits", rows=100)):
        assert task.best_loss_below_need() == pytest.approx(1, abs=1e-6)


def test_the_bundled_sets_are_whole():
    diabetes, digits = Table(dataset="diabetes"), Table(dataset="digits")
    assert diabetes.data()[0].shape == (442, 10) and diabetes.d_out == 1
    assert digits.data()[0].shape == (1797, 61) and digits.d_out == 10
    assert (digits.data()[1].argmax(axis=1)[:10] == np.arange(10)).all()
    assert str(digits) == "Table(dataset='digits')"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "must be given a path or a dataset, got neither"),
        ({"path": "a.csv", "dataset": "digits"}, "must be given a path or a dataset, got both"),
        ({"dataset": "iris"}, "dataset must be 'diabetes' or 'digits', got 'iris'"),
        ({"dataset": "digits", "target": "y"}, "features and target with a path only"),
        ({"dataset": "digits", "rows": 9}, "rows must be None or an int >= 10, got 9"),
        ({"dataset": "diabetes", "rows": 1}, "rows must be None or an int >= 2, got 1"),
        ({"path": "a.csv", "target": "y"}, "features must name at least one column"),
        ({"path": "a.csv", "features": ["a"]}, "target must name at least one column"),
        (
            {"path": "a.csv", "features": "a", "target": "y"},
            r'must be a list of names like \["a"\]',
        ),
        (
            {"path": "a.csv", "features": [1], "target": "y"},
            r'must be a list of names like \["a"\]',
        ),
        ({"path": "a.csv", "features": ["a", "a"], "target": "y"}, "must name a column once"),
        ({"path": "a.csv", "features": ["a"], "target": "a"}, "target 'a' is among its features"),
        ({"path": 3, "features": ["a"], "target": "y"}, "Table path must be a text, got 3"),
        ({"path": 3, "features": [], "target": "y", "rows": 0}, "(?s)3 problems"),
    ],
)
def test_settings_that_make_no_table_are_refused(settings, message):
    with pytest.raises(DataError, match=message):
        Table(**settings)


def test_more_rows_than_a_bundled_set_has_are_refused():
    with pytest.raises(DataError, match="rows is 500, but diabetes has only 442 rows"):
        Table(dataset="diabetes", rows=500).data()


@each_kind
def test_what_is_wrong_with_columns_is_told_all_at_once(tmp_path, suffix):
    path = written(
        tmp_path,
        suffix,
        text=["1", "two", "3", "4"],
        gap=[1.0, np.nan, 3.0, np.nan],
        huge=[1.0, 2.0, 3.0, np.inf],
        same=[0.1, 0.1, 0.1, 0.1],
        size=[1.0, 2.0, 3.0, 4.0],
    )
    with pytest.raises(DataError) as caught:
        read(path, features=["text", "gap", "huge", "same", "sise"], target="colour", rows=4)
    message = str(caught.value)
    assert message.startswith("6 problems:")
    assert "column 'text' must hold numbers, got" in message
    assert "column 'gap' has 2 missing values (NaN), the first in row 2; drop or fill" in message
    assert "column 'huge' has 1 infinity, in row 4; drop or fill that row" in message
    assert "column 'same' is constant (0.1 in all 4 rows), so it can't be standardized" in message
    assert "has no column 'sise' (did you mean size?); it has 'text', 'gap', 'huge'" in message
    assert "has no column 'colour'; it has" in message


def test_text_in_a_csv_is_shown_with_its_row(tmp_path):
    path = written(tmp_path, ".csv", a=["1", "2", "3,5", "4"], b=A, y=Y)
    with pytest.raises(DataError, match="'a' must hold numbers, got the text '3,5' in row 3"):
        read(path)


@each_kind
def test_too_few_rows_are_refused(tmp_path, suffix):
    with pytest.raises(DataError, match="must have at least 2 rows, got 1"):
        read(written(tmp_path, suffix, a=[1.0], b=[2.0], y=[3.0]))
    with pytest.raises(DataError, match="must have at least 9 rows, got 4"):
        read(written(tmp_path, suffix, a=A, b=B, y=Y), rows=9)


@each_kind
def test_a_table_without_rows_is_refused(tmp_path, suffix):
    empty = np.zeros(0)
    with pytest.raises(DataError, match="must have at least 2 rows, got 0"):
        read(written(tmp_path, suffix, a=empty, b=empty, y=empty))


@each_kind
def test_an_empty_or_broken_or_absent_file_is_refused(tmp_path, suffix):
    path = tmp_path / f"broken{suffix}"
    with pytest.raises(DataError, match=r"there is no file .*broken.*check the path"):
        read(str(path))
    path.write_bytes(b"")
    with pytest.raises(DataError, match="is empty; wanted named columns and at least 2 rows"):
        read(str(path))
    path.write_bytes(b"\xff\xfe\x00PK\x03\x04PAR1 not a table\n\x00\x01")
    with pytest.raises(DataError, match=rf"can't be read as a {suffix} file: .*check that it is"):
        read(str(path))


@each_kind
def test_a_file_that_was_cut_short_is_refused(tmp_path, suffix):
    path = written(tmp_path, suffix, a=A * 50, b=A * 50, y=Y * 50)
    whole = Path(path).read_bytes()
    Path(path).write_bytes(whole[: len(whole) // 2 - 1])
    with pytest.raises(DataError, match=r"can't be read as|rows, got"):
        read(path, rows=200)


def test_another_kind_of_file_is_refused():
    with pytest.raises(DataError, match=r"must be a .csv, .tsv, .txt, .parquet, .* file.*'.xlsx'"):
        read("data.xlsx")


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "data.csv").mkdir()
    with pytest.raises(DataError, match="there is no file"):
        read(str(tmp_path / "data.csv"))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_two_columns_of_one_name_are_refused(tmp_path, suffix):
    path = str(tmp_path / f"data{suffix}")
    if suffix == ".csv":
        (tmp_path / "data.csv").write_text("a,b,a,y\n1,2,3,4\n5,6,7,9\n")
    else:
        arrays = [pa.array(values) for values in ([1, 5], [2, 6], [3, 7], [4, 9])]
        pq.write_table(pa.Table.from_arrays(arrays, names=["a", "b", "a", "y"]), path)
    with pytest.raises(DataError, match="has 2 columns named 'a'; rename them"):
        read(path)


@pytest.mark.parametrize("line", ["1,2", "1,2,3,4"])
def test_a_ragged_csv_is_refused(tmp_path, line):
    (tmp_path / "data.csv").write_text(f"a,b,y\n1,2,3\n{line}\n")
    with pytest.raises(
        DataError, match=f"line 3 has {len(line.split(','))} values and the header 3"
    ):
        read(str(tmp_path / "data.csv"))


class Trap:
    """Unpickling it leaves a mark."""

    def __reduce__(self):
        return (setattr, (Trap, "sprung", True))


def test_a_data_file_is_never_executed(tmp_path):
    objects = np.array([Trap(), Trap()], dtype=object)
    np.savez(tmp_path / "data.npz", a=objects, b=np.arange(2.0), y=np.arange(2.0))
    with pytest.raises(DataError, match="column 'a' must hold numbers, got Python objects"):
        read(str(tmp_path / "data.npz"))
    assert not hasattr(Trap, "sprung")


def test_arrays_that_are_no_columns_are_refused(tmp_path):
    path = written(tmp_path, ".npz", a=np.ones((4, 2, 2)), b=A[:3], y=Y)
    with pytest.raises(
        DataError, match=r"(?s)'a' must be a 1-D array.*got shape \(4, 2, 2\).*'b' 3, 'y' 4"
    ):
        read(path)
    np.save(tmp_path / "single.npy", np.arange(4.0))
    (tmp_path / "single.npy").rename(tmp_path / "single.npz")
    with pytest.raises(DataError, match="it is no archive of named arrays"):
        read(str(tmp_path / "single.npz"))
