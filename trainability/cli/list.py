"""`trainability list`: the studies and tunings of a storage."""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING, Any

from trainability.cli.app import StorageOption, app, clean, err, examples, out
from trainability.cli.documents import JsonOption, print_document
from trainability.errors import InputError, StorageError
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.stored import has_folder

if TYPE_CHECKING:
    from trainability.storage import BlockFile

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@app.command(
    "list",
    rich_help_panel="Results",
    epilog=examples("list", "list --storage s3://bucket/results", "list --json"),
)
def list_studies(storage: StorageOption = "results", as_json: JsonOption = False) -> None:
    """List the studies and tunings of a storage: how far, when, and how many succeeded."""
    place = Storage(storage)
    has_any = has_folder(place)
    entries = [_entry(name, "study", place) for name in place.studies()]
    entries += [_entry(name, "tuning", place) for name in place.studies("tuning")]
    if as_json:
        print_document({"storage": place.shown, "studies": entries})
        return
    if not entries:
        lacks = "" if has_any else ": there is no such folder"
        err.print(f"no studies in {place.shown}{lacks}", soft_wrap=True)
        return
    _show(entries, place)


def _entry(name: str, kind: str, place: Storage) -> dict[str, Any]:
    """How far a study is; None for what can't be told."""
    from trainability.running.stopping import running

    entry: dict[str, Any] = {
        "name": name, "kind": kind, "cells": None, "cells_done": None, "networks": None,
        "networks_wanted": None, "successes": None, "success_rate": None,
        "success_rate_low": None, "success_rate_high": None, "finished_at": None,
        "running": [], "problem": None,
    }  # fmt: skip
    try:
        entry["running"] = [f"process {run.pid} on {run.host}" for run in running(name, place)]
        if kind == "study":
            _study(entry, place)
        else:
            _stored(entry, place.block_files(name), place)
    except (InputError, StorageError) as error:
        entry["problem"] = str(error)
    return entry


def _study(entry: dict[str, Any], place: Storage) -> None:
    from trainability.analysis.rates import Rate
    from trainability.growth import study_cells, wanted_blocks
    from trainability.plan import missing_blocks
    from trainability.study import Study

    name = entry["name"]
    record: Any = place.read_record(name, "study")
    try:
        study = Study.from_json(json.dumps(record))
    except InputError as error:
        # One with code of the user's, which its declaration can't hold; or one that is damaged.
        files = place.block_files(name)
        try:
            entry["cells"] = math.prod(len(values) for values in record["axes"].values())
            wanted = entry["cells"] * math.ceil(record["replicates"] / BLOCK_SIZE) * BLOCK_SIZE
        except (TypeError, LookupError, AttributeError):
            entry["problem"] = f"its declaration can't be read: {error}"
            wanted = 0
    else:
        cells = study_cells(study, place)
        files = place.block_files(name, cells)
        blocks = wanted_blocks(study, place, cells)
        missing = missing_blocks(blocks, files)
        entry["cells"] = len(cells)
        entry["cells_done"] = sum(not lacking for lacking in missing.values())
        wanted = sum(blocks.values()) * BLOCK_SIZE
    _stored(entry, files, place)
    entry["networks_wanted"] = max(wanted, entry["networks"]) if wanted else None
    chosen = list(dict.fromkeys(file.cell for file in files))
    if chosen:
        success = place.read_rows(name, chosen, ["success"])["success"]
        rate = Rate(int(success.sum()), len(success))
        entry["successes"], entry["success_rate"] = rate.successes, rate.estimate
        entry["success_rate_low"], entry["success_rate_high"] = rate.interval()


def _stored(entry: dict[str, Any], files: list[BlockFile], place: Storage) -> None:
    """What block files say by themselves."""
    blocks = {(file.cell, block) for file in files for block in file.blocks}
    entry["networks"] = len(blocks) * BLOCK_SIZE
    if entry["kind"] == "tuning":
        entry["cells"] = len({cell for cell, _ in blocks})
    made = (place.provenance(file).get("finished_at") for file in files)
    entry["finished_at"] = max((float(at) for at in made if at), default=None)


def _show(entries: list[dict[str, Any]], place: Storage) -> None:
    from trainability.cli.tables import Column, new_table, titled
    from trainability.report.text import with_interval

    right = ("cells", "networks", "success % [95 %]", "last result")
    table = new_table([Column("study", True), *map(Column, right)])
    for entry in entries:
        rates = [entry[f"success_rate{end}"] for end in ("", "_low", "_high")]
        table.add_row(
            clean(entry["name"]) + (" (tuning)" if entry["kind"] == "tuning" else ""),
            _of(entry["cells_done"], entry["cells"]),
            _of(entry["networks"], entry["networks_wanted"]),
            "-" if None in rates else with_interval(*rates),
            "runs now" if entry["running"] else _ago(entry["finished_at"]),
        )
    table.add_section()
    n = sum(entry["networks"] or 0 for entry in entries)
    table.add_row(f"{len(entries)} in all", "", f"{n:,}", "", "", style="bold")
    out.print(titled(place.shown, table))
    if any(entry["success_rate"] is not None for entry in entries):
        out.print("Success is that of all stored networks of a study together.")
    for entry in entries:
        if entry["problem"]:
            out.print(f"{entry['name']}: {entry['problem']}", soft_wrap=True)


def _of(part: int | None, whole: int | None) -> str:
    if part is None or part == whole:
        return "-" if whole is None and part is None else f"{part if whole is None else whole:,}"
    return f"{part:,}" if whole is None else f"{part:,}/{whole:,}"


def _ago(at: float | None) -> str:
    """How long ago something was, in the largest unit."""
    if at is None:
        return "-"
    seconds = max(0.0, time.time() - at)
    for unit, size in (("d", _DAY), ("h", _HOUR), ("min", _MINUTE)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return "just now"
