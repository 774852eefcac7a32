"""A trial: cell -> rows. Pure: the same cell gives the same rows; knows neither Ray nor MLflow."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from trainability.death import ACTIVE
from trainability.death.status import layer_counts
from trainability.families import Family, draw, family_of
from trainability.measures import Measures
from trainability.results import SCHEMA, checkpoints, frame_of, table_of
from trainability.seeds import BLOCK_SIZE
from trainability.study.cell import Cell
from trainability.training import Training
from trainability.training.runtime import Runtime

__all__ = ["Runtime", "collapsed", "draw", "run_trial"]

_COLLAPSED = 0.01


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
    family = family_of(cell, runtime.device)
    networks = family.draw(blocks)
    problem = family.problem(blocks)
    training, engine = family.start(networks, problem, runtime.engine, runtime.threads)
    measures = Measures(cell, training, family)
    record = _Record(cell, family, networks, training, measures)
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
        "engine": engine,
        "device": runtime.device,
        "seconds": f"{seconds:.3f}",
        "network_steps": str(done),
    }


def collapsed(variances: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which networks are constant on the points, up to a hundredth of what the targets vary.

    A network has collapsed if the standard deviation of its output over the points is at most 0.01
    of that of the targets, both over all outputs (root mean square). One whose neurons are all
    dead varies by rounding alone; one in which they cancel settles there slowly.

    Args:
        variances: Of the outputs of each network over the points, the mean over outputs, (R,).
        y: Targets at the points, shape (N, d_out).

    Returns:
        bool, shape (R,); False for a network whose outputs are not finite.

    Source: Lu, Shin, Su & Karniadakis (2020), collapse; how near to a constant counts is this
    package's choice.
    """
    wanted = float(np.square(y.astype(np.float64) - y.mean(axis=0, dtype=np.float64)).mean())
    return variances <= _COLLAPSED**2 * wanted


class _Record:
    """Follows one ensemble through its training and turns it into rows."""

    def __init__(
        self, cell: Cell, family: Family, networks: Any, training: Training, measures: Measures
    ) -> None:
        born = family.census(networks, at_birth=True)
        self._cell = cell
        self._family = family
        self._sensitivity = family.sensitivity(networks)
        self._measures = measures
        self._born_dead = family.born_dead(networks, born)
        self._born = born
        self._training = training
        self._status = [layer.copy() for layer in born.status]
        self._undecided = born.undecided.copy()
        self._settled = np.zeros(len(self._born_dead), dtype=bool)
        self._curves: dict[str, list[np.ndarray]] = {
            "loss": [],
            "active": [],
            "tentative": [],
            "permanent": [],
        }
        self._flat = np.zeros(len(self._born_dead), dtype=bool)
        self._collapsed: list[np.ndarray] = []
        self._initial_loss: np.ndarray | None = None

    def observe(self, training: Training) -> None:
        """Record losses, and what has become of the networks that moved since the last call."""
        moved = ~self._settled & ~training.diverged
        networks = training.ensemble()
        if moved.any():
            x, y = self._cell.task.data()
            variances = self._family.variances(networks[np.flatnonzero(moved)], x)
            self._flat[moved] = collapsed(variances, y)
        self._collapsed.append(np.where(training.diverged, -1, self._flat))
        if self._initial_loss is None:
            self._initial_loss = training.loss.copy()
        else:
            ends = moved & (training.succeeded | (training.steps == self._cell.max_steps))
            for chosen, quick in ((moved & ends, False), (moved & ~ends, True)):
                if not chosen.any():
                    continue
                index = np.flatnonzero(chosen)
                now = self._family.census(networks[index], quick=quick)
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
            f"{name}_final": layer_counts(self._status, code, len(lost))
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
            "born_dead": self._born_dead,
            "trainable": self._family.trainable(born),
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
                f"{name}_init": None if values is None else _finite(values)
                for name in ("variance", "living", "log_scale", "cosine")
                for values in [getattr(self._sensitivity, name, None)]
            },
            "layers": self._family.layers,
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
