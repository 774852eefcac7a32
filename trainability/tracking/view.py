"""A view of a study in MLflow's user interface: runs by series, the charts that matter.

MLflow keeps a shared view as a tag of the experiment, `mlflow.sharedViewState.<key>`: JSON of its
page's state, deflated, base64. An address that ends in `?viewStateShareKey=<key>` opens it. This
is what its "Share" button writes; a version that does not know it shows its plain page instead.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any

from trainability.tracking.by_width import RATES
from trainability.tracking.naming import Names
from trainability.tracking.runs import SERIES_TAG, WHOLE

SHARE_KEY = "trainability"
TAG = f"mlflow.sharedViewState.{SHARE_KEY}"
_WIDTH, _STEPS = "width", "steps"
_SECTIONS = {_WIDTH: ("Over the width", 1), _STEPS: ("Over training steps", 2)}
"""Their names, and charts in a row: the main figure and its legend want all the room there is."""
_LOSSES = ("loss_median", "loss_q90")
_OTHERS = ("success_rate", "active_mean", "tentatively_dead_mean", "permanently_dead_mean")
_COLUMNS = (*RATES, "replicates")
_COLUMN_PX = 120
_MOST = 12
"""Series that get a chart of their own, at most."""


def address(server: str, experiment_id: str) -> str:
    """Where a browser finds the view."""
    query = f"workflowType=machine_learning&viewStateShareKey={SHARE_KEY}"
    return f"{server}/#/experiments/{experiment_id}/runs?compareRunsMode=CHART&{query}"


def view_state(names: Names, best_first: bool = False) -> str:
    """The tag's value.

    Args:
        names: The names of the study's cells.
        best_first: Whether runs are ordered by their success, as candidates of a tuning are, and
            not by their names.
    """
    charts = [*_by_width(names.keys), *(_over_steps(metric) for metric in _LOSSES + _OTHERS)]
    metrics = [f"metrics.`{name}`" for name in _COLUMNS]
    state = {
        "searchFilter": "",
        # Nested MLflow runs are folded away unless something else than the date orders them.
        "orderByKey": "metrics.`success_rate`" if best_first else "tags.`mlflow.runName`",
        "orderByAsc": not best_first,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": metrics,
        "columnOrder": [*metrics, "attributes.`Created`"],
        "columnWidths": dict.fromkeys(metrics, _COLUMN_PX),
        "runsExpanded": {},
        "runsPinned": [],
        "runsHidden": [],
        "runsHiddenMode": "SHOW_ALL",
        "groupBy": _grouping(names),
        "groupsExpanded": {
            f"tag.{SERIES_TAG}.{series}": True for series in [WHOLE, *names.declared]
        },
        # Each run by itself: a mean over widths says nothing.
        "useGroupedValuesInCharts": False,
        "compareRunCharts": [
            {**chart, "uuid": f"{chart['metricSectionId']}-{number}"}
            for number, chart in enumerate(charts)
        ],
        "compareRunSections": [
            {
                "name": name,
                "uuid": section,
                "display": True,
                "isReordered": True,
                "columns": columns,
            }
            for section, (name, columns) in _SECTIONS.items()
        ],
        "isAccordionReordered": True,
        "autoRefreshEnabled": True,
        "hideEmptyCharts": True,
    }
    # The same text every time, so that logging it again changes nothing.
    packed = zlib.compress(json.dumps(state, sort_keys=True).encode())
    return f"deflate;{base64.b64encode(packed).decode()}"


def _grouping(names: Names) -> dict[str, Any] | None:
    """Runs by series, if there are several."""
    if len(names.declared) < 2:
        return None
    return {
        "aggregateFunction": "average",
        "groupByKeys": [{"mode": "tag", "groupByData": SERIES_TAG}],
    }


def _by_width(keys: Sequence[str]) -> list[dict[str, Any]]:
    """The main figure, from the study's own run: all series together, then each with its bounds."""
    together = [
        _line(_WIDTH, [f"{rate}/{key}" for key in keys], title)
        for rate, title in (
            ("success_rate", "success rate over width, by series"),
            ("trainability", "trainability over width, by series"),
        )
    ]
    alone = [
        _line(
            _WIDTH,
            [f"{rate}/{key}" for rate in RATES],
            f"{key}: success rate, its bounds, trainability",
        )
        for key in keys[:_MOST]
    ]
    return together + alone


def _over_steps(metric: str) -> dict[str, Any]:
    return _line(_STEPS, [metric], f"{metric.replace('_', ' ')} over training steps") | {
        "scaleType": "log" if metric in _LOSSES else "linear",
    }


def _line(section: str, metrics: Sequence[str], title: str) -> dict[str, Any]:
    return {
        "type": "LINE",
        "runsCountToCompare": 100,
        "metricSectionId": section,
        "deleted": False,
        "isGenerated": False,
        "displayName": title,
        # Without it a chart of several metrics is titled by all of their keys.
        "nodeLevelSystemMetricConfiguration": {"metric": title, "type": "node"},
        "metricKey": metrics[0],
        "selectedMetricKeys": list(metrics),
        "xAxisKey": "step",
        "xAxisScaleType": "log",  # of widths and of steps, what happens does early
        "scaleType": "linear",
        "useGlobalXaxisKey": False,
        "useGlobalLineSmoothing": True,
        "lineSmoothness": 0,
    }
