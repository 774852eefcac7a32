"""What MLflow costs per cell of a large study: on SQLite, and on a server with PostgreSQL.

Not a test: it prints what `cluster/README.md` tells. Every cell has the rows of the first one.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from pathlib import Path

import numpy as np
from mlflow import MlflowClient
from mlflow_server import server_on_postgres

from trainability import Adam, Study
from trainability.schemes import UnitSphere
from trainability.storage import Storage
from trainability.study import Cell
from trainability.tasks import AbsoluteValue
from trainability.tracking import MlflowMirror, tracking_uri
from trainability.trial import Runtime, run_trial


def study_of(n_cells: int) -> Study:
    return Study(
        name="mirrored",
        question="What does MLflow cost per cell?",
        task=AbsoluteValue(n_train=100),
        axes={"optimizer": [Adam(learning_rate=5e-3 + 1e-7 * cell) for cell in range(n_cells)]},
        scheme=UnitSphere(),
        width=4,
        max_steps=10_000,
        tolerance=1e-3,
        replicates=256,
    )


def store(study: Study, storage: Storage) -> list[Cell]:
    cells = study.cells()
    rows, provenance = run_trial(study.name, cells[0], [0], Runtime())
    for cell in cells:
        own = {name: value for name, value in cell.columns().items() if name in rows}
        storage.write_rows(study.name, rows.assign(**own), provenance | {"finished_at": "1000.0"})
    return cells


def measure(study: Study, storage: Storage, cells: list[Cell], uri: str) -> None:
    mirror = MlflowMirror(study, storage, uri)
    seconds = []
    for cell in cells:
        begun = time.perf_counter()
        mirror.start(cell)
        mirror.finish(cell)
        seconds.append(time.perf_counter() - begun)
    closing = time.perf_counter()
    mirror.close("FINISHED")
    closed = time.perf_counter()
    MlflowMirror(study, storage, uri)
    opened = time.perf_counter()
    tenths = [1e3 * np.median(part) for part in np.array_split(seconds, 10)]
    print(f"ms per cell, median of each tenth: {' '.join(f'{tenth:.0f}' for tenth in tenths)}")
    print(f"all {sum(seconds):.0f} s; end {closed - closing:.1f} s; open {opened - closed:.1f} s")
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(f"trainability/{study.name}")
    runs, token = [], None
    while token is None or token:
        page = client.search_runs([experiment.experiment_id], max_results=1000, page_token=token)
        runs += page
        token = page.token or ""
    statuses = {run.info.status for run in runs if run.data.tags["trial_key"] != "study"}
    print(f"{len(runs) - 1:,} of {len(cells):,} cells are there, {', '.join(statuses)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=5000)
    parser.add_argument("--stores", nargs="+", default=["sqlite", "server"])
    given = parser.parse_args()
    study = study_of(given.cells)
    with contextlib.ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        storage = Storage(folders[0])
        cells = store(study, storage)
        if "sqlite" in given.stores:
            print("SQLite:")
            measure(study, storage, cells, tracking_uri(None, storage))
        if "server" in given.stores:
            server = stack.enter_context(server_on_postgres(folders[1]))
            print("a server on PostgreSQL, everything on one machine:")
            measure(study, storage, cells, server.uri)


if __name__ == "__main__":
    main()
