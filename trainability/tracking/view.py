"""A view of a study in MLflow's user interface: all cells unfolded, the charts that matter.

MLflow keeps a shared view as a tag of the experiment, `mlflow.sharedViewState.<key>`: JSON of its
page's state, deflated, base64. An address that ends in `?viewStateShareKey=<key>` opens it. This
is what its "Share" button writes; a version that does not know it shows its plain page instead.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

SHARE_KEY = "trainability"
TAG = f"mlflow.sharedViewState.{SHARE_KEY}"
_SECTION = "study"


def address(server: str, experiment_id: str) -> str:
    """Where a browser finds the view."""
    query = f"workflowType=machine_learning&viewStateShareKey={SHARE_KEY}"
    return f"{server}/#/experiments/{experiment_id}/runs?compareRunsMode=CHART&{query}"


def view_state() -> str:
    """The tag's value."""
    charts: list[dict[str, Any]] = [
        _scatter("width", "success_rate"),
        _scatter("width", "trainability"),
        _scatter("width", "born_dead_rate"),
        *(
            _line(metric)
            for metric in (
                "success_rate",
                "loss_median",
                "loss_q90",
                "active_mean",
                "tentatively_dead_mean",
                "permanently_dead_mean",
            )
        ),
    ]
    section = {"name": "Study", "uuid": _SECTION, "display": True, "isReordered": True}
    state = {
        "searchFilter": "",
        # Nested MLflow runs are folded away unless something else than the date orders them.
        "orderByKey": "metrics.`success_rate`",
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": [
            *(f"params.`{name}`" for name in ("scheme", "width", "depth", "optimizer")),
            *(
                f"metrics.`{name}`"
                for name in (
                    "success_rate",
                    "success_rate_low",
                    "success_rate_high",
                    "trainability",
                    "replicates",
                )
            ),
        ],
        "runsExpanded": {},
        "runsPinned": [],
        "runsHidden": [],
        "runsHiddenMode": "SHOW_ALL",
        "compareRunCharts": [
            {**chart, "uuid": f"{_SECTION}-{number}"} for number, chart in enumerate(charts)
        ],
        "compareRunSections": [section],
        "isAccordionReordered": True,
        "autoRefreshEnabled": True,
        "hideEmptyCharts": True,
    }
    # The same text every time, so that logging it again changes nothing.
    packed = zlib.compress(json.dumps(state, sort_keys=True).encode())
    return f"deflate;{base64.b64encode(packed).decode()}"


def _scatter(param: str, metric: str) -> dict[str, Any]:
    return _chart("SCATTER") | {
        "xaxis": {"key": param, "type": "PARAM"},
        "yaxis": {"key": metric, "type": "METRIC"},
    }


def _line(metric: str) -> dict[str, Any]:
    return _chart("LINE") | {
        "metricKey": metric,
        "selectedMetricKeys": [metric],
        "xAxisKey": "step",
        "xAxisScaleType": "log",
        "scaleType": "linear",
        "useGlobalXaxisKey": False,
        "useGlobalLineSmoothing": True,
        "lineSmoothness": 0,
    }


def _chart(kind: str) -> dict[str, Any]:
    return {
        "type": kind,
        "runsCountToCompare": 100,
        "metricSectionId": _SECTION,
        "deleted": False,
        "isGenerated": False,
    }
