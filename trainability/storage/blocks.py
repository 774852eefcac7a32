"""Block files: how rows are written, and what a file that is read back is worth.

A file says in its Parquet metadata what it is: version, study, cell, blocks, and a SHA-256 over
all of its bytes, in which the sum itself counts as zeros. So whatever happens to a file is seen,
wherever in it, also by code that is older than the file. Files from before files said so have no
sum; of those every value is checked.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from trainability.columns import VERSION
from trainability.results import (
    SCHEMA,
    fill,
    schema_problem,
    table_of,
    validate,
    value_problem,
)
from trainability.seeds import BLOCK_SIZE

if TYPE_CHECKING:
    import pandas as pd

State = Literal["sound", "older", "newer", "damaged"]

_NAME = re.compile(r"blocks-([0-9]{6,12})-([0-9]{6,12})\.parquet")
_OURS = "trainability."
_SUM = re.compile(rb"sha256:[0-9a-f]{64}")
_ZEROS = b"sha256:" + b"0" * 64
_MADE = {"engine", "device", "seconds", "network_steps", "finished_at", "host"}
_NUMBERS = ("seconds", "network_steps", "finished_at")


@dataclass(frozen=True)
class BlockFile:
    """A file with the rows of blocks `first` to `last`, both included."""

    cell: str
    first: int
    last: int
    path: str

    @property
    def blocks(self) -> range:
        return range(self.first, self.last + 1)

    @property
    def n_rows(self) -> int:
        return len(self.blocks) * BLOCK_SIZE


@dataclass(frozen=True)
class Verdict:
    """What a file is worth.

    Args:
        state: `sound`; `older`: sound, and younger columns are filled in; `newer`: written by
            code that knows more than this; `damaged`.
        why: What is wrong, empty if nothing is.
        version: Of the file, 0 if it says none.
        made: Its provenance.
    """

    state: State
    why: str = ""
    version: int = 0
    made: Mapping[str, str] | None = None

    @property
    def counts(self) -> bool:
        """Whether its rows count."""
        return self.state in ("sound", "older")


def block_name(first: int, last: int) -> str:
    """The name of the file of blocks `first` to `last`, both included."""
    return f"blocks-{first:06d}-{last:06d}.parquet"


def block_file(path: str) -> BlockFile | None:
    """The block file that a path names, None if it names none."""
    cell, _, name = path.rpartition("/")
    match = _NAME.fullmatch(name)
    if not match:
        return None
    first, last = int(match[1]), int(match[2])
    # Another spelling of the same numbers is another file.
    return BlockFile(cell.rpartition("/")[2], first, last, path) if (
        block_name(first, last) == name
    ) else None  # fmt: skip


def encode(study: str, rows: pd.DataFrame, made: Mapping[str, str]) -> tuple[BlockFile, bytes]:
    """The rows of consecutive whole blocks of one cell as a file, with its path in the study.

    Args:
        study: The study's name.
        rows: As `results` describes them.
        made: Provenance: how and when they were made.
    """
    validate(rows)
    cell = str(rows["cell"].iloc[0])
    first = int(rows["replicate"].iloc[0]) // BLOCK_SIZE
    last = int(rows["replicate"].iloc[-1]) // BLOCK_SIZE
    file = BlockFile(cell, first, last, f"{study}/{cell}/{block_name(first, last)}")
    own = {
        "version": str(VERSION),
        "study": study,
        "cell": cell,
        "blocks": f"{first}-{last}",
        "checksum": _ZEROS.decode(),
    }
    table = table_of(rows).replace_schema_metadata(
        {**made, **{_OURS + key: value for key, value in own.items()}}
    )
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True, store_schema=True)
    data = buffer.getvalue().to_pybytes()
    assert data.count(_ZEROS) == 1
    return file, data.replace(_ZEROS, _checksum(data, data.index(_ZEROS)))


def judge(data: bytes, file: BlockFile, study: str) -> Verdict:
    """What a block file is worth.

    Args:
        data: Its content.
        file: What its name says.
        study: Name of the study in whose folder it lies.
    """
    if file.last < file.first:
        return Verdict("damaged", "its name says no blocks")
    try:
        # Whatever a parser makes of garbage, it is garbage.
        return _judge(data, file, study)
    except Exception as error:
        return Verdict("damaged", f"{type(error).__name__}: {error}".splitlines()[0][:200])


def decode(source: pa.NativeFile | pa.Buffer, names: Sequence[str]) -> pa.Table:
    """Some columns of a file that is sound or older, in order."""
    # For small files twice as fast as `read_table`, which looks for a whole data set.
    parquet = pq.ParquetFile(source, pre_buffer=True, page_checksum_verification=True)
    columns = set(parquet.schema_arrow.names)
    # Of a file without any of them one column tells how many rows there are.
    wanted = [name for name in names if name in columns] or ["replicate"]
    return fill(parquet.read(wanted, use_threads=False), names)


def _judge(data: bytes, file: BlockFile, study: str) -> Verdict:
    parquet = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
    raw = {
        key.decode(): value.decode()
        for key, value in (parquet.metadata.metadata or {}).items()
        if key != b"ARROW:schema"
    }
    own = {key.removeprefix(_OURS): raw.pop(key) for key in list(raw) if key.startswith(_OURS)}
    if not own:
        return _judge_first(parquet, raw, file, study)
    sums = list(_SUM.finditer(data))
    if not any(_checksum(data, at.start()) == at[0] for at in sums[-8:]):
        return Verdict("damaged", "its content does not fit its checksum")
    version = int(own["version"])
    said = (own["study"], own["cell"], own["blocks"])
    if said != (study, file.cell, f"{file.first}-{file.last}"):
        return Verdict("damaged", f"it holds blocks {said[2]} of cell {said[1]} of {said[0]}")
    if version > VERSION:
        return Verdict("newer", f"version {version}", version)
    problem = schema_problem(parquet.schema_arrow, version)
    if problem or parquet.metadata.num_rows != file.n_rows:
        return Verdict("damaged", problem or "it does not hold as many rows as its name says")
    return Verdict("older" if version < VERSION else "sound", "", version, raw)


def _judge_first(
    parquet: pq.ParquetFile, made: dict[str, str], file: BlockFile, study: str
) -> Verdict:
    """Judge a file from before files had a version and a checksum: by all that it says."""
    if parquet.metadata.num_rows != file.n_rows:
        return Verdict("damaged", f"it has {parquet.metadata.num_rows} rows, not {file.n_rows}")
    if problem := schema_problem(parquet.schema_arrow, 0):
        return Verdict("damaged", problem)
    if set(made) != _MADE:
        return Verdict("damaged", "it does not say how it was made")
    for name in _NUMBERS:
        if not 0 <= float(made[name]) < float("inf"):
            return Verdict("damaged", f"its {name} is {made[name]}")
    table = fill(parquet.read(use_threads=False), SCHEMA.names)
    table.validate(full=True)
    problem = value_problem(table, study, file.cell, file.first * BLOCK_SIZE)
    return Verdict("damaged", problem) if problem else Verdict("older", made=made)


def _checksum(data: bytes, at: int) -> bytes:
    """The sum over a file, in which the sum itself, at a place, counts as zeros."""
    view = memoryview(data)
    digest = hashlib.sha256(view[:at])
    digest.update(_ZEROS)
    digest.update(view[at + len(_ZEROS) :])
    return b"sha256:" + digest.hexdigest().encode()
