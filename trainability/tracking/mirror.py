"""Rows and provenance to MLflow: a mirror of storage that can always be made whole again.

One parent MLflow run per study and a nested one per cell, whatever the number of trials that
shared the cell: how cells are dealt out is a matter of runtime. Each is found again by its
`trial_key` tag. A nested run's metrics are logged once, in one batch, when its blocks are all
there; the `content` tag says which blocks they are. If a cell has grown since, its MLflow run is
replaced: MLflow can't take points of a curve back.
"""

from __future__ import annotations

import logging
import math
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from trainability.addresses import shown, without_secrets
from trainability.analysis.expected import expected_trainability
from trainability.errors import InputError
from trainability.storage import Storage
from trainability.study import Study
from trainability.study.cell import Cell
from trainability.tracking import view
from trainability.tracking.metrics import curve_metrics, final_metrics
from trainability.tracking.new_store import make_store
from trainability.tracking.uri import sqlite_path

_PARENT_KEY = "study"
_EXPERIMENT = "trainability/"
_PARENT_TAG = "mlflow.parentRunId"
_PAGE = 1000
_CONTENT_TAG = "content"
_FAILURE_TAG = "failure"
_ENVIRONMENT = {
    # So that an outage of the server is noticed in seconds.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    # Of a server it would print two lines per cell, through the progress bar.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # It would tell its makers of every call.
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""The user's own settings win."""


@dataclass(frozen=True)
class _Run:
    """What has to be known of an MLflow run; all that MLflow tells would fill the memory.

    Args:
        id: Its id.
        status: Its status.
        begun: When it began, in milliseconds since 1970.
        content: The blocks whose rows it shows; None before it is whole.
        failed: Whether it says why it failed.
    """

    id: str
    status: str
    begun: int
    content: str | None = None
    failed: bool = False


@dataclass(frozen=True)
class _Found:
    """An MLflow run on the server, and its parent's id."""

    run: _Run
    parent: str | None

    @classmethod
    def of(cls, run: Any) -> _Found:
        tags = run.data.tags
        content, failed = tags.get(_CONTENT_TAG), _FAILURE_TAG in tags
        begun, ended = run.info.start_time, run.info.end_time
        if ended is not None and ended < begun:  # of an older version; it is logged again
            content = None
        known = _Run(run.info.run_id, run.info.status, begun, content, failed)
        return cls(known, tags.get(_PARENT_TAG))


class MlflowMirror:
    """The MLflow side of one study. Every method may be called again; that changes nothing.

    Args:
        study: The study.
        storage: Where its rows are.
        uri: MLflow's tracking URI.
        begun: When the work that is mirrored began, in seconds since 1970; None for now. MLflow is
            told later, in the background.
    """

    def __init__(
        self, study: Study, storage: Storage, uri: str, begun: float | None = None
    ) -> None:
        _prepare_environment()
        from mlflow import MlflowClient

        # After the import, which sets levels of its own.
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        self._study, self._storage = study, storage
        make_store(uri)
        self._begun = int(1000 * (time.time() if begun is None else begun))
        self._client = MlflowClient(uri)
        self._experiment = self._find_or_create_experiment(uri)
        self._runs = self._reconcile()
        self.parent, self._parent_begun = self._parent()
        self._client.set_experiment_tag(self._experiment, view.TAG, view.view_state())

    def start(self, cell: Cell, at: float | None = None) -> None:
        """Show that a cell is being worked on, since `at`, in seconds since 1970."""
        run = self._runs.get(cell.id)
        if run is None:
            self._create(cell, int(1000 * (time.time() if at is None else at)))
        elif run.status != "RUNNING" and run.content is None:
            self._client.update_run(run.id, status="RUNNING")
            self._runs[cell.id] = replace(run, status="RUNNING")

    def finish(self, cell: Cell) -> None:
        """Log a cell whose blocks are all there, unless it is logged already."""
        files = self._storage.block_files(self._study.name, [cell.id])
        content = ",".join(f"{file.first}-{file.last}" for file in files)
        run = self._runs.get(cell.id)
        if run is not None and run == _Run(run.id, "FINISHED", run.begun, content):
            return
        provenance = [self._storage.provenance(file) for file in files]
        finished = max(float(entry["finished_at"]) for entry in provenance)
        if run is not None and run.begun > 1000 * finished:
            # MLflow can't move the start of a run, and a later one is not when the work began.
            self._client.delete_run(run.id)
            run = None
        if run is None or run.content != content:
            run = self._log(cell, run, content, provenance, finished)
        if run.failed:  # once, and not any more
            self._client.delete_tag(run.id, _FAILURE_TAG)
        # Also where a driver died just before it would have said so.
        self._client.set_terminated(run.id, "FINISHED", int(1000 * finished))
        self._runs[cell.id] = _Run(run.id, "FINISHED", run.begun, content)

    def fail(self, cell: Cell, why: str) -> None:
        """Show that a cell could not be finished, and why."""
        run = self._runs.get(cell.id) or self._create(cell, _now())
        self._client.set_tag(run.id, _FAILURE_TAG, without_secrets(why)[:5000])
        self._terminate(run, "FAILED")
        self._runs[cell.id] = replace(run, status="FAILED", failed=True)

    def close(self, status: str) -> None:
        """End the parent as `FINISHED`, `FAILED` or `KILLED`, and whatever still runs as killed."""
        self._runs = self._reconcile()
        for key, run in self._runs.items():
            if key != _PARENT_KEY and run.status == "RUNNING":
                self._terminate(run, "KILLED")
                self._mend_if_whole(run)
        self._terminate(_Run(self.parent, "RUNNING", self._parent_begun), status)

    def log_report(self, folder: Path, description: str) -> None:
        """Put the report's files and a description in Markdown on the parent."""
        self._client.log_artifacts(self.parent, str(folder), "report")
        self._client.set_tag(self.parent, "mlflow.note.content", description)

    def _mend_if_whole(self, run: _Run) -> None:
        """Another driver may have ended this cell while we took it for one that nobody ends."""
        now = self._client.get_run(run.id)
        if _CONTENT_TAG in now.data.tags:
            history = self._client.get_metric_history(run.id, "success_rate")
            self._client.set_terminated(run.id, "FINISHED", max(m.timestamp for m in history))

    def _terminate(self, run: _Run, status: str) -> None:
        """End a run now; the clock of the worker that began it may be ahead of ours."""
        self._client.set_terminated(run.id, status, max(_now(), run.begun))

    def _reconcile(self) -> dict[str, _Run]:
        """The study's MLflow runs by key; of those that two drivers created for one key, one."""
        found: dict[str, list[_Found]] = {}
        token = None
        while True:
            page = self._client.search_runs(
                [self._experiment],
                filter_string=f"tags.study = '{self._study.name}'",
                max_results=_PAGE,
                page_token=token,
            )
            for run in page:
                found.setdefault(run.data.tags.get("trial_key", ""), []).append(_Found.of(run))
            token = page.token
            if not token:
                break
        kept = {}
        for key, runs in found.items():
            # Every driver that looks keeps the same: a whole one, else the oldest.
            runs.sort(key=lambda entry: (entry.run.content is None, entry.run.begun, entry.run.id))
            kept[key] = runs[0]
            for superfluous in runs[1:]:
                self._client.delete_run(superfluous.run.id)
        if _PARENT_KEY in kept:
            parent = kept[_PARENT_KEY].run.id
            for key, entry in kept.items():
                if key != _PARENT_KEY and entry.parent != parent:
                    self._client.set_tag(entry.run.id, _PARENT_TAG, parent)
        return {key: entry.run for key, entry in kept.items()}

    def _find_or_create_experiment(self, uri: str) -> str:
        from mlflow.exceptions import MlflowException

        name = f"{_EXPERIMENT}{self._study.name}"
        found = self._client.get_experiment_by_name(name)
        if found is None:
            # An embedded store would else put artifacts into the current folder.
            where = None
            if (store := sqlite_path(uri)) is not None:
                folder = store.absolute().parent / "mlflow-artifacts"
                where = f"{folder.as_uri()}/{self._study.name}"
            try:
                return self._client.create_experiment(
                    name,
                    artifact_location=where,
                    # Opens MLflow's page on the runs and their charts, not on language models.
                    tags={"mlflow.experimentKind": "custom_model_development"},
                )
            except MlflowException:
                # Another driver was faster.
                found = self._client.get_experiment_by_name(name)
                if found is None:
                    raise
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return found.experiment_id

    def _parent(self) -> tuple[str, int]:
        """The id of the study's own run, and when it began."""
        study = self._study
        run = self._runs.get(_PARENT_KEY)
        if run is None:
            created = self._client.create_run(
                self._experiment,
                start_time=self._begun,
                run_name=study.name,
                tags={
                    "trial_key": _PARENT_KEY,
                    "study": study.name,
                    "mlflow.note.content": f"**{study.question}**",
                },
            )
            self._runs = self._reconcile()  # another driver may have created one just now
            run = self._runs.get(_PARENT_KEY, _Run(created.info.run_id, "RUNNING", self._begun))
        else:
            self._client.update_run(run.id, status="RUNNING")
        self._client.log_text(run.id, study.to_json(), "study.json")
        for key, value in self._storage.read_environment(study.name).items():
            self._client.set_tag(run.id, key, value)
        return run.id, run.begun

    def _create(self, cell: Cell, start_time: int) -> _Run:
        created = self._client.create_run(
            self._experiment,
            start_time=start_time,
            run_name=_run_name(cell),
            tags={
                "trial_key": cell.id,
                "study": self._study.name,
                _PARENT_TAG: self.parent,
            },
        )
        self._client.log_batch(created.info.run_id, params=_params(cell))
        self._runs[cell.id] = _Run(created.info.run_id, "RUNNING", start_time)
        return self._runs[cell.id]

    def _log(
        self,
        cell: Cell,
        run: _Run | None,
        content: str,
        provenance: Sequence[Mapping[str, str]],
        finished: float,
    ) -> _Run:
        """Log all of a whole cell; in a new MLflow run if there is none, or one of fewer blocks."""
        from mlflow.entities import Metric, RunTag

        if run is not None and run.content is not None:
            self._client.delete_run(run.id)
            run = None
        rows = self._storage.read_rows(self._study.name, [cell.id])
        timestamp = int(1000 * finished)
        if run is None:
            begun = min(float(e["finished_at"]) - float(e["seconds"]) for e in provenance)
            run = self._create(cell, int(1000 * begun))
        self._log_rows(run.id, rows)
        values = final_metrics(rows, float(expected_trainability(cell)), provenance)
        last = int(rows["max_steps"].iloc[0])
        curves = curve_metrics(rows)
        metrics = [
            Metric(name, value, timestamp, last)
            for name, value in values.items()
            if math.isfinite(value) and name not in curves
        ]
        metrics += [
            Metric(name, value, timestamp, step)
            for name, points in curves.items()
            for step, value in points
        ]
        # Params again: a driver may have died after it had created the run. MLflow sets tags last,
        # so that an MLflow run with this one is known to be whole.
        tags = [RunTag(_CONTENT_TAG, content)]
        self._client.log_batch(run.id, metrics=metrics, params=_params(cell), tags=tags)
        self._runs[cell.id] = replace(run, content=content)
        return self._runs[cell.id]

    def _log_rows(self, run_id: str, rows: pd.DataFrame) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.parquet"
            rows.to_parquet(path, index=False)
            self._client.log_artifact(run_id, str(path))


def _now() -> int:
    return int(1000 * time.time())


def _prepare_environment() -> None:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def _run_name(cell: Cell) -> str:
    shape = [("width", cell.width), ("depth", cell.depth)]
    words = [f"{name} {value}" for name, value in shape if value is not None]
    network = [str(cell.network)] if cell.network is not None else []
    return " ".join([str(cell.scheme), *network, *words])


def _params(cell: Cell) -> list[Any]:
    from mlflow.entities import Param

    # Of MLflow's params, which are texts, `width` alone says the widths of all layers.
    columns = cell.columns() | {"width": cell.width, "widths": None}
    return [Param(name, str(value)) for name, value in columns.items() if value is not None]


def study_pages(uri: str, server: str) -> dict[str, str]:
    """The address of every study's page on an MLflow server, by the study's name.

    Args:
        uri: The tracking URI of the store.
        server: The server's address, such as http://127.0.0.1:5000.
    """
    _prepare_environment()
    from mlflow import MlflowClient

    try:
        experiments = MlflowClient(uri).search_experiments()
    except Exception as error:  # of any library that MLflow reaches its store by
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(
            f"MLflow at {shown(uri)} can't be read ({said}); wanted the tracking URI of a server "
            "or store that is there"
        ) from error
    return {
        experiment.name.removeprefix(_EXPERIMENT): view.address(server, experiment.experiment_id)
        for experiment in experiments
        if experiment.name.startswith(_EXPERIMENT)
    }
