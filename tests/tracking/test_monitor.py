"""How busy a machine is said to be."""

from __future__ import annotations

import threading
import time

import psutil
from mlflow import MlflowClient

from trainability.tracking.monitor import Monitor


def test_the_first_figure_looks_back_on_time(tmp_path, monkeypatch):
    """A thread's first question gets 0 from psutil, whatever the CPU does."""
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = MlflowClient(uri)
    run = client.create_run(client.create_experiment("busy")).info.run_id
    asked, enough = [], threading.Event()

    def percent():
        asked.append(threading.current_thread().name)
        if len(asked) > 1:
            enough.set()
        return 0.0 if len(asked) == 1 else 50.0

    monkeypatch.setattr(psutil, "cpu_percent", percent)
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.1")
    monitor = Monitor(run, uri)
    monitor.start()
    assert enough.wait(60)
    end = time.monotonic() + 60
    while not client.get_run(run).data.metrics and time.monotonic() < end:
        time.sleep(0.05)
    monitor.finish()
    assert len(set(asked)) == 1
    history = client.get_metric_history(run, "system/cpu_utilization_percentage")
    assert history[0].value == 50.0
