"""The Ray cluster under a study: how it is reached, what it offers, whether it shares storage."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from trainability import interrupts
from trainability.errors import InputError, StorageError, refuse
from trainability.launch.address import Address, chosen_address, probe
from trainability.launch.embedded import embedded_ray, handlers_kept
from trainability.launch.options import Options
from trainability.launch.token import require_token
from trainability.plan import Slots
from trainability.storage import Storage
from trainability.version import version

_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is ours
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",  # Tune's own state is not needed to resume
}
_GPU_SPEED = 100.0
_GPU_UNIT_BLOCKS = 256
_CLIENT_ATTEMPTS = 3
_PROBE_S = 120.0
_LOOK_EVERY_S = 0.5
_own_nodes: set[str] = set()
"""Of a Ray that this process has started: same machine, same Python, same files."""


@contextlib.contextmanager
def connected(options: Options) -> Iterator[None]:
    """A connection to Ray: to a cluster if there is an address, else an embedded one.

    Raises:
        InputError: If the cluster can't be reached, or an embedded Ray does not start.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # What fails is told by us, once, at the end; Tune would print a traceback for each attempt.
    for name in ("ray.tune", "ray.air"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if ray.is_initialized():
        yield
        return
    address = chosen_address(options.address)
    with embedded_ray() if address is None else _cluster_at(address):
        _own_nodes.update(node["NodeID"] for node in ray.nodes() if address is None)
        try:
            yield
        finally:
            _own_nodes.clear()


@contextlib.contextmanager
def _cluster_at(address: Address) -> Iterator[None]:
    probe(address)
    interrupts.check()
    try:
        with handlers_kept():
            _connect(address)
    except Exception as error:  # Ray raises bare ones too
        interrupts.check()
        raise InputError(
            f"no Ray cluster at {address}: {error}; wanted a running one (ray start --head), "
            "or no address for an embedded Ray"
        ) from error
    try:
        yield
    finally:
        with handlers_kept():
            ray.shutdown()


def _connect(address: Address) -> None:
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if not address.is_client:
        ray.init(address=address.text, **settings)
        return
    # The server forks a process per client, and gRPC sometimes does not survive that.
    for attempt in range(1, _CLIENT_ATTEMPTS + 1):
        interrupts.check()
        try:
            ray.init(address=address.text, runtime_env={"env_vars": _ENVIRONMENT}, **settings)
            return
        except ConnectionError:
            if attempt == _CLIENT_ATTEMPTS:
                raise


def find_nodes(options: Options) -> list[dict[str, Any]]:
    """The live nodes that a trial fits on.

    Raises:
        InputError: If there is none; says what the nodes have.
    """
    live = [node for node in ray.nodes() if node["Alive"]]
    labelled = [
        node
        for node in live
        if all(node["Labels"].get(key) == value for key, value in options.labels.items())
    ]
    if not labelled:
        wanted = ", ".join(f"{key}={value}" for key, value in options.labels.items())
        offered = sorted({f"{k}={v}" for node in live for k, v in node["Labels"].items()})
        raise InputError(
            f"no node of the cluster has the labels {wanted}; there are {', '.join(offered)}"
        )
    problems = []
    for kind, amount in options.resources.items():
        most = max(node["Resources"].get(kind, 0) for node in labelled)
        if amount > most:
            problems.append(
                f"a trial asks for {amount:g} {kind}, but the cluster has no node with more than "
                f"{most:g}; choose a smaller --{kind.lower()}s-per-trial"
            )
    refuse(problems)
    fitting = [node for node in labelled if _trials_on(node, options.resources)]
    if not fitting:
        raise InputError(
            f"no node of the cluster has all that a trial asks for: {options.resources}"
        )
    return fitting


def count_slots(nodes: Sequence[Mapping[str, Any]], options: Options) -> Slots:
    """Trials that fit on some nodes at once, and how fast each is."""
    n = sum(_trials_on(node, options.resources) for node in nodes)
    n = min(n, options.max_concurrent or n)
    if options.gpus_per_trial:
        return Slots(n, _GPU_SPEED * options.gpus_per_trial, _GPU_UNIT_BLOCKS)
    return Slots(n, max(1, int(options.cpus_per_trial)))


def require_same_everywhere(
    nodes: Sequence[Mapping[str, Any]], storage: Storage, token: str, device: str
) -> None:
    """Refuse a cluster whose nodes can't work on this study, before anything is trained.

    Args:
        nodes: Where trials may run.
        storage: The study's storage.
        token: A file that this process has written there.
        device: The torch device of a trial.

    Raises:
        InputError: Says for every node what is wrong with it.
    """
    if all(node["NodeID"] in _own_nodes for node in nodes):
        obstacle = find_obstacle(storage, token, device, version("trainability"))
        refuse([obstacle] if obstacle else [])
        return
    asking = ray.remote(num_cpus=0, max_retries=0)(find_obstacle)
    asked = {
        asking.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote(storage, token, device, version("trainability")): node["NodeManagerAddress"]
        for node in nodes
    }
    # A node that does not answer in time may be gone; every unit checks its storage anyway.
    end = time.monotonic() + _PROBE_S
    answered, silent = ray.wait(list(asked), num_returns=len(asked), timeout=_LOOK_EVERY_S)
    while silent and time.monotonic() < end:
        interrupts.check()
        answered, silent = ray.wait(list(asked), num_returns=len(asked), timeout=_LOOK_EVERY_S)
    problems = []
    for answer in answered:
        try:
            obstacle = ray.get(answer)
        except ImportError as error:
            obstacle = f"{error}; install this package there"
        except RayError:
            continue
        if obstacle:
            problems.append(f"node {asked[answer]}: {obstacle}")
    refuse(problems)


def find_obstacle(storage: Storage, token: str, device: str, wanted: str) -> str | None:
    """What keeps this node from working on a study; None if nothing does."""
    own = version("trainability")
    if own != wanted:
        return f"trainability {own}, but the driver has {wanted}; install the same version"
    if device.startswith("cuda"):
        import torch

        if torch.version.cuda is None and torch.version.hip is None:
            return f"torch {torch.__version__} is built without GPU support; install one with it"
    try:
        require_token(storage, token)
    except StorageError as error:
        return str(error)
    return None


def _trials_on(node: Mapping[str, Any], asked: Mapping[str, float]) -> int:
    return int(min(node["Resources"].get(kind, 0) / amount for kind, amount in asked.items()))
