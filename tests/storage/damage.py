"""A catalog of what can happen to a folder of results: each kind is a function of the folder.

A kind takes the storage, a study's name and a random generator, and damages one thing, chosen by
the generator. What it can't do to a storage (a copy that older storage does not have) it skips.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Kind = Callable[[Path, str, np.random.Generator], None]
KINDS: dict[str, Kind] = {}


def kind(name: str) -> Callable[[Kind], Kind]:
    def register(function: Kind) -> Kind:
        assert name not in KINDS, name
        KINDS[name] = function
        return function

    return register


def blocks(storage: Path, name: str) -> list[Path]:
    return sorted((storage / name).glob("*/blocks-*.parquet"))


def a_block(storage: Path, name: str, rng: np.random.Generator) -> Path:
    files = blocks(storage, name)
    return files[rng.integers(len(files))]


def elsewhere(storage: Path, name: str, rng: np.random.Generator, path: Path) -> Path:
    """A block file of another cell."""
    others = [file for file in blocks(storage, name) if file.parent != path.parent]
    return others[rng.integers(len(others))]


def on_bytes(name: str, change: Callable[[bytes, np.random.Generator], bytes]) -> None:
    @kind(name)
    def _(storage, study, rng):
        path = a_block(storage, study, rng)
        path.write_bytes(change(path.read_bytes(), rng))


def flip(low: float, high: float) -> Callable[[bytes, np.random.Generator], bytes]:
    """One bit, anywhere between two fractions of the file."""

    def change(data: bytes, rng: np.random.Generator) -> bytes:
        at = int(rng.uniform(low, high) * len(data))
        return data[:at] + bytes([data[at] ^ (1 << rng.integers(8))]) + data[at + 1 :]

    return change


for part in range(25):
    on_bytes(f"a bit flips in part {part} of 25", flip(part / 25, (part + 1) / 25))
for part in range(20):
    # The last 40 % of a small file are its footer, of which Parquet keeps no checksum.
    on_bytes(f"a bit flips in part {part} of 20 of the footer",
             flip(0.6 + part / 50, 0.6 + (part + 1) / 50))  # fmt: skip
for share in (0.0, 0.01, 0.3, 0.6, 0.9, 0.99):
    on_bytes(f"the file is cut to {share:.0%}", lambda d, _, s=share: d[: int(s * len(d))])
for last in (1, 4, 8, 9):
    on_bytes(f"the last {last} bytes are lost", lambda d, _, n=last: d[:-n])
on_bytes("bytes follow the end", lambda d, _: d + b"more")
on_bytes("bytes stand before the start", lambda d, _: b"more" + d)
on_bytes("the file is there twice in itself", lambda d, _: d + d)
on_bytes("a page of zeros", lambda d, _: d[:4096] + b"\0" * 4096 + d[8192:])
on_bytes("all zeros", lambda d, _: bytes(len(d)))
on_bytes("noise", lambda d, rng: rng.bytes(len(d)))
on_bytes("noise between the marks", lambda d, rng: d[:4] + rng.bytes(len(d) - 12) + d[-8:])
on_bytes("noise in the footer", lambda d, rng: d[:-4000] + rng.bytes(3992) + d[-8:])
on_bytes("the length of the footer is wrong", lambda d, _: d[:-8] + b"\xff\xff\xff\x7f" + d[-4:])
on_bytes("the length of the footer is none", lambda d, _: d[:-8] + b"\0\0\0\0" + d[-4:])
on_bytes("a text", lambda d, _: b"import os; os.abort()")
on_bytes("JSON", lambda d, _: b'{"success": true}')
on_bytes("only the marks", lambda d, _: b"PAR1PAR1")
on_bytes("another table", lambda d, _: _encoded(pa.table({"x": [1, 2]})))
on_bytes("no rows", lambda d, _: _encoded(_decoded(d).slice(0, 0)))
on_bytes("twenty bits flip", lambda d, rng: _often(d, rng, 20))


def _often(data: bytes, rng: np.random.Generator, n: int) -> bytes:
    for _ in range(n):
        data = flip(0, 1)(data, rng)
    return data


def _decoded(data: bytes) -> pa.Table:
    return pq.ParquetFile(pa.BufferReader(data)).read()


def _encoded(table: pa.Table) -> bytes:
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue().to_pybytes()


def on_rows(name: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """Rewritten by another program, which keeps the metadata as they are, and one that does not."""
    on_bytes(f"{name}, rewritten", lambda d, _: _encoded(change(_decoded(d))))

    def bare(data: bytes, _: np.random.Generator) -> bytes:
        return _encoded(change(_decoded(data)).replace_schema_metadata(None))

    if name in ("nothing changed", "steps above the budget"):
        on_bytes(f"{name}, rewritten without metadata", bare)


def put(column: str, values, type_: pa.DataType | None = None) -> Callable[[pa.Table], pa.Table]:
    """Another column in the place of one."""

    def change(table: pa.Table) -> pa.Table:
        at = table.column_names.index(column)
        made = values(table[column].to_pylist())
        return table.set_column(at, column, pa.array(made, type_ or table[column].type))

    return change


def first(new) -> Callable[[list], list]:
    return lambda values: [new, *values[1:]]


on_rows("steps above the budget", put("steps", first(10**9)))
on_rows("steps below zero", put("steps", first(-1)))
on_rows("a width of zero", put("width", lambda v: [0] * len(v)))
on_rows("another width", put("width", lambda v: [7] * len(v)))
on_rows("two widths", put("width", first(9)))
on_rows("another depth", put("depth", lambda v: [5] * len(v)))
on_rows("a width as text", put("width", lambda v: [str(x) for x in v], pa.string()))
on_rows("a success as number", put("success", lambda v: [int(x) for x in v], pa.int8()))
on_rows("steps as floats", put("steps", lambda v: [float(x) for x in v], pa.float64()))
on_rows("losses in double", put("final_loss", lambda v: v, pa.float64()))
on_rows("counts as texts", put("active_init", lambda v: [str(x) for x in v], pa.string()))
on_rows("counts as numbers", put("active_init", lambda v: [x[0] for x in v], pa.int32()))
on_rows("no cell", put("cell", first(None)))
on_rows("no success", put("success", first(None)))
on_rows("no status", put("status", first(None)))
on_rows("no counts", put("active_init", first(None)))
on_rows("no counts at the end", put("active_final", first(None)))
on_rows("no entry of the counts", put("permanent_init", first([None])))
on_rows("an unknown status", put("status", first("fine")))
on_rows("all succeeded", put("success", lambda v: [True] * len(v)))
on_rows("success turned around", put("success", lambda v: [not x for x in v]))
on_rows("a loss below zero", put("final_loss", first(-1.0)))
on_rows("a loss that is no number", put("final_loss", first(float("nan"))))
on_rows("an endless loss", put("final_loss", lambda v: [float("inf")] * len(v)))
on_rows("a neuron too many", put("active_init", lambda v: [[x[0] + 1] for x in v]))
on_rows("a neuron below zero", put("tentative_init", first([-1])))
on_rows("a layer too many", put("active_init", first([1, 1])))
on_rows("no layer", put("active_init", first([])))
on_rows("too many undecided", put("undecided_init", first([99])))
on_rows("too many revived", put("n_revived", first(99)))
on_rows("a longer curve", put("loss_curve", lambda v: [[*v[0], 1.0], *v[1:]]))
on_rows("neurons of a curve", put("active_curve", lambda v: [[x and x + 1 for x in e] for e in v]))
on_rows("another cell", put("cell", lambda v: ["0" * 16] * len(v)))
on_rows("another study", put("study", lambda v: ["other"] * len(v)))
on_rows("replicates moved", put("replicate", lambda v: [x + 256 for x in v]))
on_rows("replicates turned around", put("replicate", lambda v: v[::-1]))
on_rows("a replicate twice", put("replicate", lambda v: [v[1], *v[1:]]))
on_rows("a seed below zero", put("seed", lambda v: [-1] * len(v)))
on_rows("a tolerance below zero", put("tolerance", lambda v: [-1.0] * len(v)))
on_rows("nothing changed", lambda t: t)
on_rows("a column less", lambda t: t.drop_columns(["steps"]))
on_rows("a column more", lambda t: t.append_column("more", t["steps"]))
on_rows("a column renamed", lambda t: t.rename_columns(
    ["stepz" if n == "steps" else n for n in t.column_names]))  # fmt: skip
on_rows("a row less", lambda t: t.slice(1))
on_rows("a row twice", lambda t: pa.concat_tables([t, t.slice(0, 1)]))
on_rows("all rows twice", lambda t: pa.concat_tables([t, t]))


def on_metadata(name: str, change: Callable[[dict[bytes, bytes]], dict[bytes, bytes]]) -> None:
    def rewritten(data: bytes, _: np.random.Generator) -> bytes:
        table = _decoded(data)
        return _encoded(table.replace_schema_metadata(change(dict(table.schema.metadata))))

    on_bytes(f"metadata: {name}", rewritten)


on_metadata("no UTF-8", lambda m: m | {b"host": b"\xff\xfe"})
on_metadata("a key that is no UTF-8", lambda m: m | {b"\xff": b""})
on_metadata("no end", lambda m: {k: v for k, v in m.items() if k != b"finished_at"})
on_metadata("no number", lambda m: m | {b"seconds": b"soon"})
on_metadata("an endless number", lambda m: m | {b"finished_at": b"inf"})
on_metadata("no version", lambda m: {k: v for k, v in m.items() if b"version" not in k})
on_metadata("a version that is none", lambda m: m | {b"trainability.version": b"x"})
on_metadata("a newer version, wrongly", lambda m: m | {b"trainability.version": b"99"})
on_metadata("no checksum", lambda m: {k: v for k, v in m.items() if b"checksum" not in k})


@kind("two cells' files swapped")
def _(storage, study, rng):
    path = a_block(storage, study, rng)
    other = elsewhere(storage, study, rng, path)
    a, b = path.read_bytes(), other.read_bytes()
    path.write_bytes(b)
    other.write_bytes(a)


@kind("another cell's file under this name")
def _(storage, study, rng):
    path = a_block(storage, study, rng)
    shutil.copy(elsewhere(storage, study, rng, path), path)


@kind("another cell's file beside")
def _(storage, study, rng):
    path = a_block(storage, study, rng)
    shutil.copy(
        elsewhere(storage, study, rng, path), path.with_name("blocks-000007-000007.parquet")
    )


@kind("another study's file under this name")
def _(storage, study, rng):
    other = next(entry.name for entry in storage.iterdir() if entry.name != study)
    shutil.copy(a_block(storage, other, rng), a_block(storage, study, rng))


@kind("another study's cell")
def _(storage, study, rng):
    other = next(entry.name for entry in storage.iterdir() if entry.name != study)
    shutil.copytree(a_block(storage, other, rng).parent, storage / study / "0123456789abcdef")


for wrong in (
    "blocks-000000-999999", "blocks-000005-000002", "blocks-000003-000003",
    "blocks-0000000-0000000", "blocks-000000-000000 (1)", "BLOCKS-000000-000000",
    f"blocks-{6 * chr(0x660)}-{6 * chr(0x660)}", "blocks-000000-000009",
    "blocks-999999999999-999999999999",
):  # fmt: skip

    @kind(f"a copy named {wrong}")
    def _(storage, study, rng, wrong=wrong):
        path = a_block(storage, study, rng)
        shutil.copy(path, path.with_name(f"{wrong}.parquet"))

    @kind(f"renamed to {wrong}")
    def _(storage, study, rng, wrong=wrong):
        path = a_block(storage, study, rng)
        path.rename(path.with_name(f"{wrong}.parquet"))


@kind("an empty file named 0-999999")
def _(storage, study, rng):
    (a_block(storage, study, rng).parent / "blocks-000000-999999.parquet").write_bytes(b"")


@kind("a block is gone")
def _(storage, study, rng):
    a_block(storage, study, rng).unlink()


@kind("a cell is gone")
def _(storage, study, rng):
    shutil.rmtree(a_block(storage, study, rng).parent)


@kind("all is gone but the side files")
def _(storage, study, rng):
    for path in blocks(storage, study):
        path.unlink()


def in_its_place(what: str, pick: Callable[[Path, str, np.random.Generator], Path]) -> None:
    """Something else where a file or a folder was."""

    def gone(path: Path) -> Path:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        return path

    @kind(f"a folder in place of {what}")
    def _(storage, study, rng):
        path = gone(pick(storage, study, rng))
        (path / "below").mkdir(parents=True)

    @kind(f"a link that leads nowhere in place of {what}")
    def _(storage, study, rng):
        gone(pick(storage, study, rng)).symlink_to("/nowhere/at/all")

    @kind(f"a link to itself in place of {what}")
    def _(storage, study, rng):
        path = gone(pick(storage, study, rng))
        path.symlink_to(path)

    @kind(f"a pipe in place of {what}")
    def _(storage, study, rng):
        os.mkfifo(gone(pick(storage, study, rng)))

    @kind(f"a file of nothing in place of {what}")
    def _(storage, study, rng):
        gone(pick(storage, study, rng)).write_bytes(b"")


in_its_place("a block", a_block)
in_its_place("a cell", lambda *where: a_block(*where).parent)
in_its_place("study.json", lambda storage, study, _: storage / study / "study.json")
in_its_place("provenance.json", lambda storage, study, _: storage / study / "provenance.json")


@kind("links that lead back")
def _(storage, study, rng):
    for name in ("a", "b", "0123456789abcdef"):
        (storage / study / name).symlink_to(storage / study)
        (a_block(storage, study, rng).parent / name).symlink_to(storage / study)


@kind("a block is a link to itself elsewhere")
def _(storage, study, rng):
    path = a_block(storage, study, rng)
    moved = storage.parent / "moved.parquet"
    path.rename(moved)
    path.symlink_to(moved)


@kind("the study within itself")
def _(storage, study, rng):
    shutil.copytree(storage / study, storage / "copy")
    (storage / "copy").rename(storage / study / "copy")


@kind("what writers left")
def _(storage, study, rng):
    path = a_block(storage, study, rng)
    shutil.copy(path, f"{path}.0123456789abcdef0123456789abcdef.tmp")
    (storage / study / ".launch-0123").write_bytes(b"")
    (storage / study / "growth.json.0123.tmp").write_bytes(b"{")


@kind("odd names")
def _(storage, study, rng):
    cell = a_block(storage, study, rng).parent
    for name in (
        "x" * 255,
        "\x1b[31mred",
        "two\nlines",
        "[bold]red",
        "growth-0123456789abcdef.json",
    ):
        (cell / name).write_bytes(b"")
        (storage / study / name).write_bytes(b"")
    (storage / study / ("y" * 255)).mkdir()


def side_file(name: str, change: Callable[[bytes, np.random.Generator], bytes | None]) -> None:
    for stem in ("study", "growth", "provenance"):

        @kind(f"{stem}.json: {name}")
        def _(storage, study, rng, stem=stem):
            path = storage / study / f"{stem}.json"
            if not path.exists():  # a study that did not grow
                path.write_bytes(b"{}")
            data = change(path.read_bytes(), rng)
            path.unlink() if data is None else path.write_bytes(data)

        if name in ("empty", "a bit flips", "deleted", "cut"):

            @kind(f"{stem}.json and its copies: {name}")
            def _(storage, study, rng, stem=stem):
                for path in (storage / study).glob(f"{stem}*.json"):
                    data = change(path.read_bytes(), rng)
                    path.unlink() if data is None else path.write_bytes(data)

            @kind(f"copies of {stem}.json: {name}")
            def _(storage, study, rng, stem=stem):
                for path in (storage / study).glob(f"{stem}-*.json"):
                    data = change(path.read_bytes(), rng)
                    path.unlink() if data is None else path.write_bytes(data)


side_file("empty", lambda d, _: b"")
side_file("cut", lambda d, rng: d[: rng.integers(1, len(d))])
side_file("a bit flips", flip(0, 1))
side_file("deleted", lambda d, _: None)
side_file("noise", lambda d, rng: rng.bytes(len(d)))
side_file("null", lambda d, _: b"null")
side_file("a list", lambda d, _: b"[1, 2]")
side_file("a number", lambda d, _: b"1e999")
side_file("an empty object", lambda d, _: b"{}")
side_file("nested deeply", lambda d, _: b"[" * 100_000)
side_file("numbers where texts belong", lambda d, _: d.replace(b'"', b"0"))
side_file("a huge number", lambda d, _: d.replace(b": 1", b": 1" + b"0" * 400))
side_file("another type", lambda d, _: json.dumps({k: [k] for k in json.loads(d)}).encode())
