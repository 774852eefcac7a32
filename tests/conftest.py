"""Fixtures that several rooms share."""

import base64
import gc
import os
import signal
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_AUTH_MODE", "disabled")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# All nodes of a test are on this machine, and nobody else shall reach them.
os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
# Test files run side by side: each with one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from long_tests import LONG

from trainability import Adam, Study
from trainability.schemes import DataDependent, UnitSphere
from trainability.tasks import AbsoluteValue


def pytest_configure(config):
    """Commands inherit what is ignored, as under nohup and in a script's background: an end by
    Ctrl-C or a lost terminal would then be tested with commands that rightly take no notice."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is long, before pytest selects by marks."""
    folder = Path(__file__).parent
    for item in items:
        path = item.path.relative_to(folder).as_posix()
        if path in LONG or f"{path}::{item.name.split('[')[0]}" in LONG:
            item.add_marker(pytest.mark.long)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave what is there by now, libraries and tests, out of collections of garbage: to look
    through it again and again took a twentieth of the time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give all files that need the shared Ray to one process, so that it is started once."""
    from xdist.scheduler import LoadFileScheduling

    class OneRay(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "shared Ray" if _needs_ray(config.rootpath / file) else file

    return OneRay(config, log)


@cache
def _needs_ray(path: Path) -> bool:
    return "ray_session" in path.read_text()


@pytest.fixture(autouse=True, scope="session")
def kernels(tmp_path_factory):
    """Compiled kernels of these tests, out of the user's cache; all that run side by side share
    them, with the commands that they start."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRAINABILITY_CACHE", str(folder / "kernels"))
        yield


@pytest.fixture(autouse=True, scope="session")
def one_draws():
    """A report starts no second process for its pictures: test files run side by side already.

    Commands that are started as processes do; `tests/report/test_pictures.py` looks at both.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainability.report.helper.available_cores", lambda: 1)
        yield


_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def unrendered(monkeypatch):
    """Figures are made and laid out, and all their text is, which is what may go wrong; but their
    files hold a pixel. For tests of what stands beside figures.
    """

    def write(figure, path, dpi):
        if path.suffix == ".png":
            figure.draw_without_rendering()
        path.write_bytes(_PIXEL if path.suffix == ".png" else b"<svg/>")

    monkeypatch.setattr("trainability.plots.style._write", write)


@pytest.fixture(scope="session")
def tiny_study() -> Study:
    """Four cells of two blocks, a second of work."""
    return Study(
        name="tiny",
        question="Is it small?",
        task=AbsoluteValue(n_train=16),
        axes={"scheme": [UnitSphere(), DataDependent()], "width": [2, 4]},
        optimizer=Adam(learning_rate=0.02),
        max_steps=200,
        tolerance=1e-2,
        replicates=512,
    )


@pytest.fixture(scope="session")
def two_nodes(tmp_path_factory):
    """A cluster of two nodes of one CPU, the second with a fake GPU.

    The second node's environment names a folder that stands for a disk of its own.
    """
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "labels": {"zone": "a"}, "include_dashboard": False},
    )
    cluster.add_node(
        num_cpus=1,
        num_gpus=1,
        labels={"zone": "b"},
        env_vars={"OWN_DISK": str(tmp_path_factory.mktemp("own_disk"))},
    )
    yield cluster
    cluster.shutdown()


@pytest.fixture(scope="module")
def ray_session(two_nodes):
    """A connection to the one cluster of all tests that need one.

    One for each file: tests in others start and end a Ray of their own in the same process.
    """
    import ray

    ray.init(address=two_nodes.address, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture(scope="session")
def s3():
    """Addresses of folders on a server that answers as S3 does, on loopback."""
    from moto.server import ThreadedMotoServer
    from pyarrow import fs

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        query = f"endpoint_override=http://{host}:{port}&region=us-east-1"
        query = f"{query}&allow_bucket_creation=true"
        filesystem, _ = fs.FileSystem.from_uri(f"s3://results?{query}")

        def address(folder: str) -> str:
            # Other simulated services of this process, when they end, empty this one too.
            filesystem.create_dir("results")
            return f"s3://results/{folder}?{query}"

        yield address
    server.stop()
