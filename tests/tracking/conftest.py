"""One MLflow server for all tests that need one."""

import pytest
from mlflow_server import server_on_postgres


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with server_on_postgres(tmp_path_factory.mktemp("mlflow")) as server:
        yield server
