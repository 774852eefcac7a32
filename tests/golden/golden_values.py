"""What must never change: ids, random streams, first weights, minibatch orders of some cells.

`python tests/golden/golden_values.py` writes `values.json` with the code of the day. It was run
once, before anything that these values protect was moved; it is run again only to add cases, and
then `git diff` must show no changed line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from trainability import SGD, Adam
from trainability.schemes import (
    DataDependent,
    Glorot,
    He,
    LeCun,
    Orthogonal,
    RandomizedAsymmetric,
    SignFlipped,
    TorchDefault,
    UnitSphere,
)
from trainability.seeds import batch_order, order_keys, stream
from trainability.study import Cell
from trainability.tasks import (
    AbsoluteValue,
    BrokenAbsoluteValue,
    LinearTimesSine,
    RotatedAbsoluteValues,
    SineProduct,
    StepPlusSine,
    Table,
)
from trainability.trial import draw

FILE = Path(__file__).parent / "values.json"
SCHEMES = (
    He(),
    He("uniform"),
    He(bias_std=1.0),
    Glorot(),
    Glorot("normal", bias_std=0.1),
    LeCun(),
    LeCun(bias_std=0.5),
    Orthogonal(),
    Orthogonal(gain=1.5, bias_std=0.2),
    RandomizedAsymmetric(),
    RandomizedAsymmetric(sigma=0.9),
    TorchDefault(),
    UnitSphere(),
    DataDependent(),
    DataDependent(sigma_in=0.7, sigma_e=0.4),
    SignFlipped(He()),
    SignFlipped(TorchDefault()),
)
TASKS = (
    AbsoluteValue(n_train=16),
    AbsoluteValue(),
    BrokenAbsoluteValue(n_train=20),
    RotatedAbsoluteValues(n_train=25),
    SineProduct(n_train=30),
    LinearTimesSine(n_train=10),
    StepPlusSine(n_train=10),
    Table(dataset="diabetes", rows=40),
    Table(dataset="digits", rows=30),
)
OPTIMIZERS = (
    SGD(learning_rate=0.1),
    SGD(learning_rate=0.05, momentum=0.9),
    Adam(learning_rate=0.005),
    Adam(learning_rate=0.01, beta1=0.8, beta2=0.99, epsilon=1e-6),
)


def cells() -> Iterator[Cell]:
    """A spread over schemes, tasks, depths, widths, optimizers, batch sizes, budgets and seeds."""
    base: dict[str, Any] = dict(
        task=TASKS[0],
        scheme=He(),
        width=4,
        depth=2,
        optimizer=OPTIMIZERS[2],
        batch_size=None,
        max_steps=100,
        tolerance=1e-3,
        seed=0,
    )
    for scheme in SCHEMES:
        yield Cell(**base | {"scheme": scheme})
        yield Cell(**base | {"scheme": scheme, "width": 3, "depth": 4, "seed": 7})
    for task in TASKS:
        yield Cell(**base | {"task": task})
        yield Cell(**base | {"task": task, "scheme": UnitSphere(), "width": 5, "depth": 3})
    for optimizer in OPTIMIZERS:
        for batch_size in (None, 1, 8):
            yield Cell(**base | {"optimizer": optimizer, "batch_size": batch_size})
    for width in (1, 2, 17, 64):
        for depth in (2, 5):
            yield Cell(**base | {"width": width, "depth": depth})
    for change in ({"max_steps": 10_000}, {"tolerance": 0.01}, {"seed": 2**40}):
        yield Cell(**base | change)
    for paired in (("bias_std",), ("bias_std", "distribution")):
        yield Cell(**base | {"scheme": He(bias_std=0.3), "paired_over": paired})
    for share in (0.25, 1.0):
        yield Cell(**base | {"label_noise": share})


def value_of(cell: Cell) -> dict[str, Any]:
    """All that must stay of one cell."""
    identity = cell.stream_identity
    initial = draw(cell, [3])
    parameters = [p.numpy() for pair in zip(initial.weights, initial.biases, strict=True)
                  for p in pair]  # fmt: skip
    # Of points that an axis has changed; those of a task are in the id alone.
    data = {} if cell.task is cell.declared("task") else {"data": cell.task.fingerprint()}
    return {
        "cell": f"{cell}, {cell.optimizer}, batch {cell.batch_size}, seed {cell.seed}, "
        f"{cell.max_steps} steps, tolerance {cell.tolerance}, paired over {cell.paired_over}",
        "id": cell.id,
        **data,
        "initialization": _digest(cell.initialization.encode()),
        "stream": _digest(identity.encode()),
        "state": {
            purpose: stream(cell.seed, identity, purpose, 3).integers(0, 2**63, 2).tolist()
            for purpose in ("initialization", "order")
        },
        "order_keys": _digest(order_keys(cell.seed, identity, 3).astype("<u8").tobytes()),
        # Compared within rounding where a scheme uses
        # linear algebra, whose last bit is the library's; the digest for all others.
        "first_weights": [float(value) for value in parameters[0][0].ravel()[:4]],
        "last_bias": [float(value) for value in parameters[-1][0].ravel()[:2]],
        "absolute_sums": [float(np.abs(p.astype(np.float64)).sum()) for p in parameters],
        "parameters": _digest(b"".join(p.astype("<f4").tobytes() for p in parameters)),
    }


def orders() -> Iterator[dict[str, Any]]:
    """Minibatch orders of some blocks, epochs and numbers of points."""
    for seed, text, block, epoch, n in (
        (0, "a", 0, 0, 5),
        (0, "a", 0, 1, 5),
        (0, "a", 9, 0, 16),
        (5, "b", 2, 1000, 16),
        (2**40, "identity", 1, 3, 100),
        (1, "", 0, 0, 1),
    ):
        order = batch_order(order_keys(seed, text, block), epoch, n)
        yield {
            "of": [seed, text, block, epoch, n],
            "first": order[0].tolist(),
            "all": _digest(np.ascontiguousarray(order, dtype="<i4").tobytes()),
        }


def values() -> dict[str, Any]:
    """All golden values, by the code of today."""
    return {"cells": [value_of(cell) for cell in cells()], "orders": list(orders())}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    FILE.write_text(json.dumps(values(), indent=1) + "\n")
