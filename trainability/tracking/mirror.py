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
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from trainability.addresses import shown, without_secrets
from trainability.analysis.expected import expected_trainability, why_unbounded
from trainability.errors import InputError
from trainability.storage import Storage
from trainability.study import Study
from trainability.study.cell import Cell
from trainability.tracking import view
from trainability.tracking.by_width import RATES
from trainability.tracking.data import data_of
from trainability.tracking.machine import MachineMetrics
from trainability.tracking.metrics import curve_metrics, final_metrics
from trainability.tracking.naming import Names
from trainability.tracking.new_store import make_store
from trainability.tracking.parent import DESCRIPTION_TAG, Parent
from trainability.tracking.runs import (
    CONTENT_TAG,
    FAILURE_TAG,
    PARENT_KEY,
    PARENT_TAG,
    SERIES_TAG,
    Run,
    reconciled,
)
from trainability.tracking.uri import sqlite_path

_EXPERIMENT = "trainability/"
_NEWEST = 1000
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
        self._begun = _milliseconds(begun)
        self._client = MlflowClient(uri)
        self._machine = MachineMetrics(uri)
        self._experiment = self._find_or_create_experiment(uri)
        self._names = Names(study)
        self._runs = reconciled(self._client, self._experiment, study.name)
        self._parent = self._find_or_create_parent()
        self._describe(study.question)
        self._client.set_experiment_tag(self._experiment, view.TAG, self._view())

    def _view(self) -> str:
        is_tuning = self._storage.read_bytes(f"{self._study.name}/tuning.json") is not None
        return view.view_state(self._names, best_first=is_tuning)

    def start(self, cell: Cell, at: float | None = None) -> None:
        """Show that a cell is being worked on, since `at`, in seconds since 1970."""
        self._machine.watch(self._parent.id)
        run = self._runs.get(cell.id)
        if run is None:
            self._create(cell, _milliseconds(at))
        elif run.status != "RUNNING" and run.content is None:
            self._client.update_run(run.id, status="RUNNING")
            self._runs[cell.id] = replace(run, status="RUNNING")

    def finish(self, cell: Cell) -> None:
        """Log a cell whose blocks are all there, unless it is logged already."""
        files = self._storage.block_files(self._study.name, [cell.id])
        content = ",".join(f"{file.first}-{file.last}" for file in files)
        run = self._runs.get(cell.id)
        if run is not None and run.shows(content):
            self._runs[cell.id] = self._label(cell, run)
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
            self._client.delete_tag(run.id, FAILURE_TAG)
        # Also where a driver died just before it would have said so.
        ended = int(1000 * finished)
        self._client.set_terminated(run.id, "FINISHED", ended)
        run = replace(run, status="FINISHED", ended=ended, failed=False)
        self._runs[cell.id] = self._label(cell, run)
        self._parent.show(cell, run.rates, ended, self._runs)

    def fail(self, cell: Cell, why: str, at: float | None = None) -> None:
        """Show that a cell could not be finished, and why; at `at`, None for now."""
        ended = _milliseconds(at)
        run = self._runs.get(cell.id) or self._create(cell, ended)
        self._client.set_tag(run.id, FAILURE_TAG, without_secrets(why)[:5000])
        run = self._terminate(run, "FAILED", ended)
        self._runs[cell.id] = replace(run, failed=True)

    def close(self, status: str, at: float | None = None) -> None:
        """End the parent, and whatever still runs as killed.

        Args:
            status: `FINISHED`, `FAILED` or `KILLED`.
            at: When the work ended, in seconds since 1970; None for now. MLflow is told later.
        """
        ended = _milliseconds(at)
        self._machine.stop()
        self._runs = reconciled(self._client, self._experiment, self._study.name)
        parent = self._runs.get(PARENT_KEY)
        if parent is None or parent.id != self._parent.id:
            # Of the two that two drivers created at once the other one's is kept.
            self._parent = self._find_or_create_parent()
        for key, run in self._runs.items():
            if key != PARENT_KEY and run.status == "RUNNING":
                self._runs[key] = self._mended(self._terminate(run, "KILLED", ended))
        self._parent.complete(self._runs)
        self._parent.end(status, self._runs, ended)

    def log_report(self, folder: Path, description: str) -> None:
        """Put the report's files and a description in Markdown where MLflow shows the study."""
        self._parent.log_report(folder, description)
        # In one paragraph: of others the page shows the first line alone until it is unfolded. And
        # without marks, for the list of experiments shows these.
        self._describe(description.replace("**", "").replace("\n\n", " ", 1))

    def _describe(self, text: str) -> None:
        """Describe the experiment, unless somebody else did."""
        before = self._client.get_experiment(self._experiment).tags.get(DESCRIPTION_TAG, "")
        is_ours = self._study.question in before
        is_less = is_ours and text in before
        if not before or (is_ours and not is_less):
            self._client.set_experiment_tag(self._experiment, DESCRIPTION_TAG, text)

    def _mended(self, run: Run) -> Run:
        """Another driver may have ended this cell while we took it for one that nobody ends."""
        now = self._client.get_run(run.id)
        if CONTENT_TAG not in now.data.tags:
            return run
        history = self._client.get_metric_history(run.id, "success_rate")
        ended = max(metric.timestamp for metric in history)
        self._client.set_terminated(run.id, "FINISHED", ended)
        return replace(Run.of(now), status="FINISHED", ended=ended)

    def _terminate(self, run: Run, status: str, at: int) -> Run:
        """End a run; the clock of the worker that began it may be ahead of ours."""
        ended = max(at, run.begun)
        self._client.set_terminated(run.id, status, ended)
        return replace(run, status=status, ended=ended)

    def _find_or_create_experiment(self, uri: str) -> str:
        from mlflow.exceptions import MlflowException

        name = f"{_EXPERIMENT}{self._study.name}"
        experiment = self._client.get_experiment_by_name(name)
        if experiment is None:
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
                experiment = self._client.get_experiment_by_name(name)
                if experiment is None:
                    raise
        if experiment.lifecycle_stage == "deleted":
            self._client.restore_experiment(experiment.experiment_id)
        return experiment.experiment_id

    def _find_or_create_parent(self) -> Parent:
        return Parent(
            self._client,
            self._experiment,
            self._study,
            self._storage,
            self._names,
            self._runs,
            self._begun,
        )

    def _create(self, cell: Cell, start_time: int) -> Run:
        name, series = self._names.run(cell), self._names.series(cell)
        created = self._client.create_run(
            self._experiment,
            start_time=start_time,
            run_name=name,
            tags={
                "trial_key": cell.id,
                "cell": cell.id,
                "study": self._study.name,
                SERIES_TAG: series,
                PARENT_TAG: self._parent.id,
            },
        )
        self._client.log_batch(created.info.run_id, params=_params(cell))
        self._runs[cell.id] = Run(
            created.info.run_id,
            "RUNNING",
            start_time,
            name=name,
            series=series,
            has_params=True,
            parent=self._parent.id,
        )
        return self._runs[cell.id]

    def _label(self, cell: Cell, run: Run) -> Run:
        """Add what an older version did not say: the name that it has now, series and data."""
        name, series = self._names.run(cell), self._names.series(cell)
        if run.name != name:
            self._client.update_run(run.id, name=name)
        if run.series != series:
            self._client.set_tag(run.id, SERIES_TAG, series)
            self._client.set_tag(run.id, "cell", cell.id)
        if not run.has_data:
            self._client.log_inputs(run.id, data_of(cell.task))
        return replace(run, name=name, series=series, has_data=True)

    def _log(
        self,
        cell: Cell,
        run: Run | None,
        content: str,
        provenance: Sequence[Mapping[str, str]],
        finished: float,
    ) -> Run:
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
        theory = math.nan if why_unbounded(cell) else float(expected_trainability(cell))
        values = final_metrics(rows, theory, provenance)
        last = int(rows["max_steps"].iloc[0])
        curves = curve_metrics(rows)
        metrics = [
            Metric(name, value, timestamp, last)
            for name, value in values.items()
            if math.isfinite(value) and name not in curves
        ]
        metrics += [
            Metric(name, value, timestamp, step)
            for name, curve in curves.items()
            for step, value in curve
        ]
        # A driver may have died after it had created the run. MLflow sets tags last, so that an
        # MLflow run with the content is known to be whole.
        params = () if run.has_params else _params(cell)
        tags = [RunTag(name, text) for name, text in _trained_by(provenance).items()]
        tags.append(RunTag(DESCRIPTION_TAG, _described(cell, values, len(rows))))
        tags.append(RunTag(CONTENT_TAG, content))
        self._client.log_batch(run.id, metrics=metrics, params=params, tags=tags)
        rates = {name: values[name] for name in RATES}
        self._runs[cell.id] = replace(run, content=content, rates=rates)
        return self._runs[cell.id]

    def _log_rows(self, run_id: str, rows: pd.DataFrame) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.parquet"
            rows.to_parquet(path, index=False)
            self._client.log_artifact(run_id, str(path))


def _milliseconds(seconds: float | None) -> int:
    """A time in MLflow's unit; None is now."""
    return int(1000 * (time.time() if seconds is None else seconds))


def _prepare_environment() -> None:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def _params(cell: Cell) -> list[Any]:
    from mlflow.entities import Param

    # Of MLflow's params, which are texts, `width` alone says the widths of all layers; the hash of
    # it all is a tag.
    columns = cell.columns() | {"width": cell.width, "widths": None, "cell": None}
    return [Param(name, str(value)) for name, value in columns.items() if value is not None]


def _described(cell: Cell, values: Mapping[str, float], n: int) -> str:
    """What a cell's run is, and how often its networks succeeded, in a sentence."""
    rate, low, high = (100 * values[name] for name in RATES[:3])
    return (
        f"{n:,} networks of {cell}: {rate:.1f} % succeeded "
        f"(95 % Clopper-Pearson interval {low:.1f} to {high:.1f} %)."
    )


def _trained_by(provenance: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The engines and devices that trained a cell's blocks."""
    return {
        name: ", ".join(sorted({entry[name] for entry in provenance if name in entry}))
        for name in ("engine", "device")
    }


def study_pages(uri: str, server: str) -> dict[str, str]:
    """The address of every study's page on an MLflow server, by the study's name, newest first.

    Args:
        uri: The tracking URI of the store.
        server: The server's address, such as http://127.0.0.1:5000.
    """
    _prepare_environment()
    from mlflow import MlflowClient

    try:
        client = MlflowClient(uri)
        experiments = {
            experiment.experiment_id: experiment.name.removeprefix(_EXPERIMENT)
            for experiment in client.search_experiments()
            if experiment.name.startswith(_EXPERIMENT)
        }
        parents = (
            client.search_runs(
                list(experiments),
                f"tags.trial_key = '{PARENT_KEY}'",
                max_results=_NEWEST,
                order_by=["attributes.start_time DESC"],
            )
            if experiments
            else []
        )
    except Exception as error:  # of any library that MLflow reaches its store by
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(
            f"MLflow at {shown(uri)} can't be read ({said}); wanted the tracking URI of a server "
            "or store that is there"
        ) from error
    ids = dict.fromkeys([*(run.info.experiment_id for run in parents), *experiments])
    return {experiments[id_]: view.address(server, id_) for id_ in ids}
