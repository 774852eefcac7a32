"""JSON on stdout: one document, and nothing else there."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

    from trainability.report import Report
    from trainability.storage import Storage

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
HashesOption = Annotated[
    bool, typer.Option("--hashes", help="Show the id of every cell: its folder on storage.")
]


@contextlib.contextmanager
def only_documents(as_json: bool) -> Iterator[None]:
    """While it lasts, what libraries print goes to stderr, if stdout is for a document."""
    if not as_json:
        yield
        return
    with contextlib.redirect_stdout(sys.stderr):
        yield


def print_document(value: Mapping[str, Any]) -> None:
    """Print a JSON document; what JSON has no number for, such as NaN, is null."""
    print(json.dumps(plain(value), allow_nan=False))


def plain(value: Any) -> Any:
    """A value as JSON holds it."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if hasattr(value, "tolist"):  # NumPy's
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table, its index among the columns if that has a name."""
    table = table if table.index.name is None else table.reset_index()
    return plain(table.astype(object).where(table.notna(), None).to_dict("records"))


def study_document(report: Report, storage: Storage) -> dict[str, Any]:
    """What a study found: its answer, and every cell with its rates and intervals."""
    findings = report.findings
    return {
        "study": findings.study.name,
        "question": findings.study.question,
        "storage": storage.shown,
        "is_complete": findings.is_complete,
        "networks": findings.n_networks,
        "networks_wanted": findings.n_wanted,
        "answer": report.answer,
        "cells": records(findings.rates),
        "report": str(report.page),
    }
