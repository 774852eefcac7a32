"""A new SQLite store for MLflow, which is there whole or not at all.

MLflow makes its tables one by one, for some seconds. Of a process that ends meanwhile a store would
stay that no MLflow can ever open again. So an empty one is made elsewhere, once for every
version of MLflow, and copied.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
import time
import uuid
from pathlib import Path

from trainability.cache import cached
from trainability.tracking.uri import SQLITE, sqlite_path

_ABANDONED_S = 3600.0


def make_store(uri: str) -> None:
    """Make the SQLite store of a tracking URI, with its folder, unless it is there.

    Args:
        uri: A tracking URI; of another kind there is nothing to make.
    """
    path = sqlite_path(uri)
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return
    _remove_abandoned(path)
    from mlflow import __version__

    made = path.parent / f".{path.name}-{uuid.uuid4().hex}"
    try:
        made.write_bytes(cached(["empty store 2", __version__], _empty_store, ".db"))
        _put_in_place(made, path)
    finally:
        made.unlink(missing_ok=True)


def _empty_store() -> bytes:
    """The content of an SQLite store with all tables of this MLflow, and no experiment to see."""
    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlflow.db"
        client = MlflowClient(f"{SQLITE}{path}")
        for experiment in client.search_experiments():
            # MLflow's "Default", which would stand beside the studies and stay empty.
            client.delete_experiment(experiment.experiment_id)
        with contextlib.closing(sqlite3.connect(path)) as store, store:
            # It was to lie in the folder in which this process happens to work.
            store.execute("UPDATE experiments SET artifact_location = 'mlruns/0'")
        return path.read_bytes()


def _put_in_place(made: Path, path: Path) -> None:
    """Give a file its name, unless another driver was faster."""
    try:
        os.link(made, path)
    except FileExistsError:
        return
    except OSError:  # a file system without links
        if not path.exists():
            made.rename(path)


def _remove_abandoned(path: Path) -> None:
    """Remove what processes have left that were killed while they made a store."""
    for left in path.parent.glob(f".{path.name}-*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED_S:
                left.unlink()
