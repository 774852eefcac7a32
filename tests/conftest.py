"""Fixtures that several rooms share."""

import os

os.environ.setdefault("RAY_AUTH_MODE", "disabled")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import pytest

from trainability import Adam, Study
from trainability.schemes import DataDependent, UnitSphere
from trainability.tasks import AbsoluteValue


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
def ray_session():
    """One Ray of two CPUs for all tests that need one."""
    import ray

    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
    )
    yield
    ray.shutdown()
