"""What MLflow holds of a study: its runs by their keys, one for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trainability.tracking.by_width import RATES

PARENT_KEY = "study"
"""The key of the study's own run; a cell's key is its id."""
PARENT_TAG = "mlflow.parentRunId"
CONTENT_TAG = "content"
FAILURE_TAG = "failure"
SERIES_TAG = "series"
"""What MLflow's page groups runs by."""
WHOLE = "whole study"
"""The series of the study's own run."""
_PAGE = 1000


@dataclass(frozen=True)
class Run:
    """What has to be known of an MLflow run; all that MLflow tells would fill the memory.

    Args:
        id: Its id.
        status: Its status.
        begun: When it began, in milliseconds since 1970.
        ended: When it ended; None while it runs.
        content: The blocks whose rows it shows; None before it is whole.
        failed: Whether it says why it failed.
        name: How it is called.
        series: The series that it is in; None if an older version did not say.
        has_params: Whether it says what the cell is.
        has_data: Whether it says what data it was trained on.
        rates: Those of its metrics that the study's own run shows over the width.
        curves: Keys of the curves over the width that it has itself.
        parent: The id of its parent.
    """

    id: str
    status: str
    begun: int
    ended: int | None = None
    content: str | None = None
    failed: bool = False
    name: str = ""
    series: str | None = None
    has_params: bool = False
    has_data: bool = False
    rates: Mapping[str, float] = field(default_factory=dict, hash=False)
    curves: tuple[str, ...] = ()
    parent: str | None = None

    def shows(self, content: str) -> bool:
        """Whether nothing is left to be told of a cell with these blocks."""
        return self.status == "FINISHED" and self.content == content and not self.failed

    @classmethod
    def of(cls, run: Any) -> Run:
        """That of an MLflow run."""
        tags, metrics = run.data.tags, run.data.metrics
        content = tags.get(CONTENT_TAG)
        begun, ended = run.info.start_time, run.info.end_time
        if ended is not None and ended < begun:  # of an older version; it is logged again
            content = None
        return cls(
            id=run.info.run_id,
            status=run.info.status,
            begun=begun,
            ended=ended,
            content=content,
            failed=FAILURE_TAG in tags,
            name=run.info.run_name or "",
            series=tags.get(SERIES_TAG),
            has_params=bool(run.data.params),
            has_data=bool(run.inputs and run.inputs.dataset_inputs),
            rates={name: metrics[name] for name in RATES if name in metrics},
            curves=tuple(key for key in metrics if key.partition("/")[0] in RATES and "/" in key),
            parent=tags.get(PARENT_TAG),
        )


def reconciled(client: Any, experiment: str, study: str) -> dict[str, Run]:
    """The study's MLflow runs by key; of those that two drivers created for one key, one.

    Args:
        client: MLflow's.
        experiment: The id of the experiment.
        study: The study's name.
    """
    by_key: dict[str, list[Run]] = {}
    token = None
    while True:
        page = client.search_runs(
            [experiment],
            filter_string=f"tags.study = '{study}'",
            max_results=_PAGE,
            page_token=token,
        )
        for run in page:
            by_key.setdefault(run.data.tags.get("trial_key", ""), []).append(Run.of(run))
        token = page.token
        if not token:
            break
    kept = {}
    for key, runs in by_key.items():
        # Every driver that looks keeps the same: a whole one, else the oldest.
        runs.sort(key=lambda run: (run.content is None, run.begun, run.id))
        kept[key] = runs[0]
        for superfluous in runs[1:]:
            client.delete_run(superfluous.id)
    if PARENT_KEY in kept:
        adopt(client, kept[PARENT_KEY].id, kept)
    return kept


def adopt(client: Any, parent: str, runs: Mapping[str, Run]) -> None:
    """Make a run the parent of all others."""
    for key, run in runs.items():
        if key != PARENT_KEY and run.parent != parent:
            client.set_tag(run.id, PARENT_TAG, parent)
