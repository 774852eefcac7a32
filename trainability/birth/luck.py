"""The luck of the optimizer: the same initial networks, trained again in another way."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from trainability.checks import count_problem, number_problem
from trainability.errors import InputError, refuse
from trainability.seeds import BLOCK_SIZE, order_keys
from trainability.study.cell import Cell
from trainability.training import Problem, choose_engine
from trainability.trial import Runtime, draw


def retrain(
    cell: Cell,
    blocks: Sequence[int],
    *,
    orders: int = 0,
    step_factors: Sequence[float] = (),
    runtime: Runtime | None = None,
) -> pd.DataFrame:
    """Train the initial networks of a cell as it says, and in other ways.

    Args:
        cell: The cell.
        blocks: Which blocks of its networks.
        orders: How many other minibatch orders to train with, >= 0; on the full batch there is no
            order, and every one gives the same.
        step_factors: What to multiply the learning rate with, each > 0, the number of steps
            divided by it.
        runtime: Where to train.

    Returns:
        A row per network and way: `cell`, `replicate`, `way` ("as declared", "order 1",
        "learning rate x 0.5"), `success` and `final_loss`.
    """
    owner = "retrain"
    problems = count_problem(owner, "orders", orders, 0)
    for factor in step_factors:
        problems += number_problem(owner, "step_factors", factor, above=0)
    refuse(problems)
    ways = [("as declared", cell, 0)]
    ways += [(f"order {k}", cell, k) for k in range(1, orders + 1)]
    factors = dict.fromkeys(step_factors)  # each once
    ways += [(f"learning rate x {factor:g}", _faster(cell, factor), 0) for factor in factors]
    return pd.concat([_trained(way, of, cell, blocks, k, runtime) for way, of, k in ways])


def outcome_changes(trained: pd.DataFrame) -> pd.DataFrame:
    """By way, how many networks end otherwise than as declared.

    Args:
        trained: From `retrain`, of one cell or several.

    Returns:
        Indexed by `way`: `n`, `success_rate`, `lost` and `won`, the shares of networks that fail
        or succeed here alone, and `agreement`, the share that ends alike.
    """
    wide = trained.pivot(index=["cell", "replicate"], columns="way", values="success")
    declared = wide["as declared"].to_numpy(dtype=bool)
    rows = []
    for way in [name for name in trained["way"].unique() if name != "as declared"]:
        other = wide[way].to_numpy(dtype=bool)
        rows.append(
            {
                "way": way,
                "n": len(other),
                "success_rate": other.mean(),
                "lost": (declared & ~other).mean(),
                "won": (~declared & other).mean(),
                "agreement": (declared == other).mean(),
            }
        )
    names = ["way", "n", "success_rate", "lost", "won", "agreement"]
    return pd.DataFrame(rows, columns=pd.Index(names)).set_index("way")


def _faster(cell: Cell, factor: float) -> Cell:
    declared: Any = cell.optimizer  # every optimizer is a dataclass, which its base is not
    optimizer = dataclasses.replace(declared, learning_rate=declared.learning_rate * factor)
    return dataclasses.replace(
        cell, optimizer=optimizer, max_steps=max(1, round(cell.max_steps / factor))
    )


def _trained(
    way: str, cell: Cell, born: Cell, blocks: Sequence[int], order: int, runtime: Runtime | None
) -> pd.DataFrame:
    if cell.tolerance is None:
        raise InputError("luck is shown where success is a loss; the study has a target_accuracy")
    runtime = runtime or Runtime()
    identity = born.stream_identity + (f" retrained in order {order}" if order else "")
    ensemble = draw(born, blocks)
    x, y = cell.task.data()
    problem = Problem(
        x=x,
        y=y,
        optimizer=cell.optimizer,
        tolerance=cell.tolerance,
        batch_size=cell.batch_size,
        order_keys=np.concatenate([order_keys(cell.seed, identity, block) for block in blocks]),
        loss=cell.loss,
        penalty=cell.penalty,
        activation=cell.activation,
    )
    engine = choose_engine(
        runtime.engine, cell.sizes, problem, device=runtime.device, threads=runtime.threads
    )
    training = engine.start(ensemble, problem)
    training.advance(cell.max_steps)
    replicates = np.concatenate(
        [np.arange(block * BLOCK_SIZE, (block + 1) * BLOCK_SIZE) for block in blocks]
    )
    return pd.DataFrame(
        {
            "cell": born.id,
            "replicate": replicates,
            "way": way,
            "success": training.succeeded,
            "final_loss": training.loss,
        }
    )
