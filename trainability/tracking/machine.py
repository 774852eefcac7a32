"""What the machine does while a study runs, by MLflow's own monitor: CPU, memory, disk, GPUs."""

from __future__ import annotations

import os
from typing import Any

_SWITCH = "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"
_monitors: dict[str, Any] = {}
"""Those that run in this process, by the run that they log to.

Whoever connects anew after an outage goes on with the one that is there.
"""


class MachineMetrics:
    """Logs how busy this machine is to a study's own run, as `system/...`, every five seconds.

    The driver's machine alone: what other nodes do is not measured. MLflow's own variables hold,
    such as MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL; MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING=false
    turns it off.

    Args:
        uri: MLflow's tracking URI.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._run: str | None = None
        self._wanted = os.environ.get(_SWITCH, "true").lower() not in ("false", "0")

    def watch(self, run: str) -> None:
        """Log to this run from now on."""
        if not self._wanted or run == self._run:
            return
        self.stop()
        self._run = run
        if run not in _monitors:
            from trainability.tracking.monitor import Monitor

            _monitors[run] = Monitor(run, self._uri)
            _monitors[run].start()

    def stop(self) -> None:
        """Log no more."""
        monitor = None if self._run is None else _monitors.pop(self._run, None)
        self._run = None
        if monitor is not None:
            monitor.finish()
