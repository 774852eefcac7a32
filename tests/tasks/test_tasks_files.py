"""Tables as people have them: read where they can't be mistaken, else told what is suspected."""

import bz2
import gzip
import lzma
import unicodedata
import zipfile

import numpy as np
import pandas as pd
import pytest

from trainability.errors import DataError
from trainability.tasks import Table

ROWS = [(1.5, 10.0, 3.25), (2.5, 20.0, 1.75), (4.0, 5.0, 2.5), (8.25, 7.0, 9.0)]
PLAIN = "a,b,y\n" + "".join(f"{a},{b},{y}\n" for a, b, y in ROWS)


def table(path, features=("a", "b"), target="y", **settings):
    return Table(str(path), features=list(features), target=target, **settings)


@pytest.fixture
def plain(tmp_path):
    path = tmp_path / "plain.csv"
    path.write_text(PLAIN)
    return table(path)


def german(text):
    return text.replace(",", ";").replace(".", ",")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("semicolons.csv", PLAIN.replace(",", ";")),
        ("decimal_commas.csv", german(PLAIN)),
        ("decimal_commas_and_tabs.txt", german(PLAIN).replace(";", "\t")),
        ("tabs.csv", PLAIN.replace(",", "\t")),
        ("tabs.tsv", PLAIN.replace(",", "\t")),
        ("bars.csv", PLAIN.replace(",", "|")),
        ("quoted.csv", german(PLAIN).replace("a;b;y", '"a";"b";"y"')),
        ("windows.csv", PLAIN.replace("\n", "\r\n")),
    ],
)
def test_separators_and_decimal_commas_are_told_from_the_file(tmp_path, plain, name, text):
    (tmp_path / name).write_text(text, newline="")
    assert table(tmp_path / name).fingerprint() == plain.fingerprint()


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig", "cp1252"])
def test_encodings_are_told_from_the_file(tmp_path, plain, encoding):
    (tmp_path / "data.csv").write_text(PLAIN.replace("a,", "größe,", 1), encoding=encoding)
    assert table(tmp_path / "data.csv", ["größe", "b"]).fingerprint() == plain.fingerprint()


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)],
)
def test_a_packed_text_is_read(tmp_path, plain, suffix, pack):
    path = tmp_path / f"data.csv{suffix}"
    path.write_bytes(pack(PLAIN.encode()))
    assert table(path).fingerprint() == plain.fingerprint()
    path.write_bytes(pack(PLAIN.encode())[:-6])
    with pytest.raises(DataError, match="can't be read as a .csv file"):
        table(path).data()


def test_a_zip_holds_one_text(tmp_path, plain):
    with zipfile.ZipFile(tmp_path / "data.csv.zip", "w") as archive:
        archive.writestr("folder/data.csv", PLAIN)
    assert table(tmp_path / "data.csv.zip").fingerprint() == plain.fingerprint()
    with zipfile.ZipFile(tmp_path / "two.csv.zip", "w") as archive:
        archive.writestr("a.csv", PLAIN)
        archive.writestr("b.csv", PLAIN)
    with pytest.raises(DataError, match="it must hold one file, got 2"):
        table(tmp_path / "two.csv.zip").data()


def test_feather_and_npy_are_read(tmp_path, plain):
    frame = pd.DataFrame(ROWS, columns=["a", "b", "y"])
    frame.to_feather(tmp_path / "data.feather")
    assert table(tmp_path / "data.feather").fingerprint() == plain.fingerprint()
    np.save(tmp_path / "data.npy", np.array(ROWS))
    assert table(tmp_path / "data.npy", ["0", "1"], "2").fingerprint() == plain.fingerprint()
    np.save(tmp_path / "named.npy", frame.to_records(index=False))
    assert table(tmp_path / "named.npy").fingerprint() == plain.fingerprint()


def test_a_2d_array_is_as_many_columns(tmp_path, plain):
    rows = np.array(ROWS)
    same = np.full((4, 1), 7.0)
    np.savez(tmp_path / "data.npz", x=np.hstack([rows[:, :1], same, rows[:, 1:2]]), y=rows[:, 2:])
    assert table(tmp_path / "data.npz", ["x"]).fingerprint() == plain.fingerprint()


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_a_target_of_texts_is_classes(tmp_path, suffix):
    frame = pd.DataFrame({"a": [1, 2, 3, 4, 6, 7], "kind": ["x", "é", "x", "z", "z", "e\u0301"]})
    path = tmp_path / f"data{suffix}"
    if suffix == ".csv":
        frame.to_csv(path, index=False)
    elif suffix == ".parquet":
        frame.astype({"kind": "category"}).to_parquet(path)
    else:
        np.savez(path, a=frame["a"], kind=np.array(frame["kind"], dtype=str))
    task = table(path, ["a"], "kind")
    assert task.d_out == 3
    assert task.data()[1].argmax(axis=1).tolist() == [0, 2, 0, 1, 1, 2]
    assert task.best_loss_below_need() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        (["a", "b", "c", "d"], "holds texts, 4 of them different in 4 rows"),
        (["a", "a", "a", "a"], "holds texts, 1 of them different"),
        (["a", "a", "1", "b"], "must hold numbers, got the text 'a' in row 1"),
        (["a", "a", "", "a"], "has no class in row 3"),
    ],
)
def test_texts_that_may_be_no_classes_are_refused(tmp_path, kinds, message):
    pd.DataFrame({"a": [1, 2, 3, 4], "kind": kinds}).to_csv(tmp_path / "d.csv", index=False)
    with pytest.raises(DataError, match=message):
        table(tmp_path / "d.csv", ["a"], "kind").data()
    with pytest.raises(DataError, match="must hold numbers"):
        table(tmp_path / "d.csv", ["kind"], "a").data()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("c;d;e\n1;2;3\n4;5;6\n", "it looks like ';' separates its columns"),
        ("1,2,3\n4,5,6\n7,8,9\n", "looks like a file without a header"),
        ("a;b;y\n1,234;2;3\n5,678;4;9\n", "may be a decimal mark or one between thousands"),
        ("a;b;y\n1.234,5;2;3\n5,6;4;9\n", "write it without marks between thousands"),
        ("a,b,y\n1,5,2,3\n4,5,6,7\n", "line 2 has 4 values and the header 3"),
        ('a,b,y\n"1,5",2,3\n"4,5",6,7\n', "which looks like a decimal comma"),
        ("a,b,y\n1_0,2,3\n4,5,6\n", "must hold numbers, got the text '1_0'"),
        ("PK\x03\x04 no text", "looks like a zip, npz or Excel file"),
        ("a,b,y\n1,2,3\n\x00,5,6\n", "holds bytes that no text has"),
        ("\n\n", "has no column 'a'"),
    ],
)
def test_what_could_be_mistaken_is_refused_with_what_is_suspected(tmp_path, text, message):
    (tmp_path / "data.csv").write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        table(tmp_path / "data.csv").data()
    assert str(caught.value).count("\n") <= 3


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_names_are_compared_in_composed_form(tmp_path, plain, suffix):
    composed, split = unicodedata.normalize("NFC", "größe"), unicodedata.normalize("NFD", "größe")
    assert composed != split
    for header, asked in ((composed, split), (split, composed)):
        frame = pd.DataFrame(ROWS, columns=[header, "b", "y"])
        path = tmp_path / f"data{suffix}"
        if suffix == ".csv":
            frame.to_csv(path, index=False)
        elif suffix == ".parquet":
            frame.to_parquet(path)
        else:
            np.savez(path, **{name: frame[name].to_numpy() for name in frame})
        assert table(path, [asked, "b"]).fingerprint() == plain.fingerprint()


OFFSETS = [1.7e15, -1.7e15, 1.7e18, 4e17]


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_a_large_offset_costs_no_digit(tmp_path, suffix, offset):
    values = [int(offset) + k for k in range(5)]
    frame = pd.DataFrame({"time": values, "y": [1.0, 4.0, 2.0, 5.0, 3.0]})
    path = tmp_path / f"data{suffix}"
    if suffix == ".csv":
        frame.to_csv(path, index=False)
    elif suffix == ".parquet":
        frame.to_parquet(path)
    else:
        np.savez(path, time=frame["time"].to_numpy(), y=frame["y"].to_numpy())
    x = table(path, ["time"]).data()[0][:, 0]
    # Mean 2 and standard deviation sqrt 2 of 0..4.
    assert np.allclose(x, (np.arange(5) - 2) / np.sqrt(2), atol=1e-7)


def test_a_float_column_with_a_large_offset_is_standardized_by_its_differences(tmp_path):
    np.savez(tmp_path / "d.npz", t=1.7e15 + np.arange(5), y=np.array([1.0, 4, 2, 5, 3]))
    x = table(tmp_path / "d.npz", ["t"]).data()[0][:, 0]
    assert np.allclose(x, (np.arange(5) - 2) / np.sqrt(2), atol=1e-7)


def test_a_home_that_nobody_has_is_refused():
    with pytest.raises(DataError, match="there is no file ~nouser/x.csv"):
        table("~nouser/x.csv").data()


@pytest.mark.parametrize("name", ["x" * 300 + ".csv", "a\0b.csv"])
def test_a_path_that_no_file_can_have_is_refused(name):
    with pytest.raises(DataError):
        table(name).data()


def test_a_flipped_byte_is_never_another_error(tmp_path):
    frame = pd.DataFrame(ROWS, columns=["a", "b", "y"])
    frame.to_parquet(tmp_path / "d.parquet")
    frame.to_feather(tmp_path / "d.feather")
    np.savez(tmp_path / "d.npz", **{name: frame[name].to_numpy() for name in frame})
    np.save(tmp_path / "d.npy", frame.to_records(index=False))
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(PLAIN.encode()))
    rng = np.random.default_rng(0)
    n_refused = 0
    for path in sorted(tmp_path.iterdir()):
        whole = path.read_bytes()
        for place in rng.integers(len(whole), size=150):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << rng.integers(8)
            path.write_bytes(bytes(damaged))
            try:
                table(path).data()
            except DataError:
                n_refused += 1
    assert n_refused > 100
