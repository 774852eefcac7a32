"""What the machine does while a study runs, by MLflow's own monitor: CPU, memory, disk, GPUs."""

from __future__ import annotations

import os
from typing import Any

_SWITCH = "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"


class MachineMetrics:
    """Logs how busy this machine is to a study's own run, as `system/...`, every ten seconds.

    The driver's machine alone: what other nodes do is not measured. MLflow's own variables hold,
    such as MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL; MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING=false
    turns it off.

    Args:
        uri: MLflow's tracking URI.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._run: str | None = None
        self._monitor: Any = None
        self._wanted = os.environ.get(_SWITCH, "true").lower() not in ("false", "0")

    def watch(self, run: str) -> None:
        """Log to this run from now on."""
        if not self._wanted or run == self._run:
            return
        self.stop()
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        self._run = run
        self._monitor = SystemMetricsMonitor(run, resume_logging=True, tracking_uri=self._uri)
        self._monitor.start()

    def stop(self) -> None:
        """Log no more."""
        if self._monitor is not None:
            self._monitor.finish()
        self._monitor = self._run = None
