"""A trial: cell -> rows. Pure: the same cell gives the same rows; knows neither Ray nor MLflow."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from trainability.death import ACTIVE, STANDARD_EFFORT, Census, Effort, census
from trainability.measures import Measures
from trainability.networks import Ensemble, concatenate, initialize
from trainability.results import SCHEMA, checkpoints, frame_of, table_of
from trainability.seeds import BLOCK_SIZE, order_keys, stream
from trainability.study.cell import Cell
from trainability.training import Problem, Training, choose_engine

_GLANCE = Effort(boxes=1)
"""For the curves, where no exact way is known: what samples and one bound say. The censuses that
rows report, at birth and at the end, try harder."""

_COLLAPSED = 0.01
_MOST_OUTPUTS = 2**24


@dataclass(frozen=True)
class Runtime:
    """What must not change the rows: where and with what they are computed.

    Args:
        engine: `auto`, or the name of an engine.
        device: A torch device.
        threads: Threads to use.
    """

    engine: str = "auto"
    device: str = "cpu"
    threads: int = 1


def draw(cell: Cell, blocks: Sequence[int]) -> Ensemble:
    """The initial networks of some blocks of a cell, in order."""
    x, y = cell.task.data()
    return concatenate(
        [
            initialize(
                cell.scheme,
                cell.sizes,
                BLOCK_SIZE,
                stream(cell.seed, cell.stream_identity, "initialization", block),
                x,
                y,
                cell.activation,
            )
            for block in blocks
        ]
    )


def run_trial(
    study: str,
    cell: Cell,
    blocks: Sequence[int],
    runtime: Runtime,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Initialize, count the dead, train, and count again.

    Args:
        study: The study's name, a column of the rows.
        cell: What to run.
        blocks: Consecutive block indices.
        runtime: Where to run it.
        progress: Called with the network-steps done since the last call: at every checkpoint, and
            in between, while networks train, about twice a second.

    Returns:
        Rows as `results` describes them, and the provenance: engine, device, seconds,
        network-steps.
    """
    started = time.perf_counter()
    ensemble = draw(cell, blocks)
    x, y = cell.task.data()
    problem = Problem(
        x=x,
        y=y,
        optimizer=cell.optimizer,
        activation=cell.activation,
        loss=cell.loss,
        penalty=cell.penalty,
        tolerance=-math.inf if cell.tolerance is None else cell.tolerance,
        batch_size=cell.batch_size,
        order_keys=np.concatenate(
            [order_keys(cell.seed, cell.stream_identity, block) for block in blocks]
        ),
    )
    engine = choose_engine(
        runtime.engine, cell.sizes, problem, device=runtime.device, threads=runtime.threads
    )
    born = census(ensemble, cell.task.domain, idle=cell.idle)
    training = engine.start(ensemble, problem)
    measures = Measures(cell, training, runtime.device)
    record = _Record(cell, born, training, measures)
    done = 0

    def advanced() -> None:
        nonlocal done
        now = int(training.steps.sum())
        progress(now - done)
        done = now

    training.progress = advanced
    for step in checkpoints(cell.max_steps):
        training.advance(step)
        advanced()
        measures.observe()
        record.observe(training)
        progress(0)  # the count of the dead may take as long as the training
    done = int(training.steps.sum())
    rows = record.rows(study, blocks)
    seconds = time.perf_counter() - started
    return rows, {
        "engine": engine.name,
        "device": runtime.device,
        "seconds": f"{seconds:.3f}",
        "network_steps": str(done),
    }


def collapsed(ensemble: Ensemble, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which networks are constant on the points, up to a hundredth of what the targets vary.

    A network has collapsed if the standard deviation of its output over the points is at most .01
    of that of the targets, both over all outputs (root mean square). One whose neurons are all
    dead varies by rounding alone; one in which they cancel settles there slowly.

    Args:
        ensemble: R networks.
        x: Inputs, shape (N, d_in).
        y: Targets, shape (N, d_out).

    Returns:
        bool, shape (R,); False for a network whose outputs are not finite.

    Source: Lu, Shin, Su & Karniadakis (2020), collapse; how near to a constant counts is this
    package's choice.
    """
    points = torch.as_tensor(x)
    at_once = max(1, _MOST_OUTPUTS // (len(x) * max(*ensemble.widths, ensemble.d_out)))
    spread = []
    with torch.no_grad():
        for start in range(0, ensemble.n_networks, at_once):
            out = ensemble[start : start + at_once](points).double()
            spread.append((out - out.mean(dim=1, keepdim=True)).square().mean(dim=(1, 2)))
    wanted = float(np.square(y.astype(np.float64) - y.mean(axis=0, dtype=np.float64)).mean())
    return (torch.cat(spread) <= _COLLAPSED**2 * wanted).numpy()


class _Record:
    """Follows one ensemble through its training and turns it into rows."""

    def __init__(self, cell: Cell, born: Census, training: Training, measures: Measures) -> None:
        self._cell = cell
        self._measures = measures
        self._born = born
        self._training = training
        self._status = [layer.copy() for layer in born.status]
        self._undecided = born.undecided.copy()
        self._settled = np.zeros(len(born.status[0]), dtype=bool)
        self._curves: dict[str, list[np.ndarray]] = {
            "loss": [],
            "active": [],
            "tentative": [],
            "permanent": [],
        }
        self._flat = np.zeros(len(born.status[0]), dtype=bool)
        self._collapsed: list[np.ndarray] = []
        self._initial_loss: np.ndarray | None = None

    def observe(self, training: Training) -> None:
        """Record losses, and what has become of the networks that moved since the last call."""
        moving = np.flatnonzero(~self._settled & ~training.diverged)
        if len(moving):
            data = self._cell.task.data()
            self._flat[moving] = collapsed(training.ensemble()[moving], *data)
        self._collapsed.append(np.where(training.diverged, -1, self._flat))
        if self._initial_loss is None:
            self._initial_loss = training.loss.copy()
        else:
            moved = ~self._settled & ~training.diverged
            ends = moved & (training.succeeded | (training.steps == self._cell.max_steps))
            ensemble = training.ensemble()
            for chosen, effort in ((moved & ends, STANDARD_EFFORT), (moved & ~ends, _GLANCE)):
                if not chosen.any():
                    continue
                index = np.flatnonzero(chosen)
                now = census(
                    ensemble[index], self._cell.task.domain, effort=effort, idle=self._cell.idle
                )
                for layer, status in zip(self._status, now.status, strict=True):
                    layer[index] = status
                self._undecided[index] = now.undecided
        self._settled = training.succeeded | training.diverged
        self._curves["loss"].append(np.where(training.diverged, np.nan, training.loss))
        for code, name in enumerate(("active", "tentative", "permanent")):
            count = sum((layer == code).sum(axis=1) for layer in self._status)
            self._curves[name].append(np.where(training.diverged, -1, count))

    def rows(self, study: str, blocks: Sequence[int]) -> pd.DataFrame:
        born, training = self._born, self._training
        lost = training.diverged
        final = {
            f"{name}_final": np.stack([(s == code).sum(axis=1) for s in self._status], axis=1)
            for code, name in enumerate(("active", "tentative", "permanent"))
        } | {"undecided_final": self._undecided}
        revived = sum(
            ((before != ACTIVE) & (after == ACTIVE)).sum(axis=1)
            for before, after in zip(born.status, self._status, strict=True)
        )
        columns = {
            "study": study,
            **self._cell.columns(),
            "replicate": np.concatenate(
                [np.arange(block * BLOCK_SIZE, (block + 1) * BLOCK_SIZE) for block in blocks]
            ),
            "status": np.where(lost, "diverged", "ok"),
            "born_dead": born.born_dead,
            "trainable": born.trainable(self._cell.needs),
            "active_init": list(born.active),
            "tentative_init": list(born.tentative),
            "permanent_init": list(born.permanent),
            "undecided_init": list(born.undecided),
            **{name: _unless(lost, counts) for name, counts in final.items()},
            "n_revived": np.where(lost, 0, revived),
            "initial_loss": self._initial_loss,
            "final_loss": training.loss,
            "steps": training.steps,
            "success": training.succeeded,
            **self._measures.columns(),
            "collapsed": [
                None if gone else bool(flat) for gone, flat in zip(lost, self._flat, strict=True)
            ],
            "collapsed_curve": [
                [None if flat < 0 else bool(flat) for flat in row]
                for row in np.stack(self._collapsed, axis=1).tolist()
            ],
            **{
                f"{name}_curve": _finite(np.stack(curve, axis=1))
                for name, curve in self._curves.items()
            },
        }
        frame = pd.DataFrame({name: columns[name] for name in SCHEMA.names})
        # Through the schema, so that rows are the same fresh or read from storage.
        return frame_of(table_of(frame))


def _unless(lost: np.ndarray, counts: np.ndarray) -> list[np.ndarray | None]:
    return [None if gone else row for gone, row in zip(lost, counts, strict=True)]


def _finite(curves: np.ndarray) -> list:
    """Curves with null where a network had diverged."""
    missing = np.isnan(curves) if curves.dtype.kind == "f" else curves < 0
    if not missing.any():
        return list(curves)
    return [
        [None if gone else value for value, gone in zip(row.tolist(), mask, strict=True)]
        if mask.any()
        else row
        for row, mask in zip(curves, missing, strict=True)
    ]
