"""One MLflow server for all tests that need one, and one empty store to copy."""

import shutil

import pytest
from mlflow_server import server_on_postgres

from trainability.tracking.new_store import make_store


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with server_on_postgres(tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """Puts a new store where a storage wants it: to copy one is faster than to make its tables."""
    template = tmp_path_factory.mktemp("store") / "mlflow.db"
    make_store(f"sqlite:///{template}")

    def put(folder):
        folder.mkdir(exist_ok=True)
        shutil.copy(template, folder / "mlflow.db")

    return put
