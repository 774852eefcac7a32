"""MLflow's monitor of a machine, whose first figure is true as well."""

from __future__ import annotations

import threading

import psutil
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

_EVERY_S = 5
_FIRST_S = 1


class Monitor(SystemMetricsMonitor):
    """Logs to a run every five seconds, unless MLflow's variable says otherwise.

    MLflow's own takes the first figure at once, when a thread has no time to look back on: psutil
    then says that the CPU did nothing, and a study of seconds shows that alone. Of one that ends
    before the second figure is due nothing is logged.

    Args:
        run: Id of the MLflow run.
        uri: MLflow's tracking URI.
    """

    def __init__(self, run: str, uri: str) -> None:
        self._ended = threading.Event()
        super().__init__(run, sampling_interval=_EVERY_S, resume_logging=True, tracking_uri=uri)

    def monitor(self) -> None:
        psutil.cpu_percent()
        self._ended.wait(min(_FIRST_S, self.sampling_interval))
        super().monitor()

    def finish(self) -> None:
        self._ended.set()
        super().finish()
