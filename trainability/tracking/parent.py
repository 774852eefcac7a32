"""A study's own MLflow run: what it asks, where it was run, and its rates over the width."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainability.growth import study_cells
from trainability.storage import Storage
from trainability.study import Study
from trainability.study.cell import Cell
from trainability.tracking.by_width import Point, points
from trainability.tracking.naming import Names
from trainability.tracking.runs import PARENT_KEY, SERIES_TAG, WHOLE, Run, adopt, reconciled

DESCRIPTION_TAG = "mlflow.note.content"


class Parent:
    """The study's own run, found or created.

    Args:
        client: MLflow's.
        experiment: The id of the experiment.
        study: The study.
        storage: Where its rows are.
        names: The names of its cells.
        runs: Its MLflow runs by key; this one is added.
        begun: When the work began, in milliseconds since 1970, if that is not known yet.
    """

    def __init__(
        self,
        client: Any,
        experiment: str,
        study: Study,
        storage: Storage,
        names: Names,
        runs: dict[str, Run],
        begun: int,
    ) -> None:
        self._client, self._experiment = client, experiment
        self._study, self._storage, self._names = study, storage, names
        run = runs.get(PARENT_KEY)
        if run is None:
            self._create(begun, {})
            # Another driver may have created one just now.
            runs |= reconciled(client, experiment, study.name)
            run = runs.get(PARENT_KEY, self._run)
        else:
            client.update_run(run.id, status="RUNNING")
            if run.series != WHOLE:  # of an older version
                client.set_tag(run.id, SERIES_TAG, WHOLE)
        self._run = run
        self._describe()
        self._points = self._logged_points()
        wanted = self._wanted(runs)
        if any(self._contradicts(point, value) for point, (value, _) in wanted.items()):
            self._replace(runs)
        self.complete(runs)

    @property
    def id(self) -> str:
        """The run's id."""
        return self._run.id

    def show(
        self, cell: Cell, values: Mapping[str, float], timestamp: int, runs: Mapping[str, Run]
    ) -> None:
        """Put a whole cell into the curves.

        Args:
            cell: The cell.
            values: Its metrics.
            timestamp: When it was finished, in milliseconds since 1970.
            runs: The study's MLflow runs by key.
        """
        wanted = points(self._names, cell, values)
        if any(self._contradicts(point, value) for point, value in wanted.items()):
            self._replace(runs)
        self._log({point: (value, timestamp) for point, value in wanted.items()})

    def complete(self, runs: Mapping[str, Run]) -> None:
        """Put all whole cells into the curves that are not in them."""
        wanted = self._wanted(runs)
        self._log({point: entry for point, entry in wanted.items() if point not in self._points})

    def log_report(self, folder: Path, description: str) -> None:
        """Put the report's files and a description in Markdown on the run."""
        self._client.log_artifacts(self.id, str(folder), "report")
        self._client.set_tag(self.id, DESCRIPTION_TAG, description)

    def end(self, status: str, runs: Mapping[str, Run], at: int) -> None:
        """End the run with the last of its cells: to mirror it again changes no time.

        Args:
            status: How it ended.
            runs: The study's MLflow runs by key.
            at: When it ended if no cell did, in milliseconds since 1970.
        """
        ends = [run.ended for key, run in runs.items() if key != PARENT_KEY and run.ended]
        self._client.set_terminated(self.id, status, max([self._run.begun, *(ends or [at])]))

    def _create(self, begun: int, tags: Mapping[str, str]) -> None:
        created = self._client.create_run(
            self._experiment,
            start_time=begun,
            run_name=self._study.name,
            tags={
                DESCRIPTION_TAG: f"**{self._study.question}**",
                **tags,
                "trial_key": PARENT_KEY,
                "study": self._study.name,
                SERIES_TAG: WHOLE,
            },
        )
        self._run = Run(created.info.run_id, "RUNNING", begun, name=self._study.name)

    def _describe(self) -> None:
        self._client.log_text(self.id, self._study.to_json(), "study.json")
        for key, value in self._storage.read_environment(self._study.name).items():
            self._client.set_tag(self.id, key, value)

    def _replace(self, runs: Mapping[str, Run]) -> None:
        """Begin anew without curves: MLflow can't take a point back, and a cell has grown."""
        before = self._run
        tags = self._client.get_run(before.id).data.tags
        self._create(before.begun, {k: v for k, v in tags.items() if k != "mlflow.runName"})
        self._describe()
        adopt(self._client, self.id, runs)
        self._client.delete_run(before.id)
        self._points = {}

    def _wanted(self, runs: Mapping[str, Run]) -> dict[Point, tuple[float, int]]:
        """The points of all whole cells, with their timestamps."""
        cells = study_cells(self._study, self._storage)
        return {
            point: (value, run.ended)
            for key, run in runs.items()
            if key in cells and run.content is not None and run.ended is not None
            for point, value in points(self._names, cells[key], run.rates).items()
        }

    def _contradicts(self, point: Point, value: float) -> bool:
        # A database may round.
        return not math.isclose(self._points.get(point, value), value, rel_tol=1e-9)

    def _logged_points(self) -> dict[Point, float]:
        return {
            (key, metric.step): metric.value
            for key in self._run.curves
            for metric in self._client.get_metric_history(self.id, key)
        }

    def _log(self, wanted: Mapping[Point, tuple[float, int]]) -> None:
        from mlflow.entities import Metric

        metrics = [
            Metric(key, value, timestamp, step)
            for (key, step), (value, timestamp) in wanted.items()
        ]
        for first in range(0, len(metrics), 1000):  # as many as MLflow takes at once
            self._client.log_batch(self.id, metrics=metrics[first : first + 1000])
        self._points |= {point: value for point, (value, _) in wanted.items()}
