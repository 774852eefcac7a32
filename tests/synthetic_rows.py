"""Rows of cells that were never trained: drawn by a simple law, valid, and quick to make."""

import numpy as np
import pandas as pd

from trainability.results import COLUMNS, SCHEMA
from trainability.seeds import BLOCK_SIZE
from trainability.trial import checkpoints

ALIVE = 5 / 6
"""Probability that a neuron is born alive: that of a unit-sphere neuron on [-sqrt 3, sqrt 3]."""
MADE = {
    "engine": "none",
    "device": "cpu",
    "seconds": "1.5",
    "network_steps": "1000",
    "finished_at": "1700000000.0",
    "host": "here",
}


def store(storage, study, cell, blocks, q=0.6):
    """Store consecutive blocks of a cell, whose neurons are useful with probability q."""
    storage.write_rows(study, synthetic_rows(study, cell, blocks, q), MADE)


def synthetic_rows(study, cell, blocks, q=0.6):
    """A network succeeds if enough neurons of every layer are useful; only living ones can be."""
    blocks = list(blocks)
    parts = [_block(cell, block, q) for block in blocks]
    n = len(blocks) * BLOCK_SIZE
    frame = {column.name: column.default for column in COLUMNS if column.since}
    frame |= {"study": study, **cell.columns(), "status": "ok"}
    frame |= {"replicate": np.arange(blocks[0] * BLOCK_SIZE, blocks[0] * BLOCK_SIZE + n)}
    for name in parts[0]:
        values = np.concatenate([part[name] for part in parts])
        frame[name] = list(values) if values.ndim == 2 else values
    return pd.DataFrame({name: frame[name] for name in SCHEMA.names})


def _block(cell, block, q):
    rng = np.random.default_rng([block, int(cell.id, 16)])
    steps = checkpoints(cell.max_steps)
    widths = np.array(cell.widths)
    # Of layers that are narrower than the widest the first neurons only.
    exists = np.arange(widths.max()) < widths[:, None]
    alive = (rng.random((BLOCK_SIZE, *exists.shape)) < ALIVE) & exists
    active = alive.sum(axis=2)
    useful = (alive & (rng.random(alive.shape) < q / ALIVE)).sum(axis=2)
    success = (useful >= np.array(cell.needs)).all(axis=1)
    taken = np.where(success, rng.integers(1, cell.max_steps + 1, BLOCK_SIZE), cell.max_steps)
    loss = np.geomspace(1.0, 0.1, len(steps)) * rng.uniform(0.5, 2.0, (BLOCK_SIZE, 1))
    loss[success, -1] = cell.tolerance / 2
    loss = loss.astype(np.float32)
    dead, none = widths - active, np.zeros_like(active)
    total = np.repeat(active.sum(axis=1)[:, None], len(steps), axis=1)
    born_dead = (active == 0).any(axis=1)
    return {
        "born_dead": born_dead,
        "trainable": (active >= np.array(cell.needs)).all(axis=1),
        **{f"active_{end}": active for end in ("init", "final")},
        **{f"tentative_{end}": none for end in ("init", "final")},
        **{f"permanent_{end}": dead for end in ("init", "final")},
        **{f"undecided_{end}": none for end in ("init", "final")},
        "n_revived": np.zeros(BLOCK_SIZE, dtype=int),
        "initial_loss": loss[:, 0],
        "final_loss": loss[:, -1],
        "steps": taken,
        "success": success,
        "collapsed": born_dead,
        "collapsed_curve": np.repeat(born_dead[:, None], len(steps), axis=1),
        "loss_curve": loss,
        "active_curve": total,
        "tentative_curve": np.zeros_like(total),
        "permanent_curve": widths.sum() - total,
    }
