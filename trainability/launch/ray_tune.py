"""Trials on Ray Tune: on a cluster, or on a Ray that is started for this process alone."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from functools import partial
from typing import Any

import ray
from ray import tune
from ray.exceptions import RayError
from ray.tune.stopper import CombinedStopper
from ray.util.client import ray as ray_client

from trainability import interrupts
from trainability.errors import InputError, StorageError
from trainability.events import Waiting, Working
from trainability.launch.address import chosen_address
from trainability.launch.cluster import (
    connected,
    count_slots,
    find_nodes,
    require_same_everywhere,
)
from trainability.launch.executor import Executor
from trainability.launch.forward import REPORT, Forward, GivenUp, describe_error, forwarding
from trainability.launch.gpus import GpusLost, choose_places
from trainability.launch.listener import Listener
from trainability.launch.options import Options
from trainability.launch.order import OldestThatWaits
from trainability.launch.reports import Report
from trainability.launch.shipping import ship_user_code
from trainability.launch.token import launch_token
from trainability.launch.work import Work
from trainability.launch.worker import work_through
from trainability.storage import Storage

_REPORTS_PER_S = 20.0
"""Reports of progress that reach the driver, of all trials together."""
_NODES_EVERY_S = 5.0
_LOOK_EVERY_S = 0.5


class RayTune(Executor):
    """Hands trials to Ray Tune, which places them and starts again those whose worker is lost."""

    rank = 2

    @property
    def beginning(self) -> str:
        address = None if ray.is_initialized() else chosen_address(self.options.address)
        return "connecting to Ray" if ray.is_initialized() or address else "starting Ray"

    @contextlib.contextmanager
    def connection(self) -> Iterator[None]:
        with contextlib.ExitStack() as connection:
            with _quiet():
                connection.enter_context(connected(self.options))
            yield

    @contextlib.contextmanager
    def ready(self, study: str, storage: Storage) -> Iterator[None]:
        with self.connection():
            nodes = find_nodes(self.options)
            with launch_token(study, storage) as token:
                require_same_everywhere(nodes, storage, token, self.options.torch_device)
            yield

    def work_through(self, study, cells, missing, storage, token, listener) -> str | None:
        with _quiet():
            return self._work_through(study, cells, missing, storage, token, listener)

    def recover(self, listener: Listener) -> None:
        # A cluster that has lost its nodes may be getting new ones.
        while True:
            try:
                find_nodes(self.options)
                return
            except InputError as error:
                listener.events.emit(Waiting(why=str(error)))
            listener.events.check()
            interrupts.wait(_NODES_EVERY_S)

    def _work_through(self, study, cells, missing, storage, token, listener) -> str | None:
        nodes = find_nodes(self.options)
        require_same_everywhere(nodes, storage, token, self.options.torch_device)
        places = choose_places(self.options, nodes, cells, missing, storage, token)
        options = places.options
        ship_user_code(list(cells.values()))
        slots = count_slots(places.nodes, options)
        report_every_s = max(1.0, slots.n / _REPORTS_PER_S)
        work = self.plan(options, study, cells, missing, storage, token, slots, report_every_s)
        listener.trials = work.trials
        listener.events.emit(
            Working(
                what=f"training on Ray, {slots.n} trials at a time"
                + (f"; {places.why}" if places.why else "")
            )
        )
        may_leave_gpus = options.gpus_per_trial is not None and self.options.gpus_per_trial is None
        with forwarding(listener) as callback:
            if ray_client.is_connected():
                # Through a client Tune would be far from its trials: it runs on the head instead.
                at_head = {"node:__internal_head__": 0.001}
                fit = ray.remote(num_cpus=0, max_retries=0, resources=at_head)(_fit)
                fitting = fit.remote(work, options, may_leave_gpus, callback)
                while not ray.wait([fitting], timeout=_LOOK_EVERY_S)[0]:
                    interrupts.check()
                    listener.events.check()
                    listener.tick()
                obstacle = ray.get(fitting)
            else:
                obstacle = _fit(work, options, may_leave_gpus, callback)
        if listener.storage_lost:
            raise StorageError(listener.storage_lost)
        return obstacle


def _quiet() -> contextlib.AbstractContextManager[Any]:
    # Ray and Tune tell on stdout, by the page, of what the listener says in a line.
    return contextlib.redirect_stdout(io.StringIO())


class _TuneDriver:
    """The driver as a trial of Tune knows it."""

    def report(self, report: Report) -> None:
        tune.report({REPORT: report})

    def check(self) -> None:
        pass  # who wants no more ends the process


def run_tune_trial(config: dict[str, Any], work: Work) -> None:
    """What Tune calls on a worker: run trial `config["trial"]`."""
    # How long the process, if another trial is to use it, waits for this one's thread to end.
    os.environ.setdefault("TUNE_FUNCTION_THREAD_TIMEOUT_S", "60")
    work_through(work.trials[config["trial"]], work, _TuneDriver())


def _fit(work: Work, options: Options, may_leave_gpus: bool, callback: Forward) -> str | None:
    """Let Ray Tune place and retry the trials; why Ray broke off, if it did.

    Args:
        work: All that is to be done.
        options: Runtime options; it is decided in them whether trials get GPUs.
        may_leave_gpus: Whether CPUs may go on where no GPU is left.
        callback: Hands on what Tune hears.
    """
    count = partial(_count_slots_now, options)
    placement = tune.PlacementGroupFactory(
        [options.resources],
        bundle_label_selector=[dict(options.labels)] if options.labels else None,
    )
    with tempfile.TemporaryDirectory() as scratch:
        tuner = tune.Tuner(
            tune.with_resources(tune.with_parameters(run_tune_trial, work=work), placement),
            param_space={"trial": tune.grid_search(list(range(len(work.trials))))},
            tune_config=tune.TuneConfig(
                max_concurrent_trials=options.max_concurrent,
                # A process for every trial would cost seconds of imports each time. Trials may
                # share one: all that they leave there is compiled code and the GPU memory that
                # torch keeps for the next. One that raises ends its process.
                reuse_actors=True,
                scheduler=OldestThatWaits(count),
                trial_dirname_creator=lambda trial: trial.trial_id,
            ),
            run_config=tune.RunConfig(
                name=work.study,
                storage_path=scratch,  # Tune's own state; ours is on our storage
                verbose=0,
                callbacks=[callback],
                stop=CombinedStopper(GivenUp(), *([GpusLost(count)] if may_leave_gpus else [])),
                failure_config=tune.FailureConfig(max_failures=options.max_failures),
            ),
        )
        try:
            tuner.fit()
        except RuntimeError as error:
            # Tune takes a worker's death as that of a trial, but not if Ray has killed the worker
            # because a node ran out of memory (Ray 2.60).
            if not isinstance(error.__cause__, RayError):
                raise
            return describe_error(error.__cause__)
    return "the loss of all GPUs" if may_leave_gpus and not count() else None


def _count_slots_now(options: Options) -> int:
    try:
        return count_slots(find_nodes(options), options).n
    except InputError:
        return 0
